"""What a worker runs: the check of a loss, or a cell. Importing it imports nothing heavy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cells import Cell, Result
    from .work import Work

Shared = Any
"""How an executor gives a worker the work: itself, or its file and key."""


def run_cell(shared: Shared, cell: "Cell") -> "Result":
    """Return the result of a cell, in a worker."""
    from .training import train_cell

    return train_cell(_work(shared), cell)


def run_check(shared: Shared, loss: Mapping[str, Any]) -> "Result":
    """Return whether a loss fits, in a worker."""
    from .checking import check_loss

    return check_loss(_work(shared), loss)


def _work(shared: Shared) -> "Work":
    from .sharing import open_work
    from .work import Work

    return shared if isinstance(shared, Work) else open_work(*shared)
