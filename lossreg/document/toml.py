"""TOML as plain data; its parser tells the place of what it can't read, and of nothing else."""

import re
from functools import partial

from ..fault import Fault
from .reading import DEEPEST, EMPTY, TOO_DEEP, Position, Reading, faults, number, position_at

# Texts and comments whole, and the signs that open or close something or join keys. The end
# of a text is optional, so that one that lacks it isn't tried from each of its quotes.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"{1,2}(?!"))*+"{0,5}|'
    r"'''(?:[^']|'{1,2}(?!'))*+'{0,5}|"
    r'"(?:[^"\\\n]|\\[^\n])*+"?|'
    r"'[^'\n]*+'?|"
    r"#[^\n]*+|"
    r"[][{}.,=\n]",
    re.DOTALL,
)
_PLACE = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
# What tomllib says of a key that it has seen before.
_SEEN = ("Cannot overwrite", "Cannot declare", "Cannot redefine", "Cannot mutate", "Duplicate")


def read(text: str) -> Reading:
    """Return what TOML says."""
    # Five milliseconds that YAML and JSON don't need.
    import tomllib

    too_deep = _too_deep(text)
    if too_deep:
        return Reading(faults=[too_deep])
    try:
        data = tomllib.loads(text, parse_float=partial(number, kind=float))
    except tomllib.TOMLDecodeError as error:
        return Reading(faults=[_syntax(str(error), text)])
    except ValueError:
        # Python 3.13 and before: int() refuses more than 4300 digits, and tomllib says no more.
        said = "It has a number of thousands of digits, and a number must be finite. Shorten it."
        return Reading(faults=[Fault(message=said)])
    if not data:
        return Reading(faults=[Fault(message=EMPTY + 'loss = "huber"')])
    return Reading(data=data, faults=list(faults(data)))


def _syntax(said: str, text: str) -> Fault:
    match = _PLACE.fullmatch(said)
    problem, at = said, position_at(text, len(text))
    if match:
        problem = match[1]
        at = Position(int(match[2]), int(match[3])) if match[2] else at
    problem = problem if len(problem) <= 200 else f"{problem[:200]}..."
    todo = (
        "A key or table stands in a TOML file once."
        if problem.startswith(_SEEN)
        else "TOML writes key = value, with texts in quotes and true and false in small letters."
    )
    said = f"This can't be read as TOML: {problem}. {todo}"
    return Fault(message=said, line=at.line, column=at.column)


def _too_deep(text: str) -> Fault | None:
    """Return the fault of a text that is nested deeper than tomllib can read.

    tomllib calls itself for each bracket; and for a key of n parts it keeps n tuples of up
    to n parts, which is gigabytes where n is ten thousand.
    """
    depth = dots = 0
    for token in _TOKEN.finditer(text):
        sign = token.group()
        if sign == ".":
            dots += 1
        elif sign[0] not in "\"'":
            dots = 0
            depth += (sign in "[{") - (sign in "]}")
        # The file itself is a table.
        if max(depth, dots) == DEEPEST:
            at = position_at(text, token.start())
            return Fault(message=TOO_DEEP, line=at.line, column=at.column)
    return None
