"""Findings about data: labels and predictions that don't fit the loss."""

import contextlib
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..config import LossConfig, bind
from ..errors import ConfigError, LossregError, ShapeError
from ..lazy import keras
from ..loss import (
    SIMPLE,
    Bound,
    BoundLoss,
    BoundOutputs,
    flat_terms,
    main_field,
    shown,
    values_shape,
    weight_fault,
)
from ..registry import installed
from .arrays import find_array_mistakes, find_term_mistakes, to_numbers, to_numpy
from .predictions import Activation

# The keys that only the config of a loss has, and no mapping of outputs to losses.
_KEYS_OF_A_CONFIG = {"name", "params", "options", "sum", "outputs", "class_name", "config"}


# What only these have, what they are, and how each becomes an array.
_FORMS = {
    "row_splits": (
        "a ragged tensor",
        "Pad it by {}.to_tensor(), and give the padding a sample weight of 0",
    ),
    "dense_shape": ("a sparse tensor", "Make it dense: tf.sparse.to_dense({})"),
    "toarray": ("a sparse matrix", "Make it dense: {}.toarray()"),
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One mistake in data for a loss.

    >>> [finding] = check_data("bce", [-1, 1, 1], [0.2, 0.7, 0.4])
    >>> finding.fits
    'hinge'

    Args:
        message: What is wrong, what is allowed and what to do next.
        fits: The loss that takes these data as they are, in a form for `get_loss`; None if
            the data or the model must change.
        loss: The loss, or the term of a sum, with the mistake.
        output: The output of the model, if there are several.
    """

    message: str
    fits: str | None = None
    loss: str
    output: str | None = None

    def __str__(self) -> str:
        return self.message if self.output is None else f"Output {self.output!r}: {self.message}"


@dataclass(frozen=True, kw_only=True)
class Output:
    """The data of one output of a model.

    Args:
        y_true: The labels.
        y_pred: The predictions.
        sample_weight: A weight for each sample or entry; where it is 0, labels may have any value.
        activation: The activation of the last layer, if it is known.
        name: The output, if there are several.
    """

    y_true: Any
    y_pred: Any
    sample_weight: Any = None
    activation: Activation = None
    name: str | None = None


def check_data(loss: Any, y_true: Any, y_pred: Any, *, sample_weight: Any = None) -> list[Finding]:
    """Return the mistakes in labels and predictions for a loss; none if they fit.

    Give it some samples of your data and the model's predictions for them, before you train. It
    finds labels of another form (class numbers for a one-hot loss), labels and classes out of
    range, logits in place of probabilities and the reverse, strings, NaN, and shapes that
    would broadcast. Weights don't help against NaN: 0 times NaN is NaN. A list of losses is
    a mistake too: Keras trains one output on the first of them alone.

    >>> for finding in check_data("bce", [-1, 1, 1], [0.2, 0.7, 0.4]):
    ...     print(finding.fits)
    hinge

    Args:
        loss: As `get_loss` takes it, a loss that it built, or one of Keras' own. For a model with
            several outputs a mapping of each output to its loss, and the data are mappings too.
        y_true: Labels: an array, a tensor, a list, or a pandas series.
        y_pred: The model's predictions for the same samples.
        sample_weight: Weights, as `fit` takes them. Where they are 0, labels may be out of range.

    Raises:
        LossregError: The loss isn't a loss; `get_loss` raises the same. Bad data raise nothing.
    """
    if isinstance(loss, LossConfig) or (
        isinstance(loss, Mapping) and not _KEYS_OF_A_CONFIG.isdisjoint(loss)
    ):
        loss = bind(loss)
    if not isinstance(loss, Mapping):
        output = Output(y_true=y_true, y_pred=y_pred, sample_weight=sample_weight)
        if not _is_for_compile(loss):
            return check_output(loss, known_losses(loss), output)
        each_terms = [known_losses(each) for each in loss]
        terms = [term for terms in each_terms for term in terms]
        return [*check_single(loss, each_terms), *check_output(loss, terms, output)]
    findings = []
    for name, each in loss.items():
        if each is None:
            continue
        terms = known_losses(each)
        parts: dict[str, Any] = {}
        for what, values in (("y_true", y_true), ("y_pred", y_pred)):
            if isinstance(values, Mapping) and name in values:
                parts[what] = values[name]
            else:
                message = _missing_message(what, values, name)
                findings.append(Finding(message=message, loss=_label(each, terms), output=name))
        if len(parts) == 2:
            by_output = isinstance(sample_weight, Mapping)
            weight = sample_weight.get(name) if by_output else sample_weight
            findings += check_output(each, terms, Output(**parts, sample_weight=weight, name=name))
    return findings


def check_output(loss: Any, terms: list[BoundLoss], output: Output) -> list[Finding]:
    """Return the mistakes in the data of one output of a model.

    Args:
        loss: The loss, to name it.
        terms: The losses that it adds up, as `known_losses` returns them.
        output: The data.
    """
    if isinstance(output.y_true, Mapping):
        return _check_fields(loss, terms, output)
    given = {"y_true": output.y_true, "y_pred": output.y_pred}
    whole = _label(loss, terms)
    forms = [(name, form) for name, v in given.items() for form in _FORMS if hasattr(v, form)]
    known = any(term.spec.labels.is_known for term in terms)
    if forms:
        # They can't be converted to arrays, and a loss of somebody's own may take them.
        messages = [_form_message(whole, *each) for each in forms if known]
        return [Finding(message=each, loss=whole, output=output.name) for each in messages]
    mistakes: list[tuple[str, ShapeError]] = []
    arrays: dict[str, Any] = {}
    for what, values in given.items():
        try:
            arrays[what] = to_numbers(whole, what, values)
        except ShapeError as error:
            mistakes.append((whole, error))
    if len(arrays) == 2:
        mistakes += [(whole, fault) for fault in find_array_mistakes(whole, **arrays, known=known)]
    if "y_pred" in arrays:
        data = arrays.get("y_true"), arrays["y_pred"], _count_mask(output), output.activation
        for term in terms:
            mistakes += [(term.label, fault) for fault in find_term_mistakes(term, *data)]
    findings = [
        Finding(message=str(fault), fits=fault.fits, loss=label, output=output.name)
        for label, fault in mistakes
    ]
    if output.sample_weight is None or "y_pred" not in arrays:
        return findings
    weights = to_numpy(output.sample_weight).shape
    for term in terms:
        values = values_shape(term, arrays["y_pred"].shape)
        wrong = values and weight_fault(term.label, values, weights)
        if wrong:
            findings.append(Finding(message=str(wrong), loss=term.label, output=output.name))
    return findings


def _check_fields(loss: Any, terms: list[BoundLoss], output: Output) -> list[Finding]:
    """Return the mistakes in labels that are a mapping, each term with its own label tensor."""
    bound: Any = getattr(loss, "bound", loss)
    if not isinstance(bound, Bound):
        # One of Keras' own, which is a single term.
        bound = terms[0] if isinstance(loss, keras.losses.Loss) else bind(loss)
    main, findings = main_field(bound.terms, output.y_true), list[Finding]()
    for term in flat_terms(bound.terms):
        fields = term.loss.memory.fields
        wanted = list(fields) if fields else [term.label_field or main]
        missing = [name for name in wanted if name not in output.y_true]
        if missing:
            has = ", ".join(output.y_true)
            message = (
                f"Loss {term.label!r} takes the label {missing[0]!r}, and the labels are {has}. "
                "Add it."
                if missing[0]
                else f"The labels are {has}, and nothing says which of them {term.label!r} takes. "
                f"Give the term its label: {{'name': {term.loss.name!r}, 'field': ...}}."
            )
            findings.append(Finding(message=message, loss=term.label, output=output.name))
            continue
        data = replace(output, y_true=output.y_true[wanted[0]])
        findings += check_output(term.loss, [term.loss], data)
    return findings


def _form_message(loss: str, name: str, form: str) -> str:
    what, advice = _FORMS[form]
    return f"Loss {loss!r} takes arrays, and {name} is {what}. {advice.format(name)}."


def _is_for_compile(loss: Any) -> bool:
    """Return whether a loss is a list that `compile` takes, and not only `get_loss`."""
    return isinstance(loss, list | tuple) and not any(isinstance(each, Mapping) for each in loss)


def check_single(losses: Sequence[Any], terms: Sequence[list[BoundLoss]]) -> list[Finding]:
    """Return a finding if one output is compiled with several losses.

    Keras 3.15.1 trains the one output of a model on the first of a list, silently.

    Args:
        losses: The losses of the output.
        terms: What each adds up, as `known_losses` returns it.
    """
    if len(losses) < 2:
        return []
    names = [
        each if isinstance(each, str) else _label(each, known)
        for each, known in zip(losses, terms, strict=True)
    ]
    fits: str | None = None
    # A function or class that isn't registered has no name for get_loss.
    with contextlib.suppress(LossregError):
        bind(" + ".join(names))
        fits = " + ".join(names)
    advice = f"Give the sum: get_loss({fits!r})." if fits else "Give one function that adds them."
    message = (
        f"Loss {names[0]!r} is the first of {len(names)} for one output: compile(loss=[...]) "
        f"ignores {', '.join(map(repr, names[1:]))}. {advice}"
    )
    return [Finding(message=message, fits=fits, loss=names[0])]


def known_losses(loss: Any) -> list[BoundLoss]:
    """Return the registered losses that a loss adds up; none for a class of the user's own.

    Raises:
        LossregError: The loss isn't a loss.
    """
    # The result of get_loss or get_loss_fn has the bound loss in it.
    bound = getattr(loss, "bound", loss)
    if not isinstance(bound, Bound):
        if "keras" in sys.modules and isinstance(loss, keras.losses.Loss):
            return _find_builtin(loss)
        bound = bind(loss)
    if isinstance(bound, BoundOutputs):
        raise ConfigError(f"An output has one loss, got one for each of {', '.join(bound)}.")
    losses: list[BoundLoss] = bound.losses()
    return losses


def _find_builtin(loss: Any) -> list[BoundLoss]:
    """Return the registered loss of a loss that Keras built, if it is one of Keras' own."""
    kind = type(loss).__name__
    if getattr(keras.losses, kind, None) is not type(loss) or type(loss) is keras.losses.Loss:
        return []
    entry = installed().lookup(f"keras/{kind}")
    # Keras 3.15.1 has axis of SparseCategoricalCrossentropy, and delta of Huber, nowhere else.
    values = {**getattr(loss, "_fn_kwargs", {}), **vars(loss)}
    names = [parameter.name for parameter in entry.signature.parameters]
    # Keras takes a tensor for some parameters, and a check of data needs none of these.
    simple = {*SIMPLE, tuple, list}
    return [entry.bind({name: values[name] for name in names if type(values.get(name)) in simple})]


def _missing_message(what: str, values: Any, name: str) -> str:
    if isinstance(values, Mapping):
        present = ", ".join(map(repr, values)) or "nothing"
        return f"{what} has no entry {name!r}; it has {present}. Name each output as its loss is."
    return (
        f"{what} must map each output to its data, as the losses do, got {type(values).__name__}. "
        f"Give {{{name!r}: ...}}."
    )


def _label(loss: Any, terms: list[BoundLoss]) -> str:
    if terms:
        return " + ".join(term.label for term in terms)
    return getattr(loss, "name", None) or getattr(loss, "__name__", None) or shown(loss)


def _count_mask(output: Output) -> Any:
    """Return which entries have a weight and no mask, or None for all."""
    # A layer with a mask leaves it in this attribute, where Keras' losses find it.
    mask = getattr(output.y_pred, "_keras_mask", None)
    weights = output.sample_weight
    marks = [] if mask is None else [to_numpy(mask).astype(bool)]
    marks += [] if weights is None else [to_numpy(weights) != 0]
    # (N, 1) says as much as (N,), and each of (N,) counts for all steps of (N, T).
    marks = [mark[..., 0] if mark.ndim > 1 and mark.shape[-1] == 1 else mark for mark in marks]
    marks.sort(key=lambda mark: mark.ndim, reverse=True)
    if len(marks) == 2:
        wide, narrow = marks
        if wide.shape[: narrow.ndim] != narrow.shape:
            return wide
        return wide & narrow.reshape(narrow.shape + (1,) * (wide.ndim - narrow.ndim))
    return marks[0] if marks else None
