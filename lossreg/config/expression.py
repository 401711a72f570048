"""Calls and sums in a string: `"dice + 0.5 * focal(gamma=2)"`.

Python's parser reads the string, and nothing evaluates it. An expression holds names, calls
with positional and keyword arguments, numbers, strings, lists, True, False and None (or true,
false and null), `+` between terms and `*` between a number and a term; nothing else. An argument
may be a name or a call, for a parameter that is a loss: `"ohem(base=huber(delta=2))"`. In place of
a number may stand one that changes during training: `"linear(0, 1, epochs=10) * dice"`.
"""

import ast
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NoReturn

from ..errors import ConfigError
from ..loss import SCHEDULES, Schedule, canonical, make_schedule, meant, shown

LONGEST = 2000
"""The most characters of an expression; a loss needs a few dozen."""

_DEEPEST = 20
_CONSTANTS = {"true": True, "false": False, "null": None}
_GRAMMAR = (
    "An expression holds names, calls, numbers, strings, lists, '+', and '*' with a number: "
    "dice + 0.5 * focal(gamma=2)"
)

# Signs that no name has, and signs that a name doesn't have at its ends.
_EXPRESSION = re.compile(r"[()+*'\"\[\]{}<>=:;,%&|^~@]|(?:^|\s)[-/]|[-/]\s|/[\d.]|^\s*\d")


# A name with its arguments in brackets that aren't round.
_BRACKETS = re.compile(r"^([\w/'\"-]+)\s*[\[{<](.*)[\]}>]$", re.DOTALL)
_MOST_SHOWN = 60  # characters of an expression that a message proposes


@dataclass(frozen=True, kw_only=True, repr=False)
class Call:
    """A name with arguments, such as `focal(2, alpha=0.5)`; `str` writes it."""

    kind: ClassVar[str] = "a name, which would be a loss"

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    weight: float | Schedule = 1.0

    def __str__(self) -> str:
        name = self.name if self.name.isidentifier() else repr(self.name)
        values = [*map(_write, self.args)]
        values += [f"{key}={_write(value)}" for key, value in self.kwargs.items()]
        call = f"{name}({', '.join(values)})" if values or name != self.name else name
        return call if self.weight == 1 else f"{self.weight!r} * {call}"

    def __repr__(self) -> str:
        return str(self)


def is_expression(text: str) -> bool:
    """Return whether a string is more than a name, or was meant to be.

    >>> is_expression("huber"), is_expression("huber(delta=2)"), is_expression("mse - mae")
    (False, True, True)
    """
    return _EXPRESSION.search(text) is not None


def parse(text: str) -> tuple[Call, ...]:
    """Return the terms of an expression; a single call is one term.

    >>> [str(term) for term in parse("dice + 0.5 * focal(gamma=2)")]
    ['dice', '0.5 * focal(gamma=2)']

    Raises:
        ConfigError: The string isn't an expression; the message says where.
    """
    # Messages show the string, and count columns in what they show.
    text = text.strip()
    if len(text) > LONGEST:
        raise ConfigError(
            f"The expression {shown(text)} has {len(text)} characters; at most {LONGEST} are "
            "allowed."
        )
    if "${" in text:
        raise ConfigError(f"{shown(text)} can't be read.{meant(text, '')}")
    if text.startswith("{"):
        raise ConfigError(
            f"{shown(text)} is a mapping in a string. Give the mapping, such as from json.loads, "
            "or write a call or a sum: dice + 0.5 * focal(gamma=2)"
        )
    try:
        tree = _tree(text)
    except SyntaxError as error:
        # Python's own words are about programs.
        where = f" at column {error.offset}" if error.offset else ""
        mended = _mended(text)
        advice = f" Write {mended!r}." if mended else ""
        raise ConfigError(f"{shown(text)} can't be read{where}.{advice} {_GRAMMAR}") from None
    except (ValueError, RecursionError, MemoryError):
        # NUL bytes, or brackets or signs that are nested too deep for the parser.
        raise ConfigError(f"{shown(text)} can't be read. {_GRAMMAR}") from None
    return _Reader(text).read(tree)


def _tree(text: str) -> ast.expr:
    """Return the syntax tree of a string."""
    with warnings.catch_warnings():
        # For "\\*" in a string and for 1is, neither of which the grammar has.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", SyntaxWarning)
        return ast.parse(text, mode="eval").body


