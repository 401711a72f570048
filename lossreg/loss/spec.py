"""The spec of a loss, its words for labels and predictions, and the hooks of a plugin.

No loss is imported here, and no value is checked.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pluggy

from ..errors import SpecError, printable
from .names import is_canonical, key

Task = Literal[
    "regression",
    "binary",
    "multilabel",
    "multiclass",
    "segmentation",
    "metric_learning",
    "sequence",
    "unspecified",
]
Labels = Literal[
    "real", "positive", "count", "binary", "sign", "one_hot", "integer", "sequence", "unspecified"
]
Outputs = Literal["real", "positive", "probabilities", "logits", "embeddings", "unspecified"]


@dataclass(frozen=True, kw_only=True)
class LabelKind:
    """What a word for labels means.

    Args:
        values: The values that labels have, in words.
        per: What has a label: each `entry` of the predictions, each `place` (the predictions'
            shape without the axis of the classes), or a `series` with a length of its own;
            None if nothing is known about the labels.
        classes: How labels name classes: each entry is yes or no (`each`), a row has a share
            for each class (`row`), or a label is the number of a class (`number`); None if
            labels don't name classes.
        low: The smallest value, if there is one.
        high: The largest value, if there is one.
    """

    values: str
    per: Literal["entry", "place", "series"] | None
    classes: Literal["each", "row", "number"] | None = None
    low: float | None = None
    high: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether anything is known about the labels."""
        return self.per is not None

    @property
    def is_amount(self) -> bool:
        """Whether labels are numbers that don't name classes."""
        return self.is_known and self.classes is None

    @property
    def is_class(self) -> bool:
        """Whether labels name the classes of samples, or of places in them."""
        return self.classes is not None and self.per != "series"

    @property
    def is_exclusive(self) -> bool:
        """Whether a label is one class of several."""
        return self.classes in ("row", "number")

    @property
    def is_number(self) -> bool:
        """Whether labels are numbers of classes, which must keep every digit."""
        return self.classes == "number"

    @property
    def is_share(self) -> bool:
        """Whether labels lie between 0 and 1."""
        return (self.low, self.high) == (0, 1)


LABELS: Mapping[Labels, LabelKind] = {
    "real": LabelKind(values="any finite numbers", per="entry"),
    "positive": LabelKind(values="numbers above 0", per="entry", low=0),
    "count": LabelKind(values="0, 1, 2 and so on", per="entry", low=0),
    "binary": LabelKind(
        values="0 or 1, or soft between them", per="entry", classes="each", low=0, high=1
    ),
    "sign": LabelKind(values="-1 or 1", per="entry", classes="each", low=-1, high=1),
    "one_hot": LabelKind(
        values="one-hot, or soft rows that sum to 1", per="entry", classes="row", low=0, high=1
    ),
    "integer": LabelKind(
        values="class numbers, without the class axis; they reach the loss as integers",
        per="place",
        classes="number",
    ),
    "sequence": LabelKind(
        values="class numbers over time, padded with 0", per="series", classes="number"
    ),
    "unspecified": LabelKind(values="something else", per=None),
}
"""What each word for labels means. Nothing else in lossreg lists these words."""


@dataclass(frozen=True, kw_only=True)
class OutputKind:
    """What a word for predictions means.

    Args:
        values: The values that predictions have, in words.
        noun: Their name in a listing.
        is_class: Whether a prediction says how likely a class is.
        has_classes: Whether the last axis of the predictions can hold classes.
    """

    values: str
    noun: str
    is_class: bool = False
    has_classes: bool = True


OUTPUTS: Mapping[Outputs, OutputKind] = {
    "real": OutputKind(values="any finite numbers", noun="real predictions"),
    "positive": OutputKind(values="numbers above 0", noun="positive predictions"),
    "probabilities": OutputKind(
        values="between 0 and 1; they sum to 1 over exclusive classes",
        noun="probabilities",
        is_class=True,
    ),
    "logits": OutputKind(
        values="any finite numbers; a sigmoid or softmax would turn them into probabilities",
        noun="logits",
        is_class=True,
    ),
    "embeddings": OutputKind(values="vectors of length 1", noun="embeddings", has_classes=False),
    "unspecified": OutputKind(values="something else", noun="unspecified predictions"),
}
"""What each word for predictions means. Nothing else in lossreg lists these words."""

