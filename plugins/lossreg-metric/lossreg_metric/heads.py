"""The layer with the weights that losses of classes need; importing it imports Keras."""

from typing import Any, Literal

import keras
from keras import ops

from lossreg import ParameterError
from lossreg.numerics import at_least_float32, root

from .pairs import itself, unit

_MEASURES = ("cosine", "euclidean", "squared_euclidean")
_POOLINGS = ("max", "softmax")


@keras.saving.register_keras_serializable(package="lossreg-metric")
class Prototypes(keras.layers.Layer):
    """How near each sample is to each class: learned vectors, one class or several a class.

        model = keras.Sequential([backbone, Prototypes(100)])
        model.compile("adam", loss=lossreg.get_loss("arcface", margin=0.5))

    Embeddings go in, shape `(..., dims)`, and cosines or distances come out, shape
    `(..., classes)`, in float32 or wider. For cosines both sides are scaled to length 1. What
    precedes the layer is the model of the embeddings.

    Args:
        classes: How many classes there are.
        centers: How many vectors a class has.
        pooling: What several vectors of a class give: `"max"`, the nearest, as in sub-centre
            ArcFace; or `"softmax"`, the mean weighted by a softmax, as in SoftTriple.
        gamma: What is divided by before that softmax; with a small one the nearest counts
            alone.
        spread: Weight of the mean distance between the vectors of a class, which is added
            to the model's loss: SoftTriple's penalty, 0.2 in the paper.
        measure: `"cosine"`, `"euclidean"` or `"squared_euclidean"`. Of distances the smallest
            is the nearest.
        initializer: How the vectors start.
        regularizer: A Keras regularizer of the vectors.
        **kwargs: `name`, `dtype` and what else a Keras layer takes.

    Raises:
        ParameterError: An argument is outside its range.

    Source:
        Deng et al., 2020, "Sub-center ArcFace"; Qian et al., 2019, arXiv:1909.05235.
    """

    def __init__(
        self,
        classes: int,
        *,
        centers: int = 1,
        pooling: Literal["max", "softmax"] = "max",
        gamma: float = 0.1,
        spread: float = 0.0,
        measure: Literal["cosine", "euclidean", "squared_euclidean"] = "cosine",
        initializer: Any = "he_normal",
        regularizer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, value in (("classes", classes), ("centers", centers)):
            if not isinstance(value, int) or value < 1:
                raise ParameterError(
                    f"Prototypes: {name!r} must be an integer >= 1, got {value!r}."
                )
        for name, value, choices in (
            ("pooling", pooling, _POOLINGS),
            ("measure", measure, _MEASURES),
        ):
            if value not in choices:
                allowed = ", ".join(map(repr, choices))
                raise ParameterError(
                    f"Prototypes: {name!r} must be one of {allowed}, got {value!r}."
                )
        if not gamma > 0:
            raise ParameterError(f"Prototypes: 'gamma' must be > 0, got {gamma!r}.")
        if not spread >= 0:
            raise ParameterError(f"Prototypes: 'spread' must be >= 0, got {spread!r}.")
        self.classes = classes
        self.centers = centers
        self.pooling = pooling
        self.gamma = gamma
        self.spread = spread
        self.measure = measure
        self.initializer = keras.initializers.get(initializer)
        self.regularizer = keras.regularizers.get(regularizer)

    def build(self, input_shape: Any) -> None:
        """Make the vectors."""
        # Two axes, as the initializers count inputs and outputs.
        self.vectors = self.add_weight(
            name="vectors",
            shape=(input_shape[-1], self.classes * self.centers),
            initializer=self.initializer,
            regularizer=self.regularizer,
        )

    def call(self, inputs: Any) -> Any:
        """Return how near each sample is to each class."""
        x = at_least_float32(inputs)
        w = ops.transpose(ops.cast(self.vectors, x.dtype))
        if self.spread and self.centers > 1:
            self.add_loss(self.spread * self._mean_distance(unit(w)))
        if self.measure == "cosine":
            near = ops.matmul(unit(x), ops.transpose(unit(w)))
            return self._pool(near)
        apart = ops.square(ops.expand_dims(x, -2) - w)
        squared = self._pool(-ops.sum(apart, axis=-1))
        return root(-squared) if self.measure == "euclidean" else -squared

    def _pool(self, near: Any) -> Any:
        if self.centers == 1:
            return near
        near = ops.reshape(near, (*ops.shape(near)[:-1], self.classes, self.centers))
        if self.pooling == "max":
            return ops.max(near, axis=-1)
        return ops.sum(ops.softmax(near / self.gamma, axis=-1) * near, axis=-1)

    def _mean_distance(self, w: Any) -> Any:
        w = ops.reshape(w, (self.classes, self.centers, -1))
        cosines = ops.matmul(w, ops.swapaxes(w, 1, 2))
        # Rounding makes the distance of equal vectors a little more than 0, and steep.
        squared = 2 - 2 * ops.where(itself(cosines[0]) | (cosines > 1 - 1e-6), 1.0, cosines)
        pairs = self.classes * self.centers * (self.centers - 1)
        return ops.sum(root(squared)) / pairs

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """Return the shape of the input, with classes in place of dimensions."""
        return (*input_shape[:-1], self.classes)

    def get_config(self) -> dict[str, Any]:
        """Return all arguments, for saving."""
        return {
            **super().get_config(),
            "classes": self.classes,
            "centers": self.centers,
            "pooling": self.pooling,
            "gamma": self.gamma,
            "spread": self.spread,
            "measure": self.measure,
            "initializer": keras.initializers.serialize(self.initializer),
            "regularizer": keras.regularizers.serialize(self.regularizer),
        }
