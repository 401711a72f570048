"""Indexes of arrays as JavaScript: each a formula, or a digit where it is known."""

import re

import numpy as np

Index = tuple[str, ...]
"""A formula for each axis."""


def choose(index: str, parts: list[str]) -> str:
    """Return the entry at an index of which each has its own formula."""
    if index.isdigit():
        return parts[int(index)]
    text = parts[-1]
    # Those at the end are often alike.
    last = next((at for at in range(len(parts), 0, -1) if parts[at - 1] != text), 0)
    for at in reversed(range(last)):
        text = f"({index}<{at + 1}?{parts[at]}:{text})"
    return text


def plus(text: str, number: int) -> str:
    """Return an index that is a number further on."""
    if number == 0:
        return text
    if re.fullmatch(r"\d+", text):
        return str(int(text) + number)
    return f"({text}+{number})" if number > 0 else f"({text}-{-number})"


def unravel(variable: str, shape: tuple[int, ...]) -> Index:
    """Return the index on each axis for a place in the order of all entries."""
    result, stride = [], 1
    for size in reversed(shape):
        outer = stride * size
        text = variable if stride == 1 else f"({variable}/{stride}|0)"
        is_first = outer == int(np.prod(shape, dtype=int))
        result.append("0" if size == 1 else (text if is_first else f"({text}%{size})"))
        stride = outer
    return tuple(reversed(result))


def ravel(at: Index, shape: tuple[int, ...]) -> str:
    """Return the place in the order of all entries for an index on each axis."""
    parts, stride = [], 1
    for each, size in zip(reversed(at), reversed(shape), strict=True):
        if size > 1:
            parts.append(each if stride == 1 else f"{each}*{stride}")
            stride *= size
    return "+".join(reversed(parts)) or "0"


def reshaped(at: Index, shape: tuple[int, ...], source: tuple[int, ...]) -> Index:
    """Return the index in an array of another shape with the same entries."""
    wide = [each for each, size in zip(at, shape, strict=True) if size > 1]
    if [size for size in shape if size > 1] == [size for size in source if size > 1]:
        rest = iter(wide)
        return tuple("0" if size == 1 else next(rest) for size in source)
    flat = ravel(at, shape)
    return unravel(f"({flat})", source)
