"""Findings about data: labels and predictions that don't fit the loss."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ... import discovery
from ...api import bind
from ...binding import CACHED
from ...entry import BoundLoss, BoundSum
from ...errors import ConfigError, ShapeError
from ...lazy import keras
from ...loss_config import LossConfig
from ...names import shown
from . import mistakes
from .predictions import Activation

# What tells a config of one loss from a mapping of outputs to losses.
_KEYS_OF_A_CONFIG = {"name", "params", "options", "sum", "outputs", "class_name", "config"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong with data for a loss.

    Args:
        message: What is wrong, what is allowed and what to do next.
        fits: The loss that takes these data as they are, as `get_loss` reads it, or None where
            the data or the model must change.
        loss: The loss, or the term of a sum, that it is about.
        output: The output of the model, where there are several.
    """

    message: str
    fits: str | None = None
    loss: str
    output: str | None = None

    def __str__(self) -> str:
        return self.message if self.output is None else f"Output {self.output!r}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a loss gets of one output of a model.

    Args:
        y_true: The labels.
        y_pred: The predictions.
        sample_weight: One for each sample or entry; where it is 0, labels may hold anything.
        activation: That of the last layer, if it is known.
        name: The output, where there are several.
    """

    y_true: Any
    y_pred: Any
    sample_weight: Any = None
    activation: Activation = None
    name: str | None = None


def check_data(loss: Any, y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> list[Finding]:
    """Return what is wrong with labels and predictions for a loss; nothing if they fit.

    Give it some samples of your data and the model's predictions for them, before you train. It
    sees wrong forms of labels (class numbers for a one-hot loss), labels and classes out of
    range, logits where probabilities are meant and the reverse, text, NaN, and shapes that
    would broadcast. Weights don't help against NaN: 0 times NaN is NaN.

    >>> for finding in check_data("bce", [-1, 1, 1], [0.2, 0.7, 0.4]):
    ...     print(finding.fits)
    hinge

    Args:
        loss: As `get_loss` takes it, a loss that it built, or one of Keras' own. For a model with
            several outputs a mapping of each output to its loss, and the data are mappings too.
        y_true: Labels: an array, a tensor, a list, or a series of pandas.
        y_pred: What the model makes of the same samples.
        sample_weight: Weights, as `fit` takes them. Where they are 0, labels may be out of range.

    Raises:
        LossregError: It is no loss, as `get_loss` raises it. Bad data raise nothing.
    """
    losses = _of_outputs(loss)
    if losses is None:
        output = Output(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
        return of_output(loss, terms_of(loss), output)
    findings = []
    for name, each in losses.items():
        if each is None:
            continue
        terms = terms_of(each)
        parts: dict[str, Any] = {}
        for what, values in (("y_true", y_true), ("y_pred", y_pred)):
            if isinstance(values, Mapping) and name in values:
                parts[what] = values[name]
            else:
                message = _no_entry(what, values, name)
                findings.append(Finding(message=message, loss=_name_of(each, terms), output=name))
        if len(parts) == 2:
            weights = isinstance(sample_weight, Mapping)
            weight = sample_weight.get(name) if weights else sample_weight
            findings += of_output(each, terms, Output(**parts, sample_weight=weight, name=name))
    return findings


def of_output(loss: Any, terms: list[BoundLoss], output: Output) -> list[Finding]:
    """Return what is wrong with one output of a model.

    Args:
        loss: The loss, to name it.
        terms: What it adds up; empty for a loss that nothing is known of.
        output: Its data.
    """
    for values in (output.y_true, output.y_pred):
        if hasattr(values, "row_splits") or hasattr(values, "dense_shape"):
            # TensorFlow's ragged and sparse tensors are no arrays.
            return []
    whole = _name_of(loss, terms)
    found = []
    arrays: dict[str, Any] = {}
    for what, values in (("y_true", output.y_true), ("y_pred", output.y_pred)):
        try:
            arrays[what] = mistakes.as_array(whole, what, values)
        except ShapeError as error:
            found.append(_finding(error, whole, output))
    if len(arrays) == 2:
        known = any(term.spec.y_true != "unspecified" for term in terms)
        faults = mistakes.of_arrays(whole, **arrays, known=known)
        found += [_finding(fault, whole, output) for fault in faults]
    if "y_pred" not in arrays:
        return found
    batch = mistakes.Batch(
        y_true=arrays.get("y_true"),
        y_pred=arrays["y_pred"],
        counted=_counted(output),
        activation=output.activation,
    )
    for term in terms:
        name = term.label
        found += [_finding(fault, name, output) for fault in mistakes.of_term(term, batch)]
    return found


def _finding(fault: ShapeError, loss: str, output: Output) -> Finding:
    return Finding(message=str(fault), fits=fault.fits, loss=loss, output=output.name)


def terms_of(loss: Any) -> list[BoundLoss]:
    """Return the bound losses that a loss adds up; none for a class of the user's own.

    Raises:
        LossregError: It is no loss.
    """
    # What get_loss built, or a function that get_loss_fn made.
    bound = getattr(loss, "bound", getattr(loss, "bound_loss", loss))
    if not isinstance(bound, BoundLoss | BoundSum):
        if "keras" in sys.modules and isinstance(loss, keras.losses.Loss):
            return list(_of_keras(loss))
        bound = bind(loss)
    if isinstance(bound, dict):
        raise ConfigError(f"One output has one loss, got one for each of {', '.join(bound)}.")
    return [term.loss for term in bound.terms] if isinstance(bound, BoundSum) else [bound]


def _of_keras(loss: Any) -> Iterator[BoundLoss]:
    """Yield what one of Keras' own losses is in the registry."""
    kind = type(loss).__name__
    if getattr(keras.losses, kind, None) is not type(loss) or type(loss) is keras.losses.Loss:
        return
    entry = discovery.installed().lookup(f"keras/{kind}")
    # Keras 3.15.1 has axis of SparseCategoricalCrossentropy, and delta of Huber, nowhere else.
    values = {**getattr(loss, "_fn_kwargs", {}), **vars(loss)}
    names = [parameter.name for parameter in entry.signature.parameters]
    # Keras takes a tensor for some, which means nothing to a check of data.
    simple = {*CACHED, tuple, list}
    yield entry.bind({name: values[name] for name in names if type(values.get(name)) in simple})


