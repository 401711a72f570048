"""JavaScript for a graph of operations: one function of numbers, each operation in its place.

An array is never made where a formula of its indexes will do. Axes of length 1 have no index.
"""

import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .graph import Graph
from .indexes import Index, choose, plus, ravel, reshaped, unravel
from .node import Array, Node, UntranslatableError, is_plain_scatter

_BINARY = {
    "add": "({}+{})",
    "add_any": "({}+{})",
    "sub": "({}-{})",
    "mul": "({}*{})",
    "div": "({}/{})",
    "rem": "({}%{})",
    "max": "Math.max({},{})",
    "min": "Math.min({},{})",
    "pow": "Math.pow({},{})",
    "atan2": "Math.atan2({},{})",
    "eq": "({}==={})",
    "ne": "({}!=={})",
    "lt": "({}<{})",
    "le": "({}<={})",
    "gt": "({}>{})",
    "ge": "({}>={})",
    "eq_to": "({}==={})",
    "lt_to": "({}<{})",
    "le_to": "({}<={})",
    "and": "({}&{})",
    "or": "({}|{})",
    "xor": "({}^{})",
}
_UNARY = {
    "neg": "(-{})",
    "is_finite": "Number.isFinite({})",
    "exp": "Math.exp({})",
    "exp2": "Math.pow(2,{})",
    "log": "Math.log({})",
    "log1p": "Math.log1p({})",
    "expm1": "Math.expm1({})",
    "sqrt": "Math.sqrt({})",
    "rsqrt": "(1/Math.sqrt({}))",
    "cbrt": "Math.cbrt({})",
    "abs": "Math.abs({})",
    "sign": "Math.sign({})",
    "floor": "Math.floor({})",
    "ceil": "Math.ceil({})",
    "round": "round({})",
    "sin": "Math.sin({})",
    "cos": "Math.cos({})",
    "tan": "Math.tan({})",
    "asin": "Math.asin({})",
    "acos": "Math.acos({})",
    "atan": "Math.atan({})",
    "sinh": "Math.sinh({})",
    "cosh": "Math.cosh({})",
    "tanh": "Math.tanh({})",
    "asinh": "Math.asinh({})",
    "acosh": "Math.acosh({})",
    "atanh": "Math.atanh({})",
    "logistic": "(1/(1+Math.exp(-{})))",
    "square": "square({})",
    "lgamma": "logGamma({})",
    "digamma": "digamma({})",
    "erf": "erf({})",
    "erfc": "erfc({})",
    "erf_inv": "erfInverse({})",
}
_REDUCTIONS = {
    "reduce_sum": "sum",
    "reduce_max": "largest",
    "reduce_min": "smallest",
    "reduce_prod": "product",
    "reduce_and": "every",
    "reduce_or": "some",
}
_CUMULATIVE = {"cumsum": "sum", "cumprod": "product", "cummax": "largest", "cummin": "smallest"}
_MADE = {*_REDUCTIONS, *_CUMULATIVE, "argmax", "argmin", "sort", "dot_general", "scatter-add"}


def write_function(graph: Graph, arguments: str) -> str:
    """Return a JavaScript function that computes numbers.

    Args:
        graph: What it computes; each output is a single number.
        arguments: Its arguments, as JavaScript has them.

    Raises:
        UntranslatableError: There is something that no JavaScript is written for.
    """
    return _Writer(graph).function(arguments)


