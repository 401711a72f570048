"""The outputs of a compiled model, each with its loss, its labels and its last activation."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..lazy import keras
from .findings import Output
from .predictions import Activation

# Keras layers that apply their activation last, to sums of any size. A linear Activation layer
# isn't among them: under mixed precision it casts what another layer has activated.
_CONVOLUTIONS = tuple(f"Conv{n}D{kind}" for n in (1, 2, 3) for kind in ("", "Transpose"))
_DENSE = ("Dense", "EinsumDense", *_CONVOLUTIONS)


def compiled_outputs(
    model: Any, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> Iterator[tuple[Any, Output]]:
    """Yield each loss of a compiled model, with the data of its output.

    Data that match no output are left out, since Keras reports them.

    Args:
        model: A model that is compiled with a loss.
        y_true: The labels, as `fit` gives them to the loss.
        y_pred: The model's predictions.
        sample_weight: The weights.
    """
    flat = keras.tree.flatten(y_pred)
    # A model of the user's own class may have no list of outputs.
    outputs = getattr(model, "outputs", None) or []
    outputs = outputs if len(outputs) == len(flat) else [None] * len(flat)
    activations = [_activation(model, output) for output in outputs]
    if not keras.tree.is_nested(y_pred):
        output = Output(
            y_true=_unwrap(y_true),
            y_pred=y_pred,
            sample_weight=_unwrap(sample_weight),
            activation=activations[0],
        )
        for loss in single_losses(model):
            yield loss, output
        return
    names = _flat_names(model, y_pred, flat)
    losses = _match(losses_of(model), names, same=True)
    wanted = [name for name in names if losses.get(name) is not None]
    labels = _match(y_true, names) or _match(y_true, wanted)
    weights = _match(sample_weight, names, same=True)
    for name, tensor, activation in zip(names, flat, activations, strict=True):
        if name in wanted and labels.get(name) is not None:
            output = Output(
                y_true=labels[name],
                y_pred=tensor,
                sample_weight=weights.get(name),
                activation=activation,
                name=name,
            )
            yield losses[name], output


def losses_of(model: Any) -> Any:
    """Return the losses that a model is compiled with, also those that a Keras loss can't be."""
    return getattr(model, "bound_losses", None) or model.loss


def single_losses(model: Any) -> list[Any]:
    """Return the losses that a model with one output is compiled with."""
    losses = losses_of(model)
    # compile takes {"a": ["mse"]} and [["mse"]] too.
    while isinstance(losses, Mapping | list | tuple) and len(losses) == 1:
        losses = _unwrap(losses)
    return list(losses) if isinstance(losses, list | tuple) else [losses]


def _unwrap(given: Any) -> Any:
    """Return the entry of a collection that has one, and anything else as it is."""
    if isinstance(given, Mapping | list | tuple) and len(given) == 1:
        return next(iter(given.values() if isinstance(given, Mapping) else given))
    return given


def output_names(model: Any) -> list[str]:
    """Return the names of a model's outputs, in the order in which it returns them."""
    structure = getattr(model, "output", None)
    if isinstance(structure, Mapping):
        # Keras looks for these keys then, and not for the names of the layers.
        return list(structure)
    # A sequential model has no output_names.
    names = getattr(model, "output_names", None) or [layer.name for layer in model.layers[-1:]]
    return list(names)


def _flat_names(model: Any, y_pred: Any, flat: list[Any]) -> list[str]:
    """Return the name of each of a model's outputs, in Keras' order."""
    if isinstance(y_pred, Mapping):
        keys = {id(tensor): str(key) for key, tensor in y_pred.items()}
        # An output that is a collection itself has no name.
        return [keys.get(id(tensor), f"{index}") for index, tensor in enumerate(flat)]
    names = output_names(model)
    return names if len(names) == len(flat) else [str(index) for index in range(len(flat))]


def _match(given: Any, names: list[str], *, same: bool = False) -> dict[str, Any]:
    """Return the entry of a mapping or a list for each output, or the `same` object for all."""
    if isinstance(given, list | tuple):
        return dict(zip(names, given, strict=True)) if len(given) == len(names) else {}
    # Keras writes a loss as a mapping with its class.
    if isinstance(given, Mapping) and "class_name" not in given:
        return {str(name): value for name, value in given.items()}
    return dict.fromkeys(names, given) if same else {}


def _activation(model: Any, output: Any) -> Activation:
    """Return the activation of the layer that returns an output, or "other"."""
    layer: Any = next((layer for layer in model.layers if _returns(layer, output)), None)
    kind = type(layer).__name__
    if type(layer) is not getattr(keras.layers, kind, None):
        # A class of the user's own may do something else after the activation.
        return "other"
    function: Any = None
    if kind in (*_DENSE, "Activation"):
        function = layer.activation
    elif kind == "Softmax" and layer.axis == -1:
        function = keras.activations.softmax
    if function is keras.activations.linear and (kind not in _DENSE or _is_constrained(layer)):
        return "other"
    known: dict[Any, Activation] = {
        keras.activations.linear: "linear",
        keras.activations.sigmoid: "sigmoid",
        keras.activations.softmax: "softmax",
    }
    return known.get(function, "other")


def _returns(layer: Any, output: Any) -> bool:
    try:
        return output is not None and layer.output is output
    except (AttributeError, ValueError):
        # The layer was never called, or more than once.
        return False


def _is_constrained(layer: Any) -> bool:
    """Return whether constraints may keep the layer's sums between 0 and 1."""
    return layer.kernel_constraint is not None or layer.bias_constraint is not None
