"""What a plugin says about one loss."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from .errors import SpecError
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
    "real",  # any finite number
    "positive",  # numbers above zero
    "count",  # 0, 1, 2, ...
    "binary",  # 0 or 1, or soft between them
    "sign",  # -1 or 1
    "one_hot",  # one-hot or soft rows that sum to one
    "integer",  # class indices, without the class axis
    "sequence",  # class indices over time, padded
    "unspecified",
]
Outputs = Literal[
    "real",
    "positive",
    "probabilities",
    "logits",
    "embeddings",
    "unspecified",
]

_TASKS, _LABELS, _OUTPUTS = map(get_args, (Task, Labels, Outputs))
_TARGET = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """One loss of a plugin: plain data that point at a function.

    Args:
        name: Canonical name: lower snake case, without "loss".
        target: Where the loss is, `"package.module:attribute"`: a loss function,
            or a factory or `keras.losses.Loss` subclass. It is imported at first use.
        summary: One line for listings: when to use it.
        task: What it is for.
        y_true: What its labels are; also what the conformance kit draws.
        y_pred: What its predictions are, at its default parameters.
        aliases: Other names, spelled canonically; folding finds the variants.
        couples_batch: Whether a sample's value depends on the other samples, so
            that weights and masks have no meaning.

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
                raise self._fault(field, "must be a text")
        if not is_canonical(self.name):
            raise self._fault("name", "must be lower snake case without 'loss', such as 'log_cosh'")
        if not _TARGET.fullmatch(self.target):
            raise self._fault("target", "must read 'package.module:attribute'")
        if not self.summary.strip() or "\n" in self.summary:
            raise self._fault("summary", "must be one line")
        for field in ("task", "aliases"):
            # A bare string is the common slip: it would be read letter by letter.
            if not isinstance(getattr(self, field), tuple):
                raise self._fault(field, "must be a tuple of texts, such as ('binary',)")
        if not self.task:
            raise self._fault("task", f"must hold at least one of {_choices(_TASKS)}")
        for field, choices, values in (
            ("task", _TASKS, self.task),
            ("y_true", _LABELS, (self.y_true,)),
            ("y_pred", _OUTPUTS, (self.y_pred,)),
        ):
            if not all(value in choices for value in values):
                raise self._fault(field, f"must be one of {_choices(choices)}")
        if not all(isinstance(alias, str) and is_canonical(alias) for alias in self.aliases):
            raise self._fault("aliases", "must be lower snake case without 'loss', as names are")
        if len({key(name) for name in self.names}) < len(self.names):
            raise self._fault("aliases", "must differ from each other and from the name")

    @property
    def names(self) -> tuple[str, ...]:
        """The name and the aliases."""
        return (self.name, *self.aliases)

    def _fault(self, field: str, rule: str) -> SpecError:
        return SpecError(f"LossSpec {self.name!r}: {field} {rule}, got {getattr(self, field)!r}.")


def _choices(choices: tuple[str, ...]) -> str:
    return ", ".join(map(repr, choices))
