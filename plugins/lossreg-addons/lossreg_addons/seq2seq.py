"""The loss of `tensorflow_addons.seq2seq`, by the same name; importing it imports Keras."""

import keras
from keras import ops

from lossreg import ParameterError
from lossreg.numerics import divide

from .functions import sequence_crossentropy


@keras.saving.register_keras_serializable(package="lossreg-addons")
class SequenceLoss(keras.losses.Loss):
    """Cross-entropy of sequences, with a weight for each step, reduced over steps or sequences.

    An average divides the weighted sum by the sum of the weights, and a `sum_over` divides it by
    the number of weights that aren't 0. What is reduced over neither way remains: without the four,
    there is a value for each step.

    Args:
        average_across_timesteps: Whether steps are averaged.
        average_across_batch: Whether sequences are averaged.
        sum_over_timesteps: Whether steps are summed.
        sum_over_batch: Whether sequences are summed.
        softmax_loss_function: A function of `labels` and `logits` that returns the loss of each
            step, in place of the cross-entropy.
        name: Keras' name of the object.

    Raises:
        ParameterError: The arguments contradict each other.

    Source:
        TensorFlow Addons 0.23, `tensorflow_addons/seq2seq/loss.py`.
    """

    def __init__(
        self,
        average_across_timesteps=False,
        average_across_batch=False,
        sum_over_timesteps=True,
        sum_over_batch=True,
        softmax_loss_function=None,
        name=None,
    ):
        super().__init__(reduction="none", name=name)
        averages = {"timesteps": average_across_timesteps, "batch": average_across_batch}
        sums = {"timesteps": sum_over_timesteps, "batch": sum_over_batch}
        if any(averages.values()) and any(sums.values()):
            raise ParameterError(
                "SequenceLoss: average_across_timesteps and average_across_batch can't be combined "
                "with sum_over_timesteps or sum_over_batch. Set those to False."
            )
        self.averages, self.sums = averages, sums
        self.softmax_loss_function = softmax_loss_function

    def __call__(self, y_true, y_pred, sample_weight=None):
        """Return the loss, reduced.

        Args:
            y_true: Class numbers, shape `(batch, steps)`.
            y_pred: Logits, shape `(batch, steps, classes)`.
            sample_weight: A weight for each step, `(batch, steps)`, or each sequence, `(batch,)`;
                None weighs all with 1. A mask of Keras has weights of 0.
        """
        mask = getattr(y_pred, "_keras_mask", None)
        values = self.call(y_true, y_pred)
        weights = ops.ones_like(values)
        if sample_weight is not None:
            given = ops.cast(sample_weight, values.dtype)
            weights = weights * (given if len(given.shape) == 2 else ops.reshape(given, (-1, 1)))
        if mask is not None:
            weights = weights * ops.cast(mask, values.dtype)
        reduced, divisors = self.averages, weights
        if any(self.sums.values()):
            reduced, divisors = self.sums, ops.cast(ops.not_equal(weights, 0), values.dtype)
        axes = [axis for axis, place in enumerate(("batch", "timesteps")) if reduced[place]]
        if not axes:
            return values * weights
        return divide(ops.sum(values * weights, axis=axes), ops.sum(divisors, axis=axes))

    def call(self, y_true, y_pred):
        """Return the loss of each step, without weights."""
        if self.softmax_loss_function is not None:
            return self.softmax_loss_function(labels=y_true, logits=y_pred)
        return sequence_crossentropy(y_true, y_pred)

    def get_config(self):
        """Return the arguments."""
        return {
            "average_across_timesteps": self.averages["timesteps"],
            "average_across_batch": self.averages["batch"],
            "sum_over_timesteps": self.sums["timesteps"],
            "sum_over_batch": self.sums["batch"],
            "softmax_loss_function": keras.saving.serialize_keras_object(
                self.softmax_loss_function
            ),
            "name": self.name,
        }
