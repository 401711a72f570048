"""What losses are judged by: our metrics, those of Keras, and functions of the user's program.

No loss judges itself.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from lossreg.config import Part, read_part
from lossreg.errors import ConfigError, Path
from lossreg.loss import BoundLoss, did_you_mean, key, shown

from . import scores
from .answers import Answers

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]

_HIGHER_IS_BETTER = (
    scores.average_precision,
    scores.roc_auc,
    scores.recall_at_precision,
    scores.precision_at_recall,
    scores.accuracy,
    scores.balanced_accuracy,
    scores.f1,
    scores.dice,
    scores.iou,
    scores.r2,
)
_IN_0_TO_1 = (scores.brier, scores.calibration_error, scores.coverage_error)
_OTHERS = (scores.log_loss, scores.rmse, scores.mae, scores.pinball)
_OWN: dict[str, Callable[..., float]] = {
    function.__name__: function for function in (*_HIGHER_IS_BETTER, *_IN_0_TO_1, *_OTHERS)
}

# Words in the names of Keras' metrics whose lower values are better.
_LOWER = ("error", "crossentropy", "divergence", "hinge", "logcosh", "poisson", "false", "loss")


@dataclass(frozen=True)
class Metric:
    """A number that losses are judged by.

    >>> def worst_error(y_true, y_pred):
    ...     return abs(y_true - y_pred).max()
    >>> Metric(worst_error, higher_is_better=False).name
    'worst_error'

    Args:
        function: Returns the number, from labels and predictions as arrays.
        name: How it is shown; by default the name of the function.
        higher_is_better: Whether a higher value is better.
        is_share: Whether it lies between 0 and 1. The margin of a comparison is then the
            difference itself, and otherwise a share of the baseline's value.
        output: The output of the model that it judges, where there are several.
    """

    function: Callable[..., float]
    name: str = ""
    _: KW_ONLY
    higher_is_better: bool = True
    is_share: bool = False
    output: str | None = None

    def __post_init__(self) -> None:
        if not self.name:
            object.__setattr__(self, "name", getattr(self.function, "__name__", "metric"))

    @property
    def fingerprint(self) -> Any:
        """What decides the value, as data."""
        function: Any = self.function
        if not isinstance(function, _Own | _OfKeras):
            function = [function.__module__, function.__qualname__, source(function)]
        names = (self.name, self.higher_is_better, self.output)
        return [*names, function if isinstance(function, list) else repr(function)]

    @property
    def label(self) -> str:
        """The name, with the output where there are several."""
        return self.name if self.output is None else f"{self.output}: {self.name}"

    @property
    def sign(self) -> int:
        """1 where a higher value is better, and -1 where a lower one is."""
        return 1 if self.higher_is_better else -1

    def check(self) -> None:
        """Raise an error if it can't be made."""
        if isinstance(self.function, _OfKeras):
            self.function.check()

    def value(self, answers: Answers) -> float:
        """Return the value, or raise where it isn't defined."""
        if isinstance(self.function, _Own):
            return self.function(answers)
        return float(self.function(answers.y_true, answers.y_pred))


@dataclass(frozen=True)
class _Own:
    """A metric of this module with its arguments."""

    name: str
    arguments: tuple[tuple[str, Any], ...]

    def __call__(self, answers: Answers) -> float:
        return _OWN[self.name](answers, **dict(self.arguments))


@dataclass(frozen=True)
class _OfKeras:
    """A metric of Keras, made anew for each value."""

    part: Part

    def check(self) -> None:
        """Raise an error if Keras has no such metric, or not with these arguments."""
        from lossreg.model import metric

        try:
            metric(self.part)
        except ConfigError as error:
            near = did_you_mean(self.part.name, _OWN) or f" lossreg has {', '.join(_OWN)}."
            raise ConfigError.at(self.part.path, f"{error}{near}") from error

    def __call__(self, y_true: "Array", y_pred: "Array") -> float:
        from lossreg.model import metric

        made = metric(self.part)
        made.update_state(y_true, y_pred)
        return float(made.result())


def source(function: Callable[..., Any]) -> str:
    """Return the text of a function, or an empty string where there is none."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        # What was typed into an interpreter has none.
        return ""


def read_metrics(given: Any, at: Path = ("compare", "metrics")) -> list[Metric]:
    """Return the metrics that a config or a program names.

    Args:
        given: A name, a call such as `recall_at_precision(0.95)`, a function, a `Metric`, a
            list of these, or a mapping from outputs to these.
        at: Where they stand in the config.

    Raises:
        ConfigError: A name is unknown, or an argument is wrong.
    """
    if isinstance(given, Mapping):
        return [
            replace(metric, output=output)
            for output, each in given.items()
            for metric in read_metrics(each, (*at, output))
        ]
    if isinstance(given, list | tuple):
        return [
            metric
            for index, each in enumerate(given)
            for metric in read_metrics(each, (*at, index))
        ]
    if isinstance(given, Metric):
        return [given]
    if isinstance(given, str):
        given = read_part(given, at)
    if isinstance(given, Part):
        return [_metric(given, at)]
    if callable(given):
        return [Metric(given)]
    raise ConfigError.at(
        at, f"A metric must be a name, a call such as 'f1' or a function, got {shown(given)}."
    )


def _metric(part: Part, at: Path) -> Metric:
    """Return the metric of a name with arguments: ours, or Keras'."""
    own = {key(name): name for name in _OWN}.get(key(part.name))
    function = None if own is None else _OWN[own]
    arguments = ", ".join(
        [*map(repr, part.args), *(f"{name}={value!r}" for name, value in part.kwargs.items())]
    )
    name = f"{own or part.name}({arguments})" if arguments else own or part.name
    if own is None or function is None:
        lower = any(word in part.name.lower().replace("_", "") for word in _LOWER)
        return Metric(_OfKeras(part), name, higher_is_better=not lower)
    try:
        bound = inspect.signature(function).bind(None, *part.args, **part.kwargs)
    except TypeError as error:
        takes = ", ".join([*inspect.signature(function).parameters][1:]) or "no arguments"
        raise ConfigError.at(at, f"Metric {name!r}: it takes {takes}, and {error}.") from None
    given = {word: value for word, value in bound.arguments.items() if word != "answers"}
    for word, value in given.items():
        values = value if isinstance(value, list | tuple) and word == "quantile" else [value]
        if not all(_is_share(each) for each in values) or not values:
            raise ConfigError.at(
                at, f"Metric {name!r}: {word!r} must be a number between 0 and 1, got {value!r}."
            )
        given[word] = tuple(value) if isinstance(value, list) else value
    return Metric(
        _Own(own, tuple(given.items())),
        name,
        higher_is_better=function in _HIGHER_IS_BETTER,
        is_share=function not in _OTHERS,
    )


def _is_share(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1


def default_metric(loss: BoundLoss, has_places: bool) -> str:
    """Return the metric that suits the labels of a loss.

    Args:
        loss: The loss.
        has_places: Whether a sample has several labels, such as pixels.
    """
    labels = loss.spec.labels
    if not labels.is_class:
        return "rmse"
    if has_places:
        return "dice"
    return "average_precision" if labels.classes == "each" else "balanced_accuracy"
