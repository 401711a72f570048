"""Labels and predictions in the forms that metrics need: amounts, probabilities, decisions."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from lossreg.loss import LABELS, BoundLoss, form_of

if TYPE_CHECKING:
    Array = np.ndarray[Any, Any]


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What labels and predictions stand for.

    Args:
        classes: How labels name classes, as `LabelKind.classes` says.
        y_pred: The kind of the predictions, as the losses take them.
    """

    classes: Literal["each", "row", "number"] | None
    y_pred: str

    @classmethod
    def of(cls, loss: BoundLoss, y_true: "Array", y_pred: "Array") -> "Scale":
        """Return the scale of labels and predictions for a loss."""
        form = form_of(loss, y_true, y_pred)
        return cls(classes=LABELS[form].classes, y_pred=loss.y_pred)


class Answers:
    """Labels with the predictions of a model, in the forms that metrics need.

    Args:
        y_true: Labels, shape `(rows, ...)`.
        y_pred: Predictions, shape `(rows, ...)`.
        scale: What they stand for.
    """

    def __init__(self, y_true: "Array", y_pred: "Array", scale: Scale) -> None:
        self.y_true, self.y_pred, self.scale = y_true, y_pred, scale

    @property
    def amounts(self) -> "tuple[Array, Array]":
        """Labels and predictions as numbers of the same shape.

        Raises:
            ValueError: They have different shapes.
        """
        y_true, y_pred = self.y_true.astype(float), self.y_pred.astype(float)
        if y_true.size != y_pred.size:
            raise ValueError(
                f"it needs a prediction for each label, and the labels are of shape "
                f"{list(y_true.shape[1:])} and the predictions of shape {list(y_pred.shape[1:])}"
            )
        return y_true.reshape(y_pred.shape), y_pred

    @property
    def probabilities(self) -> "Array":
        """The probability of each class; of a yes where labels are yes or no."""
        y_pred = self.y_pred.astype(float)
        if self.scale.y_pred == "probabilities":
            return y_pred
        if self.scale.classes == "each":
            # 1 / (1 + exp(-x)) without an overflow.
            return np.asarray(0.5 * (1 + np.tanh(0.5 * y_pred)))
        exponents = np.exp(y_pred - y_pred.max(axis=-1, keepdims=True))
        return np.asarray(exponents / exponents.sum(axis=-1, keepdims=True))

    @property
    def columns(self) -> "tuple[Array, Array]":
        """Whether each class is true, and its score: shape `(samples and places, classes)`.

        Two classes of which one is true are one column, that of the second.
        """
        classes = self._classes(self.y_pred.shape)
        truth = self.truth.reshape(-1, classes)
        # Scores, and not probabilities: these are rounded to 0 or 1 where the model is sure.
        scores = self.y_pred.astype(float).reshape(-1, classes)
        if self.scale.classes != "each":
            if self.scale.y_pred != "probabilities":
                scores = scores - _log_sum_exp(scores)
            if classes == 2:
                return truth[:, 1:], scores[:, 1:] - scores[:, :1]
        return truth, scores

    @property
    def decisions(self) -> "tuple[Array, Array]":
        """Whether each class is true, and whether it is predicted; shapes as in `columns`."""
        classes = self._classes(self.y_pred.shape)
        truth, scores = self.truth.reshape(-1, classes), self.y_pred.reshape(-1, classes)
        if self.scale.classes == "each":
            return truth, scores > (0.5 if self.scale.y_pred == "probabilities" else 0)
        predicted = np.arange(classes) == scores.argmax(axis=1)[:, None]
        return (truth[:, 1:], predicted[:, 1:]) if classes == 2 else (truth, predicted)

    @property
    def places(self) -> int:
        """How many labels a sample has: pixels or steps."""
        shape = self.y_pred.shape
        return int(np.prod(shape[1:-1]))

    @property
    def truth(self) -> "Array":
        """Whether each class is true, in the shape of the predictions."""
        if self.scale.classes == "number":
            labels = self.y_true.astype(int).reshape(self.y_pred.shape[:-1])
            return np.asarray(np.arange(self.y_pred.shape[-1]) == labels[..., None])
        labels = self.y_true.reshape(self.y_pred.shape)
        if self.scale.classes == "row":
            return np.asarray(np.arange(labels.shape[-1]) == labels.argmax(axis=-1)[..., None])
        # A no is 0, or -1 beside losses of margins.
        return np.asarray(labels > (0 if (labels < 0).any() else 0.5))

    def _classes(self, shape: tuple[int, ...]) -> int:
        if self.scale.classes is None:
            raise ValueError("it needs labels that are classes, and these are numbers")
        return shape[-1]


def _log_sum_exp(scores: "Array") -> "Array":
    highest = scores.max(axis=1, keepdims=True)
    return np.asarray(highest + np.log(np.exp(scores - highest).sum(axis=1, keepdims=True)))
