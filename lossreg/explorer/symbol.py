"""A parameter whose value is open while JAX traces a loss: what Python asks of it is recorded.

Python code of a loss may compare a parameter, `if gamma == 0`. A program is traced for one answer
to each comparison, and the comparisons say for which values of the parameters it holds.
"""

import contextlib
import math
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import numpy as np

Array = np.ndarray[Any, Any]


class ConcreteError(TypeError):
    """Python code needs the number that a parameter stands for.

    Args:
        text: The parameter, or the formula of it.
    """

    def __init__(self, text: str) -> None:
        super().__init__(f"Python code needs the value of {text}")


@dataclass(frozen=True)
class Answer:
    """A comparison of parameters, in JavaScript, and whether it holds."""

    text: str
    holds: bool

    def __str__(self) -> str:
        return f"({self.text})" if self.holds else f"!({self.text})"


@dataclass
class Answers:
    """The answers that one trace gives, and which samples of parameter values differ from them.

    Args:
        mask: The samples that the trace stands for.
        given: Answers that are fixed.
    """

    mask: Array
    given: tuple[Answer, ...] = ()
    path: list[Answer] = field(default_factory=list)
    deviating: list[Array] = field(default_factory=list)

    def decide(self, text: str, truth: Array) -> bool:
        """Return the answer for a comparison: that of most samples."""
        for answer in (*self.given, *self.path):
            if answer.text == text:
                return answer.holds
        holds = bool(truth[self.mask].mean() >= 0.5)
        differ = self.mask & (truth != holds)
        if differ.any():
            self.path.append(Answer(text, holds))
            self.deviating.append(differ)
            self.mask = self.mask & ~differ
        return holds


class Condition:
    """A comparison of parameters."""

    def __init__(self, answers: Answers, text: str, truth: Array) -> None:
        self._answers, self._text, self._truth = answers, text, truth

    def __bool__(self) -> bool:
        return self._answers.decide(self._text, self._truth)


Operator = Callable[["Symbol", Any], Any]


class Symbol:
    """A number that depends on parameters: a tracer of JAX, a formula, and samples of its values.

    Args:
        answers: Where comparisons are answered.
        tracer: The number for JAX.
        text: The number in JavaScript.
        samples: Its values.
    """

    # NumPy leaves arithmetic with its arrays to this class.
    __array_ufunc__ = None

    def __init__(self, answers: Answers, tracer: Any, text: str, samples: Array) -> None:
        self.answers, self.tracer, self.text, self.samples = answers, tracer, text, samples

    def __jax_array__(self) -> Any:
        return self.tracer

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.tracer, name)

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        truth = np.asarray(self.samples != 0)
        return bool(Condition(self.answers, f"{self.text}!==0", truth))

    def _needs_value(self, *_: Any) -> NoReturn:
        raise ConcreteError(self.text)

    __float__ = __int__ = __index__ = __round__ = __complex__ = _needs_value

    def derive(self, tracer: Any, text: str, samples: Any) -> "Symbol":
        """Return another number of the same trace."""
        return Symbol(self.answers, tracer, text, np.asarray(samples))

    def __neg__(self) -> "Symbol":
        return self.derive(-self.tracer, f"(-{self.text})", -self.samples)

    def __pos__(self) -> "Symbol":
        return self

    def __abs__(self) -> "Symbol":
        return self.derive(abs(self.tracer), f"Math.abs({self.text})", abs(self.samples))

    @staticmethod
    def _arithmetic(compute: Callable[..., Any], form: str) -> tuple[Operator, Operator]:
        def forward(self: "Symbol", other: Any) -> Any:
            return _combine(self, other, compute, form, swapped=False)

        def backward(self: "Symbol", other: Any) -> Any:
            return _combine(self, other, compute, form, swapped=True)

        return forward, backward

    __add__, __radd__ = _arithmetic(operator.add, "({}+{})")
    __sub__, __rsub__ = _arithmetic(operator.sub, "({}-{})")
    __mul__, __rmul__ = _arithmetic(operator.mul, "({}*{})")
    __truediv__, __rtruediv__ = _arithmetic(operator.truediv, "({}/{})")
    __pow__, __rpow__ = _arithmetic(operator.pow, "Math.pow({},{})")
    __floordiv__, __rfloordiv__ = _arithmetic(operator.floordiv, "Math.floor({}/{})")
    __mod__, __rmod__ = _arithmetic(operator.mod, "modulo({},{})")

    def __divmod__(self, other: Any) -> tuple[Any, Any]:
        return self // other, self % other

    @staticmethod
    def _comparison(compute: Callable[..., Any], sign: str) -> Operator:
        def compare(self: "Symbol", other: Any) -> Any:
            operand = _operand(other)
            if operand is not None:
                truth = np.broadcast_to(compute(self.samples, operand.samples), self.samples.shape)
                return Condition(self.answers, f"{self.text}{sign}{operand.text}", truth)
            if isinstance(other, float):
                # It is infinite, and no parameter is.
                return compute(0.0, other)
            if other is None or isinstance(other, str | tuple | list):
                return NotImplemented
            return compute(self.tracer, other)

        return compare

    __eq__ = _comparison(operator.eq, "===")
    __ne__ = _comparison(operator.ne, "!==")
    __lt__ = _comparison(operator.lt, "<")
    __le__ = _comparison(operator.le, "<=")
    __gt__ = _comparison(operator.gt, ">")
    __ge__ = _comparison(operator.ge, ">=")


