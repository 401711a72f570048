"""YAML, TOML and JSON files as plain data with positions."""

from .files import LARGEST, Document, load_document, parse_document
from .reading import DEEPEST, Position
