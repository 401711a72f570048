"""Layers whose outputs the losses of cumulative logits take; importing it imports Keras."""

import keras
from keras import ops

from lossreg import ParameterError


class _Steps(keras.layers.Layer):
    """One score for each input, and K - 1 numbers that turn it into K - 1 logits.

    Args:
        classes: The number of ordered classes K.
        kernel_initializer: How the weights of the score begin.
        kernel_regularizer: What is added to the loss for the weights of the score.
        **options: What every Keras layer takes.
    """

    def __init__(
        self,
        classes: int,
        *,
        kernel_initializer="glorot_uniform",
        kernel_regularizer=None,
        **options,
    ):
        super().__init__(**options)
        if not isinstance(classes, int) or classes < 2:
            raise ParameterError(
                f"{type(self).__name__}: 'classes' must be an integer >= 2, got {classes!r}."
            )
        self.classes = classes
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        self.kernel = self.add_weight(
            shape=(input_shape[-1], 1),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            name="kernel",
        )

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.classes - 1)

    def get_config(self):
        return {
            **super().get_config(),
            "classes": self.classes,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


@keras.saving.register_keras_serializable(package="lossreg-ordinal")
class Coral(_Steps):
    """Cumulative logits with one weight vector and a bias for each step: `w . x + b_k`.

    The last layer for the loss `coral`. Nothing keeps the biases in falling order, but at the
    minimum of the loss they are.

    Args:
        classes: The number of ordered classes K; there are K - 1 outputs.
        kernel_initializer: How the weight vector begins.
        kernel_regularizer: What is added to the loss for the weight vector.
        **options: What every Keras layer takes.

    Source:
        Cao et al., 2020, arXiv:1901.07884, section 3.2 and theorem 1.
    """

    def build(self, input_shape):
        """Make the weights."""
        super().build(input_shape)
        self.bias = self.add_weight(shape=(self.classes - 1,), initializer="zeros", name="bias")

    def call(self, inputs):
        """Return the logits."""
        return ops.matmul(inputs, self.kernel) + self.bias


@keras.saving.register_keras_serializable(package="lossreg-ordinal")
class Thresholds(_Steps):
    """Cumulative logits with thresholds that stay in order: `w . x - theta_k`.

    The last layer for the loss `cumulative_link`. The first threshold is learned as it is, and of
    each further one the logarithm of its distance from the one before, so that thresholds rise
    and logits fall.

    Args:
        classes: The number of ordered classes K; there are K - 1 outputs.
        kernel_initializer: How the weight vector begins.
        kernel_regularizer: What is added to the loss for the weight vector.
        **options: What every Keras layer takes.

    Source:
        McCullagh, 1980, Regression models for ordinal data, section 2.
    """

    def build(self, input_shape):
        """Make the weights."""
        super().build(input_shape)
        # Distances of 1, around 0.
        self.first = self.add_weight(
            shape=(1,),
            initializer=keras.initializers.Constant(-(self.classes - 2) / 2),
            name="first",
        )
        self.log_distances = self.add_weight(
            shape=(self.classes - 2,), initializer="zeros", name="log_distances"
        )

    @property
    def thresholds(self):
        """The K - 1 thresholds, in rising order."""
        distances = ops.exp(ops.convert_to_tensor(self.log_distances))
        return ops.concatenate([self.first, self.first + ops.cumsum(distances)])

    def call(self, inputs):
        """Return the logits."""
        return ops.matmul(inputs, self.kernel) - self.thresholds
