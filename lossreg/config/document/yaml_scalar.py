"""YAML's scalars without quotes: their values, and the calls that commas split."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .reading import NotFinite, number

# The core schema, YAML 1.2.2 section 10.3.2. ruamel.yaml 0.19.1 departs from it: 1_000 and
# 0b1 are numbers, .5e3 isn't, 2024-01-01 is a date, and -_ fails.
_CONSTANTS = {
    **dict.fromkeys(["", "~", "null", "Null", "NULL"]),
    **dict.fromkeys(["true", "True", "TRUE"], True),
    **dict.fromkeys(["false", "False", "FALSE"], False),
}
_INT = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEX = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


def resolved(text: str) -> Any:
    """Return the value of a scalar without quotes.

    >>> [resolved(text) for text in ("1e-3", "no", "0o17", "~", "True")]
    [0.001, 'no', 15, None, True]
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _INT.fullmatch(text):
        return number(text, int)
    if _OCTAL.fullmatch(text):
        return number(text, lambda digits: int(digits, 8))
    if _HEX.fullmatch(text):
        return number(text, lambda digits: int(digits, 16))
    if _FLOAT.fullmatch(text):
        return number(text, float)
    return NotFinite(text) if _NOT_FINITE.fullmatch(text) else text


def quoted(text: str) -> str:
    """Return a string in YAML's quotes.

    >>> print(quoted("f(1, 2)"), quoted('f("a")'))
    "f(1, 2)" 'f("a")'
    """
    if not text.isprintable():
        # YAML reads JSON's escapes.
        return json.dumps(text)
    if '"' in text or "\\" in text:
        return "'" + text.replace("'", "''") + "'"
    return f'"{text}"'


@dataclass(frozen=True, kw_only=True)
class SplitCall:
    """A call that commas split: its first and last piece, and all of it."""

    first: int
    last: int
    text: str


def split_calls(pieces: Iterable[tuple[str | None, str | None]]) -> Iterator[SplitCall]:
    """Yield the split calls among the entries within `[]` or `{}`.

    >>> [call.text for call in split_calls([("f(1", None), (None, "2)"), ("g(3)", None)])]
    ['f(1, 2)']

    Args:
        pieces: Of each entry, the string that may begin a call, and the string that may
            continue one.
    """
    texts: list[str] = []
    first = unclosed = 0
    for index, (beginning, following) in enumerate(pieces):
        if texts and following:
            texts.append(following)
            unclosed += _unclosed(following)
            if unclosed <= 0:
                yield SplitCall(first=first, last=index, text=", ".join(texts))
                texts = []
            continue
        texts = []
        if beginning and _unclosed(beginning) > 0:
            texts, first, unclosed = [beginning], index, _unclosed(beginning)


def _unclosed(text: str) -> int:
    return text.count("(") - text.count(")")
