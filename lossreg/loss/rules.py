"""Rules across parameters: comparisons such as `low < high`, read from data and never evaluated."""

import ast
import functools
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import SpecError


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A comparison of parameters, such as `low < high`."""

    text: str
    left: ast.expr
    right: ast.expr
    holds: Callable[[Any, Any], bool]

    def is_broken(self, params: Mapping[str, Any]) -> bool:
        """Return whether parameters break the rule; one that is no number breaks none."""
        sides = [_number(side, params) for side in (self.left, self.right)]
        return None not in sides and not self.holds(*sides)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are compared."""
        nodes = (*ast.walk(self.left), *ast.walk(self.right))
        return tuple(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))


_COMPARISONS: Mapping[type, Callable[[Any, Any], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.NotEq: operator.ne,
}
_SIGNS: Mapping[type, Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
}


@functools.cache
def read_rule(loss: str, text: str) -> Rule:
    """Return a rule from its text.

    Raises:
        SpecError: It isn't a comparison of sums and products of parameters and numbers.
    """
    try:
        node = ast.parse(text, mode="eval").body
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        node = None
    match node:
        case ast.Compare(left=left, ops=[sign], comparators=[right]) if type(sign) in _COMPARISONS:
            if _is_sum(left) and _is_sum(right):
                return Rule(text=text, left=left, right=right, holds=_COMPARISONS[type(sign)])
    raise SpecError(
        f"LossSpec {loss!r}: a rule must compare parameters, such as 'low < high' or "
        f"'alpha + beta <= 1', got {text!r}."
    )


def _is_sum(node: ast.expr) -> bool:
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            return type(sign) in _SIGNS and _is_sum(left) and _is_sum(right)
        case ast.Name():
            return True
        case ast.Constant(value=int() | float()):
            return True
    return False


def _number(node: ast.expr, params: Mapping[str, Any]) -> Any:
    """Return the value of a side of a rule, or None where a parameter is no number."""
    match node:
        case ast.BinOp(left=left, op=sign, right=right):
            sides = [_number(side, params) for side in (left, right)]
            return None if None in sides else _SIGNS[type(sign)](*sides)
        case ast.Name(id=name):
            value = params.get(name)
            return value if isinstance(value, int | float) else None
        case ast.Constant(value=value):
            return value
    return None
