"""The last layer of a model, for losses that compute its output themselves.

This module imports Keras, and holds the private names of Keras' graph of layers.
"""

from dataclasses import dataclass
from typing import Any

import keras
from keras import ops

from ..errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class LastLayer:
    """A layer that multiplies what it gets by a kernel: a `Dense`, or an embedding used backwards.

    Args:
        layer: The layer.
        input: What it gets, a tensor of Keras' graph.
        is_embedding: Whether its kernel is the transposed table of an embedding.
    """

    layer: Any
    input: Any
    is_embedding: bool

    @property
    def kernel(self) -> Any:
        """The kernel, shape `(dimensions, outputs)`."""
        if not self.is_embedding:
            return self.layer.kernel
        # Embeddings that aren't tied have a kernel of their own, in this shape already.
        own = getattr(self.layer, "reverse_embeddings", None)
        return ops.transpose(self.layer.embeddings) if own is None else own

    @property
    def bias(self) -> Any:
        """The bias, or None."""
        return None if self.is_embedding else self.layer.bias


def ends(model: Any) -> tuple[Any, Any]:
    """Return the inputs and outputs of a model, in their structure."""
    if isinstance(model, keras.Sequential):
        # It has no `input` before it is called.
        return model.inputs[0], model.outputs[0]
    return model.input, model.output


def find_last_layer(model: Any) -> LastLayer:
    """Return the layer that computes the only output of a model.

    Raises:
        ConfigError: There are several outputs, or the last layer is of another kind.
    """
    history: Any = getattr(model.outputs[0], "_keras_history", None)
    layer: Any = history.operation if history else None
    is_embedding = isinstance(layer, keras.layers.Embedding)
    if len(model.outputs) > 1 or not (is_embedding or isinstance(layer, keras.layers.Dense)):
        raise ConfigError(
            "The loss needs what the last layer got, and for that the model must end in one "
            f"Dense layer, or in an embedding used backwards, got {type(layer).__name__} and "
            f"{len(model.outputs)} outputs."
        )
    if is_embedding and getattr(layer, "logit_soft_cap", None) is not None:
        raise ConfigError(
            f"The loss computes the logits of the last layer {layer.name!r} itself, and can't with "
            "its logit_soft_cap. Build the layer without it."
        )
    # An embedding is called at both ends of a model, so the layer alone doesn't know its input.
    node = layer._inbound_nodes[history.node_index]
    return LastLayer(layer=layer, input=node.input_tensors[0], is_embedding=is_embedding)