class _Writer:
    def __init__(self, graph: Graph) -> None:
        self._outputs, self._order = graph.outputs, graph.order
        self._uses = Counter(node for each in self._order for node in each.inputs)
        self._uses.update(self._outputs)
        # What an array's formula would compute for each of its entries again.
        self._hoisted = {
            node for each in self._order if each.size > 1 for node in each.inputs if node.size == 1
        }
        self._names: dict[Node, str] = {}
        self._lines: list[str] = []
        self._letters = _letters()
        # Each has its own, so that no loop hides the index of another.
        self._indexes = (f"i{number}" for number in itertools.count())

    def function(self, arguments: str) -> str:
        for node in self._order:
            if self._needs_name(node):
                text = self._made(node)
                if not text.isalnum():
                    name = next(self._letters)
                    self._lines.append(f"{name}={text}")
                    text = name
                self._names[node] = text
        results = ",".join(
            self.expression(node, ("0",) * len(node.shape)) for node in self._outputs
        )
        body = f"const {','.join(self._lines)};" if self._lines else ""
        return f"({arguments})=>{{{body}return[{results}]}}"

    def _needs_name(self, node: Node) -> bool:
        if node.op in ("constant", "input", "iota", "broadcast_in_dim", "reshape", "squeeze"):
            return False
        return node.op in _MADE or self._uses[node] > 1 or node in self._hoisted

    def _made(self, node: Node) -> str:
        """Return what makes a node: a number, or an array of its entries in order."""
        special: dict[str, Callable[[Node], str]] = {
            "argmax": self._arg,
            "argmin": self._arg,
            "sort": self._sort,
            "dot_general": self._dot,
            "scatter-add": self._scattered,
        }
        if node.op in _REDUCTIONS:
            return self._array(node, lambda at: self._reduction(node, at))
        if node.op in _CUMULATIVE:
            return self._array(node, lambda at: self._cumulative(node, at))
        if node.op in special:
            return special[node.op](node)
        return self._array(node, lambda at: self._formula(node, at))

    def _array(self, node: Node, formula: Callable[[Index], str]) -> str:
        if node.size == 1:
            return formula(("0",) * len(node.shape))
        variable = next(self._indexes)
        return f"each({node.size},{variable}=>{formula(unravel(variable, node.shape))})"

    def expression(self, node: Node, at: Index) -> str:
        """Return an entry of a node, by its index on each axis."""
        if node in self._names:
            name = self._names[node]
            return name if node.size == 1 else f"{name}[{ravel(at, node.shape)}]"
        return self._formula(node, at)

    def _formula(self, node: Node, at: Index) -> str:
        text = self._moved(node, at)
        if text is None:
            # A scalar may stand for an array.
            entries = [
                self.expression(
                    each,
                    _fitted(at, each) if len(each.shape) == len(at) else ("0",) * len(each.shape),
                )
                for each in node.inputs
            ]
            text = self._computed(node, entries)
        return text

    def _computed(self, node: Node, entries: list[str]) -> str:
        """Return an entry that follows from the entries at the same place."""
        one, *rest = entries or [""]
        match node.op, node.kind:
            case "integer_pow", _:
                exponent = node.attributes["y"]
                return f"square({one})" if exponent == 2 else f"Math.pow({one},{exponent})"
            case "convert_element_type", _:
                return _converted(node, one)
            case "not", kind:
                return f"(!{one})" if kind == "bool" else f"(~{one})"
            case "select_n", _ if len(rest) == 2:
                return f"({one}?{rest[1]}:{rest[0]})"
            case "clamp", _:
                return f"Math.min(Math.max({rest[0]},{one}),{rest[1]})"
            case "div", "int":
                return f"Math.trunc({one}/{rest[0]})"
            case "xor", "bool":
                return f"(!{one}!==!{rest[0]})"
            case ("and" | "or") as op, "bool":
                return f"({one}{'&&' if op == 'and' else '||'}{rest[0]})"
        if node.op in _BINARY:
            return _BINARY[node.op].format(*entries)
        if node.op in _UNARY:
            return _UNARY[node.op].format(one)
        raise UntranslatableError(f"its program has {node.op!r}, which isn't translated")

    def _moved(self, node: Node, at: Index) -> str | None:
        """Return an entry that comes from another place, or None if nothing is moved."""
        attributes = node.attributes

        def take(place: Sequence[str]) -> str:
            return self.expression(node.inputs[0], _fitted(place, node.inputs[0]))

        match node.op:
            case "constant":
                return _constant(node.value, at)
            case "input":
                return str(attributes["text"])
            case "iota":
                axis: int = attributes["dimension"]
                return at[axis]
            case "broadcast_in_dim":
                return take([at[place] for place in attributes["broadcast_dimensions"]])
            case "reshape" | "squeeze" | "expand_dims":
                return take(reshaped(at, node.shape, node.inputs[0].shape))
            case "transpose":
                places = dict(zip(attributes["permutation"], at, strict=True))
                return take([places[axis] for axis in range(len(at))])
            case "rev":
                turned = enumerate(zip(at, node.shape, strict=True))
                return take(
                    [
                        f"({size - 1}-{each})" if axis in attributes["dimensions"] else each
                        for axis, (each, size) in turned
                    ]
                )
            case "slice":
                starts = attributes["start_indices"]
                strides = attributes["strides"] or (1,) * len(starts)
                return take(
                    [
                        plus(each if stride == 1 else f"({each}*{stride})", start)
                        for each, start, stride in zip(at, starts, strides, strict=True)
                    ]
                )
            case "split":
                start = sum(attributes["sizes"][: attributes["output"]])
                axis = attributes["axis"]
                return take((*at[:axis], plus(at[axis], start), *at[axis + 1 :]))
            case "unstack":
                axis, place = attributes["axis"], str(attributes["output"])
                return take((*at[:axis], place, *at[axis:]))
            case "stack":
                axis = attributes["axis"]
                rest = (*at[:axis], *at[axis + 1 :])
                return choose(at[axis], [self.expression(part, rest) for part in node.inputs])
            case "top_k" if node.inputs[0].size == 1:
                return "0" if attributes["output"] else take(at)
            case "concatenate":
                return self._joined(node, at)
            case "pad":
                return self._padded(node, at)
            case "gather":
                return self._gathered(node, at)
        return None

    def _joined(self, node: Node, at: Index) -> str:
        axis = node.attributes["dimension"]
        if all(part.shape[axis] == 1 for part in node.inputs):
            place = (*at[:axis], "0", *at[axis + 1 :])
            return choose(at[axis], [self.expression(part, place) for part in node.inputs])
        start, text = node.shape[axis], ""
        for part in reversed(node.inputs):
            start -= part.shape[axis]
            index = "0" if part.shape[axis] == 1 else plus(at[axis], -start)
            entry = self.expression(part, (*at[:axis], index, *at[axis + 1 :]))
            text = f"({at[axis]}<{start + part.shape[axis]}?{entry}:{text})" if text else entry
        return text

    def _padded(self, node: Node, at: Index) -> str:
        source, filling = node.inputs
        place, inside = [], []
        for each, (low, high, inner), size in zip(
            at, node.attributes["padding_config"], source.shape, strict=True
        ):
            if inner or low < 0 or high < 0:
                raise UntranslatableError("its program has a padding that isn't translated")
            place.append("0" if size == 1 else plus(each, -low))
            if low:
                inside.append(f"{each}>={low}")
            if high:
                inside.append(f"{each}<{low + size}")
        entry = self.expression(source, tuple(place))
        other = self.expression(filling, ())
        return f"({'&&'.join(inside)}?{entry}:{other})" if inside else entry

    def _gathered(self, node: Node, at: Index) -> str:
        source, indices = node.inputs
        numbers = node.attributes["dimension_numbers"]
        sizes = node.attributes["slice_sizes"]
        batch = [each for axis, each in enumerate(at) if axis not in numbers.offset_dims]
        offsets = iter(at[axis] for axis in numbers.offset_dims)
        dropped = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
        place = []
        for axis, size in enumerate(source.shape):
            index = "0"
            if axis in numbers.start_index_map:
                part = str(numbers.start_index_map.index(axis))
                last = "0" if indices.shape[-1] == 1 else part
                entry = self.expression(indices, _fitted((*batch, last), indices))
                index = f"between({entry},{size - sizes[axis]})"
            elif axis in numbers.operand_batching_dims:
                which = numbers.operand_batching_dims.index(axis)
                index = batch[numbers.start_indices_batching_dims[which]]
            if axis not in dropped:
                offset = next(offsets)
                index = (
                    offset if index == "0" else (index if offset == "0" else f"{index}+{offset}")
                )
            place.append("0" if size == 1 else index)
        return self.expression(source, tuple(place))

    def _reduction(self, node: Node, at: Index) -> str:
        source = node.inputs[0]
        axes = [axis for axis in node.attributes["axes"] if source.shape[axis] > 1]
        kept = iter(at)
        place = [
            "0" if axis in node.attributes["axes"] else next(kept)
            for axis in range(len(source.shape))
        ]
        if not axes:
            return self.expression(source, tuple(place))
        variable = next(self._indexes)
        sizes = tuple(source.shape[axis] for axis in axes)
        for axis, index in zip(axes, unravel(variable, sizes), strict=True):
            place[axis] = index
        count = int(np.prod(sizes))
        entry = self.expression(source, tuple(place))
        return f"{_REDUCTIONS[node.op]}({count},{variable}=>{entry})"

    def _cumulative(self, node: Node, at: Index) -> str:
        source, axis = node.inputs[0], node.attributes["axis"]
        variable, size = next(self._indexes), node.shape[axis]
        backwards = node.attributes.get("reverse")
        start, count = (at[axis], f"{size}-{at[axis]}") if backwards else ("0", f"{at[axis]}+1")
        index = variable if start == "0" else f"({variable}+{start})"
        entry = self.expression(source, (*at[:axis], index, *at[axis + 1 :]))
        return f"{_CUMULATIVE[node.op]}({count},{variable}=>{entry})"

    def _scattered(self, node: Node) -> str:
        if not is_plain_scatter(node):
            raise UntranslatableError("its program has 'scatter-add', which isn't translated")
        source, indices, updates = node.inputs
        variable, count = next(self._indexes), updates.size
        index = variable if count > 1 else "0"
        place = self.expression(indices, _fitted((index, "0"), indices))
        update = self.expression(updates, _fitted((index,), updates))

        def formula(at: Index) -> str:
            here = f"({place}==={at[0]}?{update}:0)"
            total = here if count == 1 else f"sum({count},{variable}=>{here})"
            return f"({self.expression(source, _fitted(at, source))}+{total})"

        return self._array(node, formula)

    def _line(self, source: Node, axis: int, at: Index, variable: str) -> str:
        """Return an entry along an axis, at a place of the other axes."""
        return self.expression(source, (*at[:axis], variable, *at[axis:]))

    def _arg(self, node: Node) -> str:
        source, axis = node.inputs[0], node.attributes["axes"][0]
        sign = "" if node.op == "argmax" else "-"
        variable = next(self._indexes)

        def formula(at: Index) -> str:
            entry = self._line(source, axis, at, variable)
            return f"place({source.shape[axis]},{variable}=>{sign}{entry})"

        return self._array(node, formula)

    def _sort(self, node: Node) -> str:
        axis = node.attributes["dimension"]
        source, key = node.inputs[node.attributes["output"]], node.inputs[0]
        if node.attributes["num_keys"] != 1 or node.size != node.shape[axis]:
            raise UntranslatableError("its program sorts in a way that isn't translated")
        if node.size == 1:
            return self.expression(source, ("0",) * len(node.shape))
        variable = next(self._indexes)

        def entries(of: Node) -> str:
            entry = self.expression(of, unravel(variable, node.shape))
            return f"each({node.size},{variable}=>{entry})"

        return f"sorted({entries(key)},{entries(source)})"

    def _dot(self, node: Node) -> str:
        ((left, right), (left_batch, right_batch)) = node.attributes["dimension_numbers"]
        if left_batch or right_batch:
            raise UntranslatableError("its program multiplies matrices in a way not translated")
        one, two = node.inputs
        sizes = tuple(one.shape[axis] for axis in left)
        variable = next(self._indexes)
        inner = unravel(variable, sizes)

        def formula(at: Index) -> str:
            rest = iter(at)
            places = []
            for source, contracted in ((one, left), (two, right)):
                places.append(
                    tuple(
                        inner[contracted.index(axis)] if axis in contracted else next(rest)
                        for axis in range(len(source.shape))
                    )
                )
            product = f"{self.expression(one, places[0])}*{self.expression(two, places[1])}"
            count = int(np.prod(sizes))
            if count == 1:
                return f"({product})"
            return f"sum({count},{variable}=>{product})"

        return self._array(node, formula)


