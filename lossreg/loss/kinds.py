"""What each word for labels and predictions means: values, shapes, and what belongs together.

No other module lists these words, and nothing is checked here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Task = Literal[
    "regression",
    "binary",
    "multilabel",
    "multiclass",
    "segmentation",
    "metric_learning",
    "self_supervised",
    "sequence",
    "ranking",
    "detection",
    "ordinal",
    "survival",
    "restoration",
    "distillation",
    "unspecified",
]
Labels = Literal[
    "real",
    "positive",
    "count",
    "binary",
    "sign",
    "one_hot",
    "integer",
    "ordered",
    "sequence",
    "boxes",
    "relevance",
    "distance_map",
    "time_event",
    "none",
    "free",
    "unknown",
    "unspecified",
]
Outputs = Literal[
    "real",
    "positive",
    "probabilities",
    "logits",
    "cumulative_logits",
    "embeddings",
    "views",
    "distances",
    "similarities",
    "cosines",
    "scores",
    "boxes",
    "quantiles",
    "distribution",
    "unspecified",
]
Per = Literal["position", "sample", "entry", "batch"]
Fit = Literal["entry", "place", "series", "target", "sample", "event", "free"]
"""How the shape of labels follows from that of predictions.

An `entry` is one number of the predictions, a `place` is the predictions' shape without the axis
of the classes, a `series` has a length of its own, a `target` is what several numbers of the last
axis predict, a `sample` is one entry of the batch, an `event` is a time and whether it was seen.
"""


@dataclass(frozen=True, kw_only=True)
class LabelKind:
    """What a word for labels means.

    Args:
        values: The values that labels have, in words.
        per: How their shape follows from that of the predictions; None if nothing is known
            about the labels.
        classes: How labels name classes: each entry is yes or no (`each`), a row has a share
            for each class (`row`), or a label is the number of a class (`number`); None if
            labels don't name classes.
        low: The smallest value, if there is one.
        high: The largest value, if there is one.
        pad: The value that stands for no label, if there is one.
        outputs: The kinds of predictions that such labels belong to; None for any that doesn't
            name its labels.
        is_compared: Whether the values are examined.
    """

    values: str
    per: Fit | None
    classes: Literal["each", "row", "number"] | None = None
    low: float | None = None
    high: float | None = None
    pad: float | None = None
    outputs: tuple[Outputs, ...] | None = None
    is_compared: bool = True

    @property
    def is_known(self) -> bool:
        """Whether anything is known about the labels."""
        return self.per is not None

    @property
    def is_amount(self) -> bool:
        """Whether labels are numbers that don't name classes, one for each prediction."""
        return self.per == "entry" and self.classes is None and self.is_compared

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
    "ordered": LabelKind(
        values="class numbers whose order counts, without the class axis",
        per="place",
        classes="number",
    ),
    "sequence": LabelKind(
        values="class numbers over time, padded with 0", per="series", classes="number"
    ),
    "boxes": LabelKind(values="boxes of four numbers each", per="entry", outputs=("boxes",)),
    "relevance": LabelKind(
        values="how relevant each item of a list is, from 0 up, padded with -1",
        per="entry",
        low=0,
        pad=-1,
        outputs=("scores",),
    ),
    "distance_map": LabelKind(
        values="the signed distance of each pixel to the border, negative inside", per="entry"
    ),
    "time_event": LabelKind(
        values="a time of at least 0, and 1 if the event was seen or 0 if not",
        per="event",
        low=0,
    ),
    "none": LabelKind(values="ignored; one entry for each sample", per="sample", is_compared=False),
    "free": LabelKind(values="any finite numbers, in a shape of their own", per="free"),
    "unknown": LabelKind(values="not known", per="entry", is_compared=False),
    "unspecified": LabelKind(values="something else", per=None, is_compared=False),
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
        lacking: How many outputs there are less than classes.
        labels: The kinds of labels that such predictions belong to; None for any.
        per: How the shape of the labels follows, where the labels alone don't decide it.
        low: The smallest value, if there is one.
        high: The largest value, if there is one.
        size: The length of the last axis, if it is fixed.
        axes: The number of axes, if it is fixed.
    """

    values: str
    noun: str
    is_class: bool = False
    has_classes: bool = True
    lacking: int = 0
    labels: tuple[Labels, ...] | None = None
    per: Fit | None = None
    low: float | None = None
    high: float | None = None
    size: int | None = None
    axes: int | None = None


_AMOUNTS: tuple[Labels, ...] = ("real", "positive", "count", "binary")

OUTPUTS: Mapping[Outputs, OutputKind] = {
    "real": OutputKind(values="any finite numbers", noun="real predictions"),
    "positive": OutputKind(values="numbers above 0", noun="positive predictions", low=0),
    "probabilities": OutputKind(
        values="between 0 and 1; they sum to 1 over exclusive classes",
        noun="probabilities",
        is_class=True,
        low=0,
        high=1,
    ),
    "logits": OutputKind(
        values="any finite numbers; a sigmoid or softmax would turn them into probabilities",
        noun="logits",
        is_class=True,
    ),
    "cumulative_logits": OutputKind(
        values="one logit less than there are classes; each says whether the class is higher",
        noun="cumulative logits",
        lacking=1,
        labels=("ordered",),
    ),
    "embeddings": OutputKind(
        values="vectors of length 1", noun="embeddings", has_classes=False, axes=2
    ),
    "views": OutputKind(
        values="the embeddings of two views of each sample, shape (batch, 2, dimensions)",
        noun="two views",
        has_classes=False,
        labels=("none", "integer"),
        per="sample",
        axes=3,
    ),
    "distances": OutputKind(
        values="distances, from 0 up", noun="distances", has_classes=False, low=0
    ),
    "similarities": OutputKind(
        values="the similarity of each pair, shape (batch, batch)",
        noun="similarities",
        has_classes=False,
        labels=("none", "integer"),
        per="sample",
        axes=2,
    ),
    "cosines": OutputKind(
        values="the cosine to each class, between -1 and 1",
        noun="cosines",
        low=-1,
        high=1,
        labels=("integer", "one_hot"),
    ),
    "scores": OutputKind(
        values="a score for each item of a list, shape (batch, items)",
        noun="scores",
        has_classes=False,
        labels=("relevance", "binary"),
        axes=2,
    ),
    "boxes": OutputKind(
        values="boxes of four numbers each",
        noun="boxes",
        has_classes=False,
        labels=("boxes",),
        size=4,
    ),
    "quantiles": OutputKind(
        values="a number for each quantile, on the last axis",
        noun="quantiles",
        has_classes=False,
        labels=("real", "positive", "count"),
        per="target",
    ),
    "distribution": OutputKind(
        values="the parameters of a distribution of each target, on the last axis",
        noun="parameters of distributions",
        has_classes=False,
        labels=_AMOUNTS,
        per="target",
    ),
    "unspecified": OutputKind(values="something else", noun="unspecified predictions"),
}
"""What each word for predictions means. Nothing else in lossreg lists these words."""

CONVERSIONS: frozenset[tuple[Labels, Labels]] = frozenset(
    {
        ("one_hot", "integer"),
        ("one_hot", "ordered"),
        ("one_hot", "binary"),
        ("integer", "one_hot"),
        ("sign", "binary"),
    }
)
"""The forms of labels that a loss takes, and another form that is turned into it.

Binary labels beside one-hot rows are those of one output.
"""
