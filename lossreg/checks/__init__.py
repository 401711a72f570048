"""Data against a loss, before training: `check_data` and `DataCheck`.

`DataCheck` is a Keras callback, so access to it imports Keras; nothing else here does.
"""

from typing import TYPE_CHECKING, Any

from .compiled import compiled_outputs, output_names
from .findings import Finding, Output, check_data, check_output, known_losses

if TYPE_CHECKING:
    from .data_check import DataCheck


def __getattr__(name: str) -> Any:
    if name != "DataCheck":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .data_check import DataCheck

    return DataCheck