def _of_outputs(loss: Any) -> Mapping[str, Any] | None:
    """Return the loss of each output, or None where there is one loss."""
    if isinstance(loss, LossConfig):
        loss = loss.bound
    if not isinstance(loss, Mapping):
        return None
    if not _KEYS_OF_A_CONFIG.isdisjoint(loss):
        loss = bind(loss)
    return loss if isinstance(loss, Mapping) else None


def _no_entry(what: str, values: Any, name: str) -> str:
    if isinstance(values, Mapping):
        there = ", ".join(map(repr, values)) or "nothing"
        return f"{what} has no entry {name!r}; it has {there}. Name each output as its loss is."
    return (
        f"{what} must map each output to its data, as the losses do, got {type(values).__name__}. "
        f"Give {{{name!r}: ...}}."
    )


def _name_of(loss: Any, terms: list[BoundLoss]) -> str:
    if terms:
        return " + ".join(term.label for term in terms)
    return getattr(loss, "name", None) or getattr(loss, "__name__", None) or shown(loss)


def _counted(output: Output) -> Any:
    """Return which entries have a weight and no mask, or None for all."""
    # Where a layer with a mask leaves it, and the losses of Keras look.
    mask = getattr(output.y_pred, "_keras_mask", None)
    weights = output.sample_weight
    marks = [] if mask is None else [mistakes.numpy(mask).astype(bool)]
    marks += [] if weights is None else [mistakes.numpy(weights) != 0]
    # (N, 1) says as much as (N,), and each of (N,) counts for all steps of (N, T).
    marks = [mark[..., 0] if mark.ndim > 1 and mark.shape[-1] == 1 else mark for mark in marks]
    marks.sort(key=lambda mark: mark.ndim, reverse=True)
    if len(marks) == 2:
        wide, narrow = marks
        if wide.shape[: narrow.ndim] != narrow.shape:
            return wide
        return wide & narrow.reshape(narrow.shape + (1,) * (wide.ndim - narrow.ndim))
    return marks[0] if marks else None
