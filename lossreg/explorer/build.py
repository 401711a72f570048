"""The losses of a page as JavaScript, made in a process whose Keras runs on JAX in float64.

`python -m lossreg.explorer.build PACKAGE...` writes them to stdout as JSON.
"""

import base64
import contextlib
import json
import sys
from typing import Any

from ..errors import LossregError, error_line
from ..lazy import keras
from ..loss import Entry, unit
from ..registry import installed
from .controls import OTHERS, Control
from .keras_own import KerasCurve, keras_curves
from .programs import Case, Curves, curves_of
from .script import script_data


def build(packages: list[str], share: tuple[int, int]) -> dict[str, list[Any]]:
    """Return the losses that are drawn, as JavaScript, and those that aren't, with the reason.

    Args:
        packages: Their distributions; none for all.
        share: Which of how many processes this is; each takes every so many losses.
    """
    keras.config.set_floatx("float64")
    drawn, left_out = [], []
    entries = [
        entry
        for entry in installed().entries()
        if not packages or entry.provider.distribution in packages
    ]
    place, count = share
    for entry in entries[place::count]:
        try:
            curves = curves_of(entry)
            drawn.append([entry.qualified_name, _script(curves)])
        except LossregError as error:
            left_out.append([entry.qualified_name, str(error).rstrip(".")])
        # A loss of a package may raise anything.
        except Exception as error:
            left_out.append([entry.qualified_name, f"it raises {error_line(error)}"])
    return {"drawn": drawn, "left_out": left_out}


def _script(curves: Curves) -> str:
    """Return a loss as a JavaScript object."""
    entry, scene = curves.entry, curves.scene
    data = {
        "id": entry.qualified_name,
        "name": entry.spec.name,
        "call": _shortest_name(entry),
        "package": str(entry.provider),
        "summary": entry.spec.summary,
        "unit": unit(entry.doc),
        "group": scene.group,
        "label": scene.label,
        "hasClasses": scene.has_classes,
        "fewest": scene.fewest,
        "others": scene.others,
        "isImage": scene.is_image,
        # A score has no probability.
        "isScore": scene.kind in ("score", "score gap"),
        "hasCurvature": curves.has_curvature,
        "fromLogits": entry.spec.from_logits if _takes_logits(entry) else None,
        "fixed": _fixed(curves),
        "controls": [_control(control) for control in curves.controls],
        "keras": [_keras(curve) for curve in keras_curves(curves)],
    }
    cases = ",\n".join(map(_case, curves.cases))
    return f"{script_data(data)[:-1]},cases:[\n{cases}]}}"


def _shortest_name(entry: Entry) -> str:
    """Return the plain name if it means this loss, or else the qualified name."""
    chosen = installed().explain(entry.spec.name).chosen
    return entry.spec.name if chosen is entry else entry.qualified_name


def _fixed(curves: Curves) -> list[str]:
    """Return the parameters that have a meaning here and no control."""
    spec = curves.entry.spec
    known = {control.name for control in curves.controls}
    known |= {name for name in (spec.axis, spec.ignore_class, spec.from_logits) if name}
    return [p.name for p in curves.entry.signature.parameters if p.name not in known]


def _takes_logits(entry: Entry) -> bool:
    return entry.spec.from_logits in entry.signature.annotations


def _control(control: Control) -> dict[str, Any]:
    return {
        "name": control.name,
        "kind": control.kind,
        "values": control.values,
        "low": control.low,
        "high": control.high,
        "isLog": control.is_log,
        "default": control.default,
        "takesNone": control.takes_none,
        "isRequired": control.is_required,
        "isList": control.is_list,
        "others": OTHERS,
    }


def _keras(curve: KerasCurve) -> dict[str, Any]:
    def text(numbers: Any) -> str:
        return base64.b64encode(numbers.astype("<f4").tobytes()).decode()

    return {
        "dtype": curve.dtype,
        "label": curve.label,
        "low": curve.low,
        "high": curve.high,
        "values": text(curve.values),
        "gradients": text(curve.gradients),
    }


def _case(case: Case) -> str:
    when = "&&".join(case.when)
    condition = f"when:p=>{when}," if when else ""
    classes = f"n:{case.classes}," if case.classes else ""
    return f"{{choice:{script_data(case.choice)},{classes}{condition}run:{case.text}}}"


if __name__ == "__main__":
    *names, place, count = sys.argv[1:]
    # A package may print, and stdout is for the result alone.
    with contextlib.redirect_stdout(sys.stderr):
        result = build(names, (int(place), int(count)))
    json.dump(result, sys.stdout)
