"""TOML as plain data. Its parser has the place of a syntax error, and no other place."""

import re
from functools import partial

from ...errors import Fault
from .reading import DEEPEST, EMPTY, TOO_DEEP, Position, Reading, faults, number, position_at

# Strings and comments whole, and the signs that open or close something or join keys. The closing
# quote is optional, so that a string without it isn't tried from each of its quotes.
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
# How tomllib's messages on a repeated key begin.
_SEEN = ("Cannot overwrite", "Cannot declare", "Cannot redefine", "Cannot mutate", "Duplicate")


def read(text: str) -> Reading:
    """Return the data of TOML."""
    # It takes 5 ms, which YAML and JSON don't need.
    import tomllib

    too_deep = _too_deep(text)
    if too_deep:
        return Reading(faults=[too_deep])
    try:
        data = tomllib.loads(text, parse_float=partial(number, kind=float))
    except tomllib.TOMLDecodeError as error:
        return Reading(faults=[_syntax(str(error), text)])
    except ValueError:
        # Until Python 3.13 tomllib lets int() refuse more than 4300 digits, without a place.
        message = "It has a number of thousands of digits, and a number must be finite. Shorten it."
        return Reading(faults=[Fault(message=message)])
    if not data:
        return Reading(faults=[Fault(message=EMPTY + 'loss = "huber"')])
    return Reading(data=data, faults=list(faults(data)))


def _syntax(problem: str, text: str) -> Fault:
    match, at = _PLACE.fullmatch(problem), position_at(text, len(text))
    if match:
        problem = match[1]
        at = Position(int(match[2]), int(match[3])) if match[2] else at
    problem = problem if len(problem) <= 200 else f"{problem[:200]}..."
    advice = "TOML has key = value, with strings in quotes and true and false in small letters."
    if problem.startswith(_SEEN):
        advice = "A TOML file has each key or table once."
    return at.fault(f"This can't be read as TOML: {problem}. {advice}")


def _too_deep(text: str) -> Fault | None:
    """Return the fault of TOML that is nested deeper than tomllib can read.

    tomllib calls itself for each bracket. For a key of n parts it keeps n tuples of up to n
    parts, which is gigabytes where n is ten thousand.
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
            return position_at(text, token.start()).fault(TOO_DEEP)
    return None
