"""What the site needs Keras for: curves, samples, the names that configs know, signatures.

It runs in a process of its own and writes JSON: TensorFlow logs to stderr, where Sphinx' warnings
belong.
"""

import dataclasses
import functools
import json
import sys
import typing
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from pictures import STYLE, Line, Panel, draw
from reference import MODULES, read_module

import lossreg
from lossreg.cli.curves import curve, setting
from lossreg.cli.page import shortest_name
from lossreg.errors import LossregError
from lossreg.loss import BoundLoss, Entry, LossSpec
from lossreg.model.arguments import Kind
from lossreg.model.keras_names import known
from lossreg.registry import installed
from lossreg.testing import value_and_gradient
from lossreg.testing.choices import REQUIRED, other_values
from lossreg.testing.samples import draw as draw_sample

_EACH = 6  # points of a curve between two that are drawn
_MOST_NUMBERS = 60  # of an array on a page
_CLASSES = 5  # of a drawn sample


def main() -> None:
    """Write everything as JSON."""
    warnings.simplefilter("ignore")
    entries = {entry.qualified_name: entry for entry in installed().entries()}
    found = {
        "curves": {name: curves(entry) for name, entry in entries.items()},
        "samples": {name: sample(entry) for name, entry in entries.items()},
        "reference": {module: read_module(module) for module in MODULES},
    }
    json.dump(found, sys.stdout)


def write_keras_names() -> None:
    """Write what a config can name, by kind."""
    json.dump({kind: sorted(known(kind)) for kind in typing.get_args(Kind)}, sys.stdout)


def write_picture(function: str) -> None:
    """Write what a function of this module draws."""
    json.dump(globals()[function](), sys.stdout)


def example(entry: Entry) -> BoundLoss | None:
    """Return a loss with values for its required parameters, on logits where it can."""
    params: dict[str, Any] = {}
    for parameter in entry.signature.parameters:
        if parameter.name == entry.spec.from_logits:
            params[parameter.name] = True
        if parameter.required:
            annotation = entry.signature.annotations[parameter.name]
            values = other_values(annotation, REQUIRED, _CLASSES)
            params[parameter.name] = values[0] if values else None
    try:
        return entry.bind(params)
    except LossregError:
        return None


def curves(entry: Entry) -> str:
    """Return a picture of a loss and its gradient, or an empty string if it has no curve."""
    loss = example(entry)
    try:
        arrangement = setting(entry, "logit")
    except LossregError:
        return ""
    if loss is None:
        return ""
    swept, losses = _sweep(entry, loss)
    try:
        found = [curve(each, arrangement, with_gradient=True) for each in losses]
    # A loss of any package may raise anything.
    except Exception:
        return ""
    if not any(np.ptp(each.value) > 0 for each in found):
        # Flat for the one sample that a curve has.
        return ""
    labels = [
        f"{swept}={each.loss.params[swept]:g}" if swept else entry.spec.name for each in found
    ]
    panels = []
    for title, which in (("loss", "value"), ("gradient", "gradient")):
        lines = [
            Line(label=label, x=_thinned(each.x), y=_thinned(getattr(each, which)))
            for label, each in zip(labels, found, strict=True)
        ]
        unit = found[0].unit if which == "value" else ""
        panels.append(
            Panel(
                title=f"{title} ({unit})" if unit else title,
                x_label=arrangement.label,
                lines=lines,
            )
        )
    over = f"over the {arrangement.label}, for {arrangement.sample}"
    which = f" for {', '.join(labels)}" if swept else ""
    return draw(panels, f"{entry.spec.name} and its gradient {over}{which}")


def _sweep(entry: Entry, loss: BoundLoss) -> tuple[str, list[BoundLoss]]:
    """Return the parameter that changes a curve most visibly, and the loss at three values."""
    numbers = [
        parameter.name
        for parameter in entry.signature.parameters
        if type(parameter.default) in (int, float) and parameter.name != "axis"
    ]
    # The first that isn't 0 by default, as the example of a config has it.
    numbers.sort(key=lambda name: not loss.params[name])
    for name in numbers:
        middle = loss.params[name]
        values = [middle / 2, middle, middle * 2] if middle else [0, 0.1, 0.5]
        losses = []
        for value in values:
            try:
                losses.append(entry.bind({**loss.params, name: type(middle)(value)}))
            except LossregError:
                continue
        if len({each.params[name] for each in losses}) > 1:
            return name, losses
    return "", [loss]


def _thinned(values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values).reshape(-1)[::_EACH]]


