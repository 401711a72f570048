"""`lossreg plot`: a picture of a loss and its gradient."""

import itertools
import re
import sys
from pathlib import Path
from typing import Any, get_args

import click

from ..errors import LossregError, ParameterError, printable
from ..registry import installed
from .backend import keras_needed, quiet_backend
from .completion import complete_loss
from .curves import Curve, Over, Setting, curve, setting
from .output import Unusable, beside, write

_MOST_CURVES = 12  # the colours of more are too much alike

_WORDS = {"true": True, "false": False, "none": None, "null": None}
_INTEGER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


@click.command()
@click.argument("name", shell_complete=complete_loss)
@click.option(
    "--sweep",
    "sweeps",
    multiple=True,
    metavar="PARAMETER=VALUE,...",
    help="A curve for each value; one value sets the parameter. Repeat for more parameters.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The picture: .png, .svg or .pdf.  [default: NAME.png]",
)
@click.option("--grad", is_flag=True, help="Draw the gradient too.")
@click.option(
    "--over",
    type=click.Choice(get_args(Over)),
    default="logit",
    help="What runs along x for a classification loss, for the true class.  [default: logit]",
)
def plot(name: str, sweeps: tuple[str, ...], output: Path | None, grad: bool, over: Over) -> None:
    """Draw a loss, and with --grad its gradient, for one sample.

    A classification loss is drawn over the logit of the true class, with `from_logits`
    where it has it; a regression loss over the error. It needs matplotlib, which
    "pip install 'lossreg[plot]'" installs, and Keras with its backend.

    \b
    Examples:
      lossreg plot focal --sweep gamma=0,0.5,1,2,5 -o curves.png --grad
      lossreg plot focal --sweep gamma=0,0.5,1,2,5 --sweep alpha=none --over probability
      lossreg plot huber --sweep delta=0.5,1,2
    """
    entry = installed().lookup(name)
    arrangement = setting(entry, over)
    values = read_sweeps(sweeps)
    preset = {"from_logits": True} if "from_logits" in entry.signature.annotations else {}
    choices = [
        {**preset, **dict(zip(values, chosen, strict=True))}
        for chosen in itertools.product(*values.values())
    ]
    if len(choices) > _MOST_CURVES:
        raise ParameterError(
            f"These sweeps make {len(choices)} curves, and a picture has at most {_MOST_CURVES}, "
            "so that one can tell them apart. Leave out some values."
        )
    losses = [entry.bind(params) for params in choices]
    path = output or Path(f"{entry.spec.name}.png")
    _check(path)
    quiet_backend()
    if sys.stderr.isatty():
        write("Importing Keras ...", err=True)
    try:
        with keras_needed():
            curves = [curve(loss, arrangement, grad) for loss in losses]
    except (LossregError, Unusable):
        raise
    # Keras may be set up wrongly, and a loss of a package may raise anything.
    except Exception as error:
        raise Unusable(
            f"Drawing failed in Keras or in the loss itself: {type(error).__name__}: {error}"
        ) from error
    swept = [name for name, chosen in values.items() if len(chosen) > 1]
    try:
        draw(curves, arrangement, swept, path)
    except OSError as error:
        raise Unusable(
            f"The picture {str(path)!r} can't be written ({error.strerror}). Name another with -o."
        ) from error
    write(f"Wrote {path}.", err=True)


def read_sweeps(sweeps: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the values of each parameter, from strings such as "gamma=0,0.5".

    >>> read_sweeps(("gamma=0,0.5", "alpha=none"))
    {'gamma': [0, 0.5], 'alpha': [None]}

    Raises:
        ParameterError: A string isn't a sweep.
    """
    values: dict[str, list[Any]] = {}
    for sweep in sweeps:
        name, equals, listed = sweep.partition("=")
        name = name.strip()
        if not equals or not name or not all(value.strip() for value in listed.split(",")):
            raise ParameterError(
                "A sweep is the name of a parameter, '=' and values with commas between them, got "
                f"{sweep!r}. Write it as --sweep gamma=0,0.5,2"
            )
        if name in values:
            raise ParameterError(f"{name!r} is swept twice. Give all its values in one --sweep.")
        values[name] = [_value(value.strip()) for value in listed.split(",")]
    return values


def _value(text: str) -> Any:
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _check(path: Path) -> None:
    """Raise for a picture that can't be written, before Keras takes seconds to import."""
    if not path.parent.is_dir():
        raise Unusable(f"There is no folder {str(path.parent)!r} for the picture. Create it first.")
    try:
        from matplotlib.backend_bases import FigureCanvasBase
    except ImportError as error:
        raise Unusable(
            "Drawing needs matplotlib, which isn't installed. "
            "Install it: pip install 'lossreg[plot]'"
        ) from error
    if path.suffix[1:].lower() not in FigureCanvasBase.get_supported_filetypes():
        raise Unusable(
            f"The picture's name must end in .png, .svg or .pdf, got {str(path)!r}. "
            f"Write it as -o {path.with_suffix('.png')}"
        )


def draw(curves: list[Curve], arrangement: Setting, swept: list[str], path: Path) -> None:
    """Write curves as a picture; with gradients it has a second panel.

    Args:
        curves: One for each loss.
        arrangement: What they are drawn over.
        swept: The parameters in which the curves differ.
        path: The picture.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    first, with_gradient = curves[0].loss, curves[0].gradient is not None
    figure = Figure(figsize=(7, 7.5 if with_gradient else 4.5), layout="constrained")
    panels = figure.subplots(2 if with_gradient else 1, 1, sharex=True, squeeze=False)[:, 0]
    # From dark to light as the values grow, so that the order shows.
    colors = mpl.colormaps["viridis"](
        [index / max(len(curves), 1.1) for index in range(len(curves))]
    )
    for one, color in zip(curves, colors, strict=True):
        label = _legend({name: one.loss.params[name] for name in swept})
        panels[0].plot(one.x, one.value, color=color, label=label)
        if with_gradient:
            panels[1].plot(one.x, one.gradient, color=color, label=label)
    unit = curves[0].unit
    panels[0].set_ylabel(f"loss ({unit})" if unit else "loss")
    # The parameters that all curves share.
    shared = {name: value for name, value in first.params.items() if name not in swept}
    panels[0].set_title(f"{first.entry.call(shared)}\n{arrangement.sample}")
    if with_gradient:
        panels[1].set_ylabel(f"gradient\n({unit or 'loss'} per unit of {arrangement.variable})")
    panels[-1].set_xlabel(arrangement.label)
    for panel in panels:
        panel.axhline(0, color="0.7", linewidth=0.8, zorder=0)
        panel.grid(alpha=0.3)
        panel.margins(x=0)
    if arrangement.over == "probability":
        panels[-1].set_xlim(0, 1)
    if swept:
        panels[0].legend()
    for text in figure.findobj(Text):
        # A name isn't a formula, and a '$' in it has no partner.
        text.set_parse_math(False)
        text.set_text(printable(text.get_text()))
    with beside(path) as file:
        figure.savefig(file, dpi=150)


def _legend(params: dict[str, Any]) -> str:
    return ", ".join(
        f"{name}={value:g}" if type(value) is float else f"{name}={value}"
        for name, value in params.items()
    )
