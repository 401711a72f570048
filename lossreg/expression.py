"""Calls and sums in a text: `"dice + 0.5 * focal(gamma=2)"`.

Python's parser reads the text, and nothing evaluates it. It may hold names, calls with
positional and keyword arguments, numbers, strings, lists, True, False and None (or true,
false and null), `+` between terms and `*` between a number and a term; nothing else.
"""

import ast
import re
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from .errors import ConfigError
from .names import shown

LONGEST = 2000
"""Characters of a text that is worth parsing; a loss needs a few dozen."""

_DEEPEST = 20
_CONSTANTS = {"true": True, "false": False, "null": None}
_GRAMMAR = (
    "An expression holds names, calls, numbers, strings, lists, '+', and '*' with a number: "
    "dice + 0.5 * focal(gamma=2)"
)


# Signs that no name has, and those that a name has only within.
_EXPRESSION = re.compile(r"[()+*'\"\[\]{}<>=:;,%&|^~@]|(?:^|\s)[-/]|[-/]\s|^\s*\d")


@dataclass(frozen=True, kw_only=True)
class Call:
    """A name with arguments, as it is written: `focal(2, alpha=0.5)`."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    weight: float = 1.0

    def __str__(self) -> str:
        name = self.name if self.name.isidentifier() else repr(self.name)
        values = [*map(_written, self.args)]
        values += [f"{key}={_written(value)}" for key, value in self.kwargs.items()]
        call = f"{name}({', '.join(values)})" if values or name != self.name else name
        return call if self.weight == 1 else f"{self.weight!r} * {call}"


def is_expression(text: str) -> bool:
    """Return whether a text is more than a name, or was meant to be.

    >>> is_expression("huber"), is_expression("huber(delta=2)"), is_expression("mse - mae")
    (False, True, True)
    """
    return _EXPRESSION.search(text) is not None


def parse(text: str) -> tuple[Call, ...]:
    """Return the terms of an expression; a single call is one term.

    >>> [str(term) for term in parse("dice + 0.5 * focal(gamma=2)")]
    ['dice', '0.5 * focal(gamma=2)']

    Raises:
        ConfigError: The text is no expression; it says where.
    """
    # Columns are counted in what is shown.
    text = text.strip()
    if len(text) > LONGEST:
        raise ConfigError(
            f"The expression {shown(text)} has {len(text)} characters, and may have {LONGEST}."
        )
    try:
        with warnings.catch_warnings():
            # Of "\\*" in a string, and of 1is: the grammar has no use for either.
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", SyntaxWarning)
            tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        where = f" at column {error.offset}" if error.offset else ""
        raise ConfigError(f"{shown(text)} can't be read{where}: {error.msg}. {_GRAMMAR}") from None
    except (ValueError, RecursionError, MemoryError):
        # NUL bytes; and brackets or signs nested deeper than the parser goes.
        raise ConfigError(f"{shown(text)} can't be read. {_GRAMMAR}") from None
    reader = _Reader(text)
    return tuple(reader.term(node) for node in reader.terms(tree))


class _Reader:
    """Turns a syntax tree into terms, and refuses what the grammar hasn't."""

    def __init__(self, text: str) -> None:
        self.text = text

    def terms(self, node: ast.expr) -> list[ast.expr]:
        """Return the summands, from left to right."""
        found = []
        # A sum leans to the left; walking it needs no recursion.
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            found.append(node.right)
            node = node.left
        return [node, *reversed(found)]

    def term(self, node: ast.expr) -> Call:
        """Return a call, with the number that it is multiplied by."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            for factor, call in ((node.left, node.right), (node.right, node.left)):
                number = self.number(factor)
                if number is not None:
                    return self.call(call, float(number))
            self.refuse(node, "a term can be multiplied by one number")
        return self.call(node, 1.0)

    def call(self, node: ast.expr, weight: float) -> Call:
        """Return a name, with its arguments if it has any."""
        if not isinstance(node, ast.Call):
            return Call(name=self.name(node), weight=weight)
        kwargs: dict[str, Any] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                self.refuse(keyword.value, "'**' isn't allowed")
            if keyword.arg in kwargs:
                self.refuse(keyword.value, f"{keyword.arg!r} is given twice")
            kwargs[keyword.arg] = self.value(keyword.value, 0)
        args = tuple(self.value(argument, 0) for argument in node.args)
        return Call(name=self.name(node.func), args=args, kwargs=kwargs, weight=weight)

    def name(self, node: ast.expr) -> str:
        """Return a name, quoted or not."""
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        return self.refuse(
            node, "a name is expected here, in quotes where it has a slash: 'keras/huber'(2)"
        )

    def number(self, node: ast.expr) -> int | float | None:
        """Return a number with its sign, or None for anything else."""
        sign = 1
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            sign = -1 if isinstance(node.op, ast.USub) else 1
            node = node.operand
        if not isinstance(node, ast.Constant) or isinstance(node.value, bool):
            return None
        if not isinstance(node.value, int | float):
            return None
        if not abs(node.value) <= sys.float_info.max:
            self.refuse(node, "a number must be finite, and a float can hold it")
        return sign * node.value

    def value(self, node: ast.expr, depth: int) -> Any:
        """Return the value of an argument."""
        if depth > _DEEPEST:
            self.refuse(node, f"lists may be nested {_DEEPEST} deep")
        number = self.number(node)
        if number is not None:
            return number
        match node:
            case ast.Constant(value=None | bool() | str()):
                return node.value
            case ast.Name(id=name) if name in _CONSTANTS:
                return _CONSTANTS[name]
            case ast.List(elts=entries) | ast.Tuple(elts=entries):
                return tuple(self.value(entry, depth + 1) for entry in entries)
        return self.refuse(node, "an argument is a number, a string, a list, True, False or None")

    def refuse(self, node: ast.expr, rule: str) -> NoReturn:
        """Raise for a part that the grammar hasn't."""
        part = ast.get_source_segment(self.text, node) or self.text
        raise ConfigError(
            f"In {shown(self.text)}, {shown(part)} at column {node.col_offset + 1} can't stay: "
            f"{rule}. {_GRAMMAR}"
        )


def _written(value: Any) -> str:
    """Return a value as the grammar has it: a list for a tuple."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_written, value))}]"
    return repr(value)
