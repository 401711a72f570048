"""One operation of a graph, and the order of several. Nothing here knows JAX."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..errors import LossregError

Array = np.ndarray[Any, Any]
Kind = Literal["float", "int", "bool"]


class UntranslatableError(LossregError):
    """A program has something that can't be written in JavaScript here."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operation.

    Args:
        op: JAX's name of it, or "input" or "constant".
        inputs: What it takes.
        attributes: What else it needs.
        shape: Of its result.
        kind: Of its numbers.
        value: Of a constant.
    """

    op: str
    inputs: tuple["Node", ...]
    attributes: dict[str, Any]
    shape: tuple[int, ...]
    kind: Kind
    value: Any = None

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return array_size(self.shape)


def array_size(shape: tuple[int, ...]) -> int:
    """Return how many numbers an array of a shape has."""
    return int(np.prod(shape, dtype=int))


def in_order(outputs: Sequence[Node]) -> list[Node]:
    """Return every node that outputs need, each after its inputs."""
    found: dict[Node, None] = {}
    stack = [(node, False) for node in reversed(outputs)]
    while stack:
        node, is_ready = stack.pop()
        if node in found:
            continue
        if is_ready:
            found[node] = None
        else:
            stack.append((node, True))
            stack += [(each, False) for each in node.inputs if each not in found]
    return list(found)


def is_plain_scatter(node: Node) -> bool:
    """Return whether a node adds single numbers to places of a list."""
    numbers = node.attributes["dimension_numbers"]
    return len(node.shape) == 1 and not numbers.update_window_dims