_TARGET = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


def is_target(value: object) -> bool:
    """Return whether a value is a string such as `"package.module:attribute"`."""
    return isinstance(value, str) and bool(_TARGET.fullmatch(value))


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """A loss of a plugin: plain data that name a function.

    Args:
        name: The canonical name: lower snake case, without "loss".
        target: The place of the loss, `"package.module:attribute"`: a loss function, a factory
            or a `keras.losses.Loss` subclass. It is imported at first use.
        summary: One line for listings: when to use the loss.
        task: What the loss is for.
        y_true: The kind of its labels. The conformance kit draws such labels.
        y_pred: The kind of its predictions, with its default parameters.
        aliases: Other canonical names. A lookup finds their other spellings.
        couples_batch: Whether the value of a sample depends on the other samples, so that
            weights and masks have no meaning.

    Raises:
        SpecError: A field breaks its rule.
    """

    name: str
    target: str
    summary: str
    task: tuple[Task, ...]
    y_true: Labels
    y_pred: Outputs
    aliases: tuple[str, ...] = ()
    couples_batch: bool = False

    def __post_init__(self) -> None:
        for field in ("name", "target", "summary"):
            if not isinstance(getattr(self, field), str):
                raise self._fault(field, "must be a string")
        if not is_canonical(self.name):
            raise self._fault("name", "must be lower snake case without 'loss', such as 'log_cosh'")
        if not is_target(self.target):
            raise self._fault("target", "must read 'package.module:attribute'")
        if not self.summary.strip() or "\n" in self.summary:
            raise self._fault("summary", "must be one line")
        if printable(self.summary) != self.summary:
            raise self._fault("summary", "must have no control characters or invisible characters")
        for field in ("task", "aliases"):
            # A single string is a common mistake; it would be read letter by letter.
            if not isinstance(getattr(self, field), tuple):
                raise self._fault(field, "must be a tuple of strings, such as ('binary',)")
        for field, rule, choices, values in (
            ("task", "must be one or more of", get_args(Task), self.task),
            ("y_true", "must be one of", tuple(LABELS), (self.y_true,)),
            ("y_pred", "must be one of", tuple(OUTPUTS), (self.y_pred,)),
        ):
            if not values or any(value not in choices for value in values):
                raise self._fault(field, f"{rule} {', '.join(map(repr, choices))}")
        if not isinstance(self.couples_batch, bool):
            raise self._fault("couples_batch", "must be True or False")
        if not all(isinstance(alias, str) and is_canonical(alias) for alias in self.aliases):
            raise self._fault("aliases", "must be lower snake case without 'loss', like the name")
        if len({key(name) for name in self.names}) < len(self.names):
            raise self._fault("aliases", "must differ from each other and from the name")

    @property
    def names(self) -> tuple[str, ...]:
        """The name and all aliases."""
        return (self.name, *self.aliases)

    @property
    def labels(self) -> LabelKind:
        """What the word for its labels means."""
        return LABELS[self.y_true]

    def outputs(self, params: Mapping[str, Any]) -> Outputs:
        """Return the kind of the predictions with these parameters; `from_logits` decides it."""
        if "from_logits" not in params:
            return self.y_pred
        return "logits" if params["from_logits"] else "probabilities"

    def class_axis(self, params: Mapping[str, Any]) -> int:
        """Return the axis of the classes: the parameter `axis`, or the last one."""
        axis = params.get("axis", -1)
        return axis if isinstance(axis, int) else -1

    @property
    def numbers_outputs(self) -> bool:
        """Whether labels are indexes of outputs, and not numbers of groups."""
        return self.labels.is_number and OUTPUTS[self.y_pred].has_classes

    def _fault(self, field: str, rule: str) -> SpecError:
        return SpecError(f"LossSpec {self.name!r}: {field} {rule}, got {getattr(self, field)!r}.")


PROJECT = "lossreg"
"""The name of pluggy's project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


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
