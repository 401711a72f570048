"""A compiled model's outputs, each with its loss, its labels and its last activation."""

from collections.abc import Iterator, Mapping
from typing import Any

from ...lazy import keras
from .findings import Output
from .predictions import Activation

# Layers of Keras that apply their activation last, to sums of any size. An Activation layer that
# is linear says nothing: it casts what another layer has activated, under mixed precision.
_DENSE = (
    "Dense",
    "EinsumDense",
    "Conv1D",
    "Conv2D",
    "Conv3D",
    "Conv1DTranspose",
    "Conv2DTranspose",
    "Conv3DTranspose",
)


def compiled_outputs(
    model: Any, y_true: Any, y_pred: Any, sample_weight: Any = None
) -> Iterator[tuple[Any, Output]]:
    """Yield each loss of a compiled model, with what it gets.

    What doesn't match, as labels for an output that isn't there, is left out: Keras says so.

    Args:
        model: Compiled, with a loss.
        y_true: The labels, as `fit` gives them to the loss.
        y_pred: What the model returns.
        sample_weight: The weights.
    """
    flat = keras.tree.flatten(y_pred)
    # A model of one's own class doesn't say what it returns.
    outputs = getattr(model, "outputs", None) or []
    outputs = outputs if len(outputs) == len(flat) else [None] * len(flat)
    activations = [_activation(model, output) for output in outputs]
    if not keras.tree.is_nested(y_pred):
        losses = _only(model.loss)
        output = Output(
            y_true=_only(y_true),
            y_pred=y_pred,
            sample_weight=_only(sample_weight),
            activation=activations[0],
        )
        # Keras adds several losses of one output.
        for loss in losses if isinstance(losses, list | tuple) else [losses]:
            yield loss, output
        return
    names = _names(model, y_pred, flat)
    losses = _by_name(model.loss, names, same=True)
    wanted = [name for name in names if losses.get(name) is not None]
    labels = _by_name(y_true, names) or _by_name(y_true, wanted)
    weights = _by_name(sample_weight, names, same=True)
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


def _only(given: Any) -> Any:
    """Return the one entry of what may be a collection of one."""
    if isinstance(given, Mapping | list | tuple) and len(given) == 1:
        return next(iter(given.values() if isinstance(given, Mapping) else given))
    return given


def _names(model: Any, y_pred: Any, flat: list[Any]) -> list[str]:
    """Return the name of each of a model's outputs, in Keras' order."""
    if isinstance(y_pred, Mapping):
        keys = {id(tensor): str(key) for key, tensor in y_pred.items()}
        # An output that is itself a collection has no name.
        return [keys.get(id(tensor), f"{index}") for index, tensor in enumerate(flat)]
    names = getattr(model, "output_names", None) or []
    return list(names) if len(names) == len(flat) else [str(index) for index in range(len(flat))]


def _by_name(given: Any, names: list[str], *, same: bool = False) -> dict[str, Any]:
    """Return what belongs to each output.

    Args:
        given: A mapping, a list in the order of the outputs, or one thing.
        names: The outputs.
        same: Whether one thing is for every output.
    """
    if isinstance(given, list | tuple):
        return dict(zip(names, given, strict=True)) if len(given) == len(names) else {}
    # Keras writes a loss as a mapping of its class.
    if isinstance(given, Mapping) and "class_name" not in given:
        return {str(name): value for name, value in given.items()}
    return dict.fromkeys(names, given) if same else {}


def _activation(model: Any, output: Any) -> Activation:
    """Return the activation of the layer that makes an output, or "other"."""
    layer: Any = next((layer for layer in model.layers if _makes(layer, output)), None)
    kind = type(layer).__name__
    function: Any = None
    if type(layer) is not getattr(keras.layers, kind, None):
        # A class of the user's own may do something else after the activation.
        return "other"
    if kind in (*_DENSE, "Activation"):
        function = layer.activation
    elif kind == "Softmax" and layer.axis == -1:
        function = keras.activations.softmax
    if function is keras.activations.linear and (kind not in _DENSE or _constrained(layer)):
        function = None
    known: dict[Any, Activation] = {
        keras.activations.linear: "linear",
        keras.activations.sigmoid: "sigmoid",
        keras.activations.softmax: "softmax",
    }
    return known.get(function, "other")


def _makes(layer: Any, output: Any) -> bool:
    try:
        return output is not None and layer.output is output
    except (AttributeError, ValueError):
        # It was never called, or more than once.
        return False


def _constrained(layer: Any) -> bool:
    """Return whether weights that can't be any number may keep the sums between 0 and 1."""
    return layer.kernel_constraint is not None or layer.bias_constraint is not None