@dataclass(frozen=True)
class _Operand:
    """A symbol, or a number of Python."""

    value: Any
    text: str
    samples: Any


def _operand(other: Any) -> _Operand | None:
    if isinstance(other, Symbol):
        return _Operand(other.tracer, other.text, other.samples)
    if isinstance(other, bool | int | float) and math.isfinite(other):
        number = repr(float(other))
        return _Operand(other, f"({number})" if other < 0 else number, other)
    return None


def _combine(
    symbol: Symbol, other: Any, compute: Callable[..., Any], form: str, *, swapped: bool
) -> Any:
    one, two = _operand(symbol), _operand(other)
    assert one is not None
    if two is None:
        # An array: the result is one too.
        return compute(other, one.value) if swapped else compute(one.value, other)
    first, second = (two, one) if swapped else (one, two)
    with np.errstate(all="ignore"):
        samples = compute(first.samples, second.samples)
    text = form.format(first.text, second.text)
    return symbol.derive(compute(first.value, second.value), text, samples)


# What `math` calls them, and what NumPy and JAX do.
_FUNCTIONS = {
    name: name for name in ("log", "log1p", "log2", "log10", "exp", "expm1", "sqrt", "sin", "cos")
}
_FUNCTIONS |= {"tan": "tan", "tanh": "tanh", "atan": "arctan", "fabs": "abs"}


@contextlib.contextmanager
def open_functions() -> Iterator[None]:
    """Let the functions of `math`, and those of JAX that don't, take symbols.

    It changes these modules for the whole process.
    """
    import jax.numpy as jnp

    usual = {name: getattr(math, name) for name in (*_FUNCTIONS, "fsum", "pow")}
    where = jnp.where
    try:
        for name in _FUNCTIONS:
            setattr(math, name, _open(name, usual[name]))
        _replace(math, "fsum", _sum(usual["fsum"]))
        _replace(math, "pow", _power(usual["pow"]))
        _replace(jnp, "where", lambda *values, **options: where(*map(_tracer, values), **options))
        yield
    finally:
        _replace(jnp, "where", where)
        for name, function in usual.items():
            setattr(math, name, function)


def _replace(module: Any, name: str, function: Callable[..., Any]) -> None:
    setattr(module, name, function)


def _tracer(value: Any) -> Any:
    return value.tracer if isinstance(value, Symbol) else value


def _power(usual: Callable[[Any, Any], float]) -> Callable[[Any, Any], Any]:
    def power(x: Any, y: Any) -> Any:
        return x**y if isinstance(x, Symbol) or isinstance(y, Symbol) else usual(x, y)

    return power


def _open(name: str, usual: Callable[[Any], float]) -> Callable[..., Any]:
    def function(x: Any, *base: Any) -> Any:
        if not isinstance(x, Symbol) or base:
            return usual(x, *base)
        import jax.numpy as jnp

        array_name = _FUNCTIONS[name]
        script_name = "abs" if name == "fabs" else name
        with np.errstate(all="ignore"):
            samples = getattr(np, array_name)(x.samples)
        return x.derive(
            getattr(jnp, array_name)(x.tracer), f"Math.{script_name}({x.text})", samples
        )

    return function


def _sum(usual: Callable[[Iterable[Any]], float]) -> Callable[[Iterable[Any]], Any]:
    def total(numbers: Iterable[Any]) -> Any:
        numbers = list(numbers)
        symbols = {each.text: each for each in numbers if isinstance(each, Symbol)}
        # Alike ones are multiplied, so that a sum over classes has the same form for any number.
        counts = Counter(each.text for each in numbers if isinstance(each, Symbol))
        result: Any = usual(each for each in numbers if not isinstance(each, Symbol))
        for text, symbol in symbols.items():
            result = result + symbol * counts[text]
        return result

    return total
