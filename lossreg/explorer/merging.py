"""One program for any number of classes, from the programs of several numbers of classes."""

import re
from collections.abc import Mapping

import numpy as np

from .javascript import number_text

_TOKEN = re.compile(r"(?<![\w.$])(\d+(?:\.\d+)?(?:e-?\d+)?)(?![\w.])")


def merge(texts: Mapping[int, str]) -> str | None:
    """Return one program for programs of several numbers of classes, in which `n` is the number.

    >>> merge({2: "sum(2,i=>i)/0.5", 3: "sum(3,i=>i)/0.5", 10: "sum(10,i=>i)/0.5"})
    'sum(n,i=>i)/0.5'

    Returns:
        The program, or None where they differ in more than numbers that follow from `n`.
    """
    parts = {n: _TOKEN.split(text) for n, text in texts.items()}
    if len({len(each) for each in parts.values()}) > 1:
        return None
    result = []
    for index, column in enumerate(zip(*parts.values(), strict=True)):
        if len(set(column)) == 1:
            result.append(column[0])
            continue
        formula = _formula_of(dict(zip(texts, column, strict=True))) if index % 2 else None
        if formula is None:
            return None
        result.append(formula)
    return "".join(result)


def _formula_of(numbers: Mapping[int, str]) -> str | None:
    """Return what numbers are for the numbers of classes that they belong to, or None."""
    classes = np.array(list(numbers), float)
    values = np.array([float(each) for each in numbers.values()])
    for form, column in (
        ("{}", values),
        ("(1/{})", 1 / np.where(values == 0, np.nan, values)),
        ("Math.log({})", np.exp(np.minimum(values, 99))),
        ("({}/2)", 2 * values),
    ):
        factor = (column[1] - column[0]) / (classes[1] - classes[0])
        rest = column[0] - factor * classes[0]
        factor, rest = (float(np.round(each, 9)) for each in (factor, rest))
        # Within an ulp or two, since Python may have taken another way to the number.
        if np.allclose(factor * classes + rest, column, rtol=1e-14, atol=0):
            times = "n" if factor == 1 else f"({number_text(factor)}*n)"
            sign = "" if rest < 0 else "+"
            linear = f"({times}{sign}{number_text(rest).strip('()')})" if rest else times
            return form.format(linear)
    squares = {"(n*n)": classes**2, "(n*(n-1))": classes * (classes - 1)}
    return next((text for text, each in squares.items() if np.array_equal(each, values)), None)
