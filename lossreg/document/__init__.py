"""Text files as plain data with positions: YAML, TOML and JSON."""

from .files import LARGEST, Document, load, parse
from .reading import DEEPEST, Position

__all__ = ["DEEPEST", "LARGEST", "Document", "Position", "load", "parse"]
