"""`DataCheck`: the first batch of a training, checked before it changes a weight.

Keras tells callbacks nothing of the data. So for one call the callback stands where
`fit` calls the model's `train_function` (Keras 3.12 to 3.15, on every backend), looks at
the first batch, and hands it on unchanged.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras

from ...entry import BoundLoss
from ...errors import DataError, LossregError
from .compiled import compiled_outputs
from .findings import Finding, of_output, terms_of
from .first_batch import first_batch


class DataCheck(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Stops `fit` before its first step if the data don't fit the compiled loss.

    It runs `check_data` on the first batch, with the predictions that the first step will see,
    and leaves no trace: the weights, the random numbers and the history are those of a training
    without it. It costs one forward pass for each `fit`, which isn't compiled. The losses are
    those of `compile`; of a loss of your own it says nothing but that predictions are NaN.

    >>> model.fit(x, y, callbacks=[lossreg.DataCheck()])  # doctest: +SKIP

    Raises:
        DataError: The data don't fit; it has all `findings`.
    """

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Stand in for the step that comes first."""
        del logs
        step = self.model.train_function
        if isinstance(step, _FirstStep):
            # From a fit that ended before its first step.
            step = step.step
        self.model.train_function = _FirstStep(self.model, step)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Leave the model as it was, if there was no step."""
        del logs
        if isinstance(self.model.train_function, _FirstStep):
            self.model.train_function = self.model.train_function.step


class _FirstStep:
    """A model's `train_function` for one call: it checks the batch that it passes on."""

    def __init__(self, model: Any, step: Callable[..., Any]) -> None:
        self.model = model
        self.step = step

    def __call__(self, *arguments: Any) -> Any:
        self.model.train_function = self.step
        # JAX' state comes before the batches.
        *state, batches = arguments
        values = list(_variables(self.model, *state))
        batch, batches = first_batch(self.model, batches)
        try:
            findings = _findings(self.model, batch, values)
            if findings:
                raise _error(findings)
        except BaseException:
            # Keras takes the values out of the variables before a step on JAX.
            for variable, value in values:
                variable.assign(value)
            raise
        return self.step(*state, batches)


def _variables(model: Any, state: Any = ()) -> Iterator[tuple[Any, Any]]:
    """Yield each variable with its value, where a step gets the values by themselves."""
    optimizer = model.optimizer.variables if model.optimizer else []
    groups = (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer,
        model.metrics_variables,
    )
    for variables, values in zip(groups, state, strict=False):
        yield from zip(variables, values, strict=True)


def _findings(model: Any, batch: Any, values: list[tuple[Any, Any]]) -> list[Finding]:
    x, y_true, sample_weight = keras.utils.unpack_x_y_sample_weight(batch)
    if model.loss is None or y_true is None:
        return []
    # Nothing that happens in it stays: no new moving mean, no step of a random seed.
    with keras.StatelessScope(values):
        y_pred = model(x, training=True)
    found = []
    for loss, output in compiled_outputs(model, y_true, y_pred, sample_weight):
        found += of_output(loss, _terms(loss), output)
    return found


def _terms(loss: Any) -> list[BoundLoss]:
    """Return what is known of a loss that Keras has taken already."""
    try:
        return terms_of(keras.losses.get(loss) if isinstance(loss, str | Mapping) else loss)
    except (LossregError, ValueError):
        # "crossentropy" is one that Keras itself chooses by the data.
        return []


def _error(findings: list[Finding]) -> DataError:
    if len(findings) == 1:
        said = f"The first batch doesn't fit the loss. {findings[0]}"
    else:
        lines = "\n".join(f"- {finding}" for finding in findings)
        said = f"The first batch doesn't fit the loss, for {len(findings)} reasons:\n{lines}"
    return DataError(said, findings)