def sample(entry: Entry) -> dict[str, str]:
    """Return a program that calls a loss on a few samples, and what it prints; or nothing."""
    loss = example(entry)
    if loss is None:
        return {}
    try:
        drawn = draw_sample(_plainest(entry.spec), loss.params)
        if not entry.spec.couples and drawn.axes == (0,):
            drawn = drawn.take([0, 1] if drawn.y_pred.size < _MOST_NUMBERS else [0])
        y_true, y_pred = drawn.y_true, np.round(drawn.y_pred, 2)
        if y_true.dtype.kind == "f":
            y_true = np.round(y_true, 2)
        if y_pred.size > _MOST_NUMBERS:
            return {}
        values = lossreg.get_loss_fn(loss)(y_true, y_pred)
    # What can't be drawn has no sample, and a loss of any package may raise anything.
    except Exception:
        return {}
    arguments = "".join(
        f", {parameter.name}={loss.params[parameter.name]!r}"
        for parameter in entry.signature.parameters
        if parameter.required or parameter.name == entry.spec.from_logits
    )
    kinds = f"{loss.y_pred}".replace("_", " ")
    lines = [
        f"y_true = np.array({_listed(y_true)})  # shape {y_true.shape}",
        f"y_pred = np.array({_listed(y_pred)})  # {kinds}, shape {y_pred.shape}",
        f'function = lossreg.get_loss_fn("{shortest_name(entry)}"{arguments})',
        "print(np.round(function(y_true, y_pred), 3))",
    ]
    return {
        "program": "\n".join(lines),
        "prints": str(np.round(np.asarray(values), 3)),
    }


def _plainest(spec: LossSpec) -> LossSpec:
    """Return a spec for rows in place of images, if the loss isn't for images alone."""
    task = tuple(each for each in spec.task if each != "segmentation")
    return dataclasses.replace(spec, task=task) if task else spec


def _listed(values: Any) -> str:
    """Return an array as a program has it, a row on each line."""
    text = np.array2string(values, separator=", ", max_line_width=200)
    return text.replace("\n", "\n" + " " * len("y_true = np.array("))


def front_picture() -> str:
    """Return the picture of the README: focal losses, and a gradient in float32."""
    import keras

    x = np.linspace(-6, 6, 101, dtype="float32")
    gammas = (0, 1, 2, 5)
    focal = [
        Line(
            label=f"gamma={gamma}",
            x=[*map(float, x)],
            y=_values(functools.partial(_focal, gamma=gamma, alpha=None, from_logits=True), x),
        )
        for gamma in gammas
    ]
    gap = np.linspace(-30, 5, 101, dtype="float32")
    y_true = np.tile(np.array([[0.0, 1.0]], "float32"), (len(gap), 1))
    logits = np.stack([0 * gap, gap], axis=1)
    theirs = keras.losses.CategoricalFocalCrossentropy(
        alpha=1.0, gamma=2, from_logits=True, reduction=None
    )
    ours = lossreg.get_loss_fn("categorical_focal", gamma=2, from_logits=True)
    slopes = [
        Line(label=label, x=[*map(float, gap)], y=_slopes(function, y_true, logits), dashed=dashed)
        for label, function, dashed in (("gamma=2", ours, False), ("Keras, gamma=2", theirs, True))
    ]
    return draw(
        [
            Panel(title="focal", x_label="logit of the right answer", lines=focal),
            Panel(
                title="gradient of categorical_focal",
                x_label="logit of the right class, the other's being 0",
                lines=slopes,
            ),
        ],
        "The focal loss over the logit for gamma 0, 1, 2 and 5; and the gradient of the "
        "categorical one, which in Keras is 0 where the mistake is worst",
        STYLE,
    )


def focal_picture() -> str:
    """Return the first figure of the paper on the focal loss, with the gradient beside it."""
    x = np.linspace(-6, 6, 101, dtype="float32")
    panels: Mapping[str, list[Line]] = {"loss (nats)": [], "gradient": []}
    for gamma in (0, 0.5, 1, 2, 5):
        function = functools.partial(_focal, gamma=gamma, alpha=None, from_logits=True)
        points = [*map(float, x)]
        label = f"gamma={gamma:g}"
        panels["loss (nats)"].append(Line(label=label, x=points, y=_values(function, x)))
        y_true = np.ones((len(x), 1), "float32")
        slopes = _slopes(function, y_true, x[:, None])
        panels["gradient"].append(Line(label=label, x=points, y=slopes))
    return draw(
        [Panel(title=title, x_label="logit", lines=lines) for title, lines in panels.items()],
        "Focal loss and its gradient over the logit of label 1, for gamma 0, 0.5, 1, 2 and 5",
        STYLE,
    )


def _focal(y_true: Any, y_pred: Any, **params: Any) -> Any:
    return lossreg.get_loss_fn("focal", **params)(y_true, y_pred)


def _values(function: Any, x: Any) -> list[float]:
    return [*map(float, np.asarray(function(np.ones((len(x), 1), "float32"), x[:, None])))]


def _slopes(function: Any, y_true: Any, y_pred: Any) -> list[float]:
    gradient = np.asarray(value_and_gradient(function, y_true, y_pred)[1])
    return [*map(float, gradient[:, -1])]
