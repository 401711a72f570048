"""The spec of a loss, and the hooks of a plugin.

No loss is imported here, and no value is checked.
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

import pluggy

from ..errors import SpecError, printable
from .kinds import CONVERSIONS, LABELS, OUTPUTS, Fit, LabelKind, Labels, Outputs, Per, Task
from .names import is_canonical, key, shown
from .rules import read_rule

_TARGET = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)

_LONGEST = 300  # characters; a listing shows them on one line
_MOST = 100  # aliases, or former names


def is_target(value: object) -> bool:
    """Return whether a value is a string such as `"package.module:attribute"`."""
    return isinstance(value, str) and bool(_TARGET.fullmatch(value))


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """A loss of a plugin: plain data that name a function.

    >>> spec = LossSpec(
    ...     name="tilted",
    ...     target="acme_losses.losses:tilted",
    ...     summary="Absolute error with a price for each side: regression to a quantile.",
    ...     task=("regression",),
    ...     y_true="real",
    ...     y_pred="real",
    ...     aliases=("quantile",),
    ... )
    >>> spec.names
    ('tilted', 'quantile')

    Args:
        name: The canonical name: lower snake case, without "loss".
        target: The place of the loss, `"package.module:attribute"`: a loss function, a factory
            or a `keras.losses.Loss` subclass. It is imported at first use.
        summary: One line for listings: when to use the loss.
        task: What the loss is for.
        y_true: The kind of its labels, or several. The function takes the first kind, and
            lossreg turns labels of the other kinds into it.
        y_pred: The kind of its predictions, with its default parameters.
        aliases: Other canonical names. A lookup finds their other spellings.
        per: What one value stands for: a `position` (the shape of `y_pred` without the axis of
            the classes), a `sample`, an `entry` of `y_pred`, or the whole `batch`.
        couples_batch: Whether the value of a sample depends on the other samples, so that
            weights and masks have no meaning. A value for the whole batch always does.
        example: The place of a function that draws inputs, for what no word can say.
        bounded: Whether the loss has a highest value, so that a very wrong prediction may have
            no gradient.
        surrogate_gradient: Whether the gradient is meant to be another than the derivative.
        exceptions: The reason for each check of the conformance kit that the loss can't pass,
            by the name of the check, a backend (`"torch"`) or both (`"torch/float16"`).
        head: The place of the layer whose output the loss takes.
        saved_as: The names under which other packages, or older versions, registered the loss
            with Keras. A file that has such a name loads this loss.
        rules: Comparisons of parameters that must hold, such as `"low < high"`.
        axis: The parameter that names the axis or axes of `y_pred` that a value covers.
        ignore_class: The parameter that names the class whose labels don't count.
        from_logits: The parameter that turns probabilities into logits.
        field: The label tensor that the loss takes where labels are a mapping of several, such as
            `"distance"`; by default the main one.

    Raises:
        SpecError: A field breaks its rule.
    """

    name: str
    target: str
    summary: str
    task: tuple[Task, ...]
    y_true: Labels | tuple[Labels, ...]
    y_pred: Outputs
    aliases: tuple[str, ...] = ()
    per: Per = "position"
    couples_batch: bool = False
    example: str | None = None
    bounded: bool = False
    surrogate_gradient: bool = False
    exceptions: Mapping[str, str] = dataclasses.field(default_factory=dict, hash=False)
    head: str | None = None
    saved_as: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    axis: str | None = "axis"
    ignore_class: str | None = "ignore_class"
    from_logits: str | None = "from_logits"
    field: str | None = None

    def __post_init__(self) -> None:
        for field in ("name", "target", "summary"):
            if not isinstance(getattr(self, field), str) or len(getattr(self, field)) > _LONGEST:
                raise self._fault(field, f"must be a string of at most {_LONGEST} characters")
        if not is_canonical(self.name):
            raise self._fault("name", "must be lower snake case without 'loss', such as 'log_cosh'")
        if not is_target(self.target):
            raise self._fault("target", "must read 'package.module:attribute'")
        if not self.summary.strip() or "\n" in self.summary:
            raise self._fault("summary", "must be one line")
        if printable(self.summary) != self.summary:
            raise self._fault("summary", "must have no control characters or invisible characters")
        for field in ("task", "aliases", "saved_as", "rules"):
            # A single string is a common mistake; it would be read letter by letter.
            if not isinstance(getattr(self, field), tuple):
                raise self._fault(field, "must be a tuple of strings, such as ('binary',)")
            if len(getattr(self, field)) > _MOST:
                raise self._fault(field, f"must have at most {_MOST} entries")
        for field, rule, choices, values in (
            ("task", "must be one or more of", get_args(Task), self.task),
            ("y_true", "must be one or more of", tuple(LABELS), self.forms),
            ("y_pred", "must be one of", tuple(OUTPUTS), (self.y_pred,)),
            ("per", "must be one of", get_args(Per), (self.per,)),
        ):
            if not values or any(value not in choices for value in values):
                raise self._fault(field, f"{rule} {', '.join(map(repr, choices))}")
        self._check_kinds()
        for field in ("couples_batch", "bounded", "surrogate_gradient"):
            if not isinstance(getattr(self, field), bool):
                raise self._fault(field, "must be True or False")
        for field in ("example", "head"):
            if getattr(self, field) is not None and not is_target(getattr(self, field)):
                raise self._fault(field, "must read 'package.module:attribute'")
        for field in ("axis", "ignore_class", "from_logits"):
            if not isinstance(getattr(self, field), str | None):
                raise self._fault(field, "must be the name of a parameter, or None")
        if not isinstance(self.field, str | None):
            raise self._fault("field", "must be the name of a label tensor, or None")
        if not (
            isinstance(self.exceptions, Mapping)
            and all(isinstance(text, str) and text.strip() for text in self.exceptions.values())
        ):
            raise self._fault("exceptions", "must map checks of the kit to reasons")
        if not all(isinstance(name, str) and name for name in self.saved_as):
            raise self._fault("saved_as", "must hold names such as 'Addons>ContrastiveLoss'")
        for rule in self.rules:
            read_rule(self.name, rule)
        if not all(isinstance(alias, str) and is_canonical(alias) for alias in self.aliases):
            raise self._fault("aliases", "must be lower snake case without 'loss', like the name")
        if len({key(name) for name in self.names}) < len(self.names):
            raise self._fault("aliases", "must differ from each other and from the name")

    def _check_kinds(self) -> None:
        """Raise for kinds of labels and predictions that don't belong together."""
        first, *others = self.forms
        for form in others:
            if (first, form) not in CONVERSIONS:
                pairs = ", ".join(str(pair) for pair in sorted(CONVERSIONS))
                raise self._fault("y_true", f"may hold several kinds only as in {pairs}")
        fitting = OUTPUTS[self.y_pred].labels
        if "unspecified" in (*self.forms, self.y_pred):
            return
        if fitting is not None and not set(self.forms) <= {*fitting, "free", "unknown"}:
            words = ", ".join(map(repr, fitting))
            raise self._fault("y_true", f"must be one of {words} with y_pred={self.y_pred!r}")
        for form in self.forms:
            outputs = LABELS[form].outputs
            if outputs is not None and self.y_pred not in outputs:
                words = ", ".join(map(repr, outputs))
                raise self._fault("y_pred", f"must be {words} with y_true={form!r}")

    @property
    def names(self) -> tuple[str, ...]:
        """The name and all aliases."""
        return (self.name, *self.aliases)

    @property
    def forms(self) -> tuple[Labels, ...]:
        """The kinds of labels that the loss takes; the function takes the first."""
        # A word that is no string is told with the others.
        return self.y_true if isinstance(self.y_true, tuple) else (self.y_true,)

    @property
    def labels(self) -> LabelKind:
        """What the word for the labels of the function means."""
        return LABELS[self.forms[0]]

    @property
    def fit(self) -> Fit | None:
        """How the shape of the labels follows from that of the predictions."""
        kind = self.labels
        return OUTPUTS[self.y_pred].per or kind.per if kind.per in ("entry", "place") else kind.per

    @property
    def couples(self) -> bool:
        """Whether a value depends on several samples."""
        return self.couples_batch or self.per == "batch"

    @property
    def adds_ignore_class(self) -> bool:
        """Whether lossreg leaves out labels for a function that takes no class numbers."""
        rows_first = self.forms[0] == "one_hot" and self.number_form is not None
        return rows_first and self.per == "position"

    @property
    def number_form(self) -> Labels | None:
        """The form of labels that are class numbers, where they may be one-hot rows too."""
        numbers = [form for form in self.forms if LABELS[form].is_number]
        return numbers[0] if numbers and "one_hot" in self.forms else None

    def outputs(self, params: Mapping[str, Any]) -> Outputs:
        """Return the kind of the predictions with these parameters."""
        if self.from_logits is None or self.from_logits not in params:
            return self.y_pred
        return "logits" if params[self.from_logits] else "probabilities"

    def axes(self, params: Mapping[str, Any]) -> tuple[int, ...] | None:
        """Return the axes of `y_pred` that a value covers, or None for all of them."""
        axis = params.get(self.axis, -1) if self.axis else -1
        if isinstance(axis, tuple):
            return tuple(one for one in axis if isinstance(one, int))
        return (axis,) if isinstance(axis, int) else None

    def class_axis(self, params: Mapping[str, Any]) -> int:
        """Return the axis of the classes."""
        axes = self.axes(params)
        return axes[0] if axes is not None and len(axes) == 1 else -1

    def shape_of_values(
        self, params: Mapping[str, Any], y_pred: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        """Return the shape of the values for predictions of a shape."""
        axes = self.axes(params)
        if self.per == "batch" or (axes is None and self.per == "position"):
            return ()
        if self.per == "entry":
            return y_pred
        if self.per == "sample" or self.fit in ("series", "sample", "event") or len(y_pred) == 1:
            return y_pred[:1]
        reduced = {one % len(y_pred) for one in axes or ()}
        return tuple(size for index, size in enumerate(y_pred) if index not in reduced)

    @property
    def takes_numbers(self) -> bool:
        """Whether labels may be numbers of classes, of which no digit may be lost."""
        return any(LABELS[form].is_number for form in self.forms)

    @property
    def numbers_outputs(self) -> bool:
        """Whether labels are indexes of outputs, and not numbers of groups."""
        return self.labels.is_number and OUTPUTS[self.y_pred].has_classes

    def _fault(self, field: str, rule: str) -> SpecError:
        return SpecError(
            f"LossSpec {self.name!r}: {field} {rule}, got {shown(getattr(self, field))}."
        )


PROJECT = "lossreg"
"""The name of pluggy's project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function in a plugin's module as a hook.

>>> @hookimpl
... def lossreg_losses():
...     return []
"""


class Hooks:
    """All hooks that a plugin can implement.

    Each is called once, at discovery. It imports neither Keras nor the modules of its targets.
    """

    @staticmethod
    @hookspec
    def lossreg_losses() -> Iterable[LossSpec]:  # type: ignore[empty-body]
        """Return the losses that this plugin offers."""

    @staticmethod
    @hookspec
    def lossreg_commands() -> Mapping[str, str]:  # type: ignore[empty-body]
        """Return the subcommands that this plugin adds to the command `lossreg`.

        Each name has the place of a click command, `{"fit": "acme_train.cli:fit"}`, which is
        imported when it runs.
        """