def _converted(node: Node, text: str) -> str:
    source = node.inputs[0].kind
    if node.kind == "bool":
        return f"({text}!==0)"
    if source == "bool":
        return f"Number({text})"
    return f"Math.trunc({text})" if node.kind == "int" else text


def _fitted(at: Sequence[str], node: Node) -> Index:
    """Return an index in which an axis of length 1 has none."""
    return tuple("0" if size == 1 else each for each, size in zip(at, node.shape, strict=True))


def _letters() -> Iterator[str]:
    small = "abcdefghijklmoqrstuvw"  # n, p, x and y have a meaning
    for length in itertools.count(1):
        for letters in map("".join, itertools.product(small, repeat=length)):
            if letters not in _RESERVED:
                yield letters


_RESERVED = {"as", "do", "if", "in", "is", "of", "for", "let", "new", "try", "var", "sum", "get"}
_RESERVED |= {"set", "int", "erf", "each", "some", "this", "case", "else", "enum", "goto", "true"}


def _constant(value: Array, at: Index) -> str:
    flat = value.reshape(-1)
    if flat.size == 1 or bool(np.all(flat == flat[0])):
        return number_text(flat[0])
    index = ravel(at, value.shape)
    if re.fullmatch(r"\d+", index):
        return number_text(flat[int(index)])
    if bool(np.all(flat[1:] == flat[1])):
        # The first class and the others.
        return f"({index}<1?{number_text(flat[0])}:{number_text(flat[1])})"
    return f"[{','.join(map(number_text, flat))}][{index}]"


def number_text(value: Any) -> str:
    """Return a number or a truth value in JavaScript."""
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | np.integer):
        return str(int(value)) if value >= 0 else f"({int(value)})"
    number = float(value)
    if np.isnan(number):
        return "NaN"
    if np.isinf(number):
        return "Infinity" if number > 0 else "(-Infinity)"
    text = repr(number).removesuffix(".0").replace("e-0", "e-").replace("e+", "e")
    return f"({text})" if number < 0 else text