def _mended(text: str) -> str | None:
    """Return the expression that a string was meant to be, or None if that can't be seen.

    Other brackets stand for round ones, a colon for `=`, and the last bracket may be missing.
    """
    found = _BRACKETS.sub(r"\1(\2)", text)
    found = re.sub(r"([(,]\s*\w+)\s*:\s*", r"\1=", found)
    found += ")" * (found.count("(") - found.count(")"))
    try:
        _Reader(found).read(_tree(found))
    except (ConfigError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return found if len(found) <= _MOST_SHOWN else None


class _Reader:
    """Turns a syntax tree into calls, and refuses what the grammar doesn't have."""

    def __init__(self, text: str) -> None:
        self.text = text

    def read(self, node: ast.expr) -> tuple[Call, ...]:
        terms = []
        # The last summand is the outermost; a loop over them needs no recursion.
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            terms.append(node.right)
            node = node.left
        return tuple(self.read_term(term) for term in [node, *reversed(terms)])

    def read_term(self, node: ast.expr) -> Call:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for factor, call in ((node.left, node.right), (node.right, node.left)):
                number = self.read_number(factor)
                if number is not None:
                    return self.read_call(call, float(number))
                schedule = self.read_schedule(factor)
                if schedule is not None:
                    return self.read_call(call, schedule)
            self.refuse(node, "a term can be multiplied by one number, or by one schedule")
        return self.read_call(node, 1.0)

    def read_schedule(self, node: ast.expr, depth: int = 0) -> Schedule | None:
        """Return a number that changes during training, or None for anything else."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in SCHEDULES:
                call = self.read_call(node, 1.0, depth)
                return make_schedule(call.name, call.args, call.kwargs)
        return None

    def read_call(self, node: ast.expr, weight: float | Schedule, depth: int = 0) -> Call:
        if not isinstance(node, ast.Call):
            return Call(name=self.read_name(node), weight=weight)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self.refuse(keyword.value, "'**' isn't supported")
            if keyword.arg in kwargs:
                self.refuse(keyword.value, f"{keyword.arg!r} is given twice")
            kwargs[keyword.arg] = self.read_value(keyword.value, depth)
        args = tuple(self.read_value(argument, depth) for argument in node.args)
        return Call(name=self.read_name(node.func), args=args, kwargs=kwargs, weight=weight)

    def read_name(self, node: ast.expr) -> str:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self.refuse(node, self.rule(node))

    def rule(self, node: ast.expr) -> str:
        """Return why a part isn't a loss, and what to write instead."""
        match node:
            case ast.Constant(value=int() | float()):
                return "a number isn't a loss. Multiply a loss by it: '0.5 * mse'"
            case ast.UnaryOp(op=ast.USub()):
                return "'-' isn't supported before a loss. Multiply the loss: '-1 * mse'"
            case ast.BinOp(op=ast.Sub(), right=ast.BinOp(op=ast.Div(), left=ast.Name())):
                return (
                    "a name with a slash is written in quotes: \"'lossreg-focal/focal'(gamma=2)\""
                )
            case ast.BinOp(op=ast.Sub()):
                return "'-' isn't supported. Add a negative multiple instead: 'mse + -1 * mae'"
            case ast.BinOp(op=ast.Div(), right=ast.Constant()):
                return "'/' isn't supported. Multiply by a fraction instead: '0.5 * mse'"
            case ast.BinOp(op=ast.Add()):
                return (
                    "a sum in brackets can't be multiplied. Multiply each term: "
                    "'0.5 * mse + 0.5 * mae'"
                )
            case ast.Subscript(value=ast.Name(id=name), slice=inner):
                given = ast.get_source_segment(self.text, inner)
                return f"parameters stand in round brackets: {f'{name}({given})'!r}"
            case ast.Attribute(attr=name):
                return f"a loss is named without dots: {canonical(name)!r}"
            case ast.Tuple() | ast.List():
                return "a string holds one loss or a sum. Add losses with '+': 'mse + mae'"
        return "a name is needed here, in quotes if it has a slash: 'keras/huber'(2)"

    def read_number(self, node: ast.expr) -> int | float | None:
        """Return a number with its sign, or None for anything else."""
        sign = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = -1 if isinstance(node.op, ast.USub) else 1
            node = node.operand
        value = node.value if isinstance(node, ast.Constant) else None
        if isinstance(value, bool) or not isinstance(value, int | float):
            return None
        if not abs(value) <= sys.float_info.max:
            self.refuse(node, "a number must be finite, and fit into a float")
        return sign * value

    def read_value(self, node: ast.expr, depth: int) -> Any:
        if depth > _DEEPEST:
            self.refuse(node, f"lists and calls can be nested {_DEEPEST} deep")
        number = self.read_number(node)
        if number is not None:
            return number
        match node:
            case ast.Constant(value=None | bool() | str()):
                return node.value
            case ast.Name(id=name) if name in _CONSTANTS:
                return _CONSTANTS[name]
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return tuple(self.read_value(entry, depth + 1) for entry in entries)
        kinds = "a number, a string, a list, True, False, None or a loss"
        advice = meant(node.id, kinds) if isinstance(node, ast.Name) else ""
        schedule = self.read_schedule(node, depth)
        if schedule is not None:
            return schedule
        if isinstance(node, ast.Call | ast.Name) and not advice:
            return self.read_call(node, 1.0, depth + 1)
        return self.refuse(node, f"an argument is {kinds}.{advice}".removesuffix("."))

    def refuse(self, node: ast.expr, rule: str) -> NoReturn:
        """Raise for a part that the grammar doesn't have."""
        part = ast.get_source_segment(self.text, node) or self.text
        raise ConfigError(
            f"In {shown(self.text)}, {shown(part)} at column {node.col_offset + 1} isn't allowed: "
            f"{rule}. {_GRAMMAR}"
        )


def parse_schedule(text: str) -> Schedule | None:
    """Return the schedule that a string holds, or None for any other string.

    >>> parse_schedule("cosine(1, 0, steps=100)"), parse_schedule("cosine")
    (cosine(1.0, 0.0, steps=100), None)

    Raises:
        ConfigError: It is the call of a schedule, and has a fault.
    """
    name, bracket, _ = text.strip().partition("(")
    if not bracket or name not in SCHEDULES or len(text) > LONGEST:
        return None
    (call,) = parse(text)
    return make_schedule(call.name, call.args, call.kwargs)


def _write(value: Any) -> str:
    """Return a value in the grammar, which writes a tuple as a list."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_write, value))}]"
    return repr(value)
