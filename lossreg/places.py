"""Faults of a config with their places in its file."""

import dataclasses

from .document import Document
from .errors import ConfigError
from .fault import Fault, listed


def located(faults: list[Fault], read_from: Document | None) -> ConfigError:
    """Return the error that tells faults with their places in the file."""
    if read_from is None:
        return ConfigError(listed(faults), faults)
    placed = [_placed(fault, read_from) for fault in faults]
    placed.sort(key=lambda fault: (fault.line or 0, fault.column or 0))
    return ConfigError(listed(placed, read_from.source), placed)


def _placed(fault: Fault, read_from: Document) -> Fault:
    position = read_from.position(fault.path, key=fault.at_key)
    if position is None:
        return fault
    return dataclasses.replace(fault, line=position.line, column=position.column)
