"""A graph of operations computed in Python, to fold constants and to compare programs."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .node import Array, Node, UntranslatableError, is_plain_scatter

_UFUNCS: Mapping[str, Callable[..., Any]] = {
    "add": np.add,
    "add_any": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "rem": np.fmod,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "atan2": np.arctan2,
    "eq": np.equal,
    "ne": np.not_equal,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq_to": np.equal,
    "lt_to": np.less,
    "le_to": np.less_equal,
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.invert,
    "neg": np.negative,
    "is_finite": np.isfinite,
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "cbrt": np.cbrt,
    "abs": np.abs,
    "sign": np.sign,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "sin": np.sin,
    "cos": np.cos,
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "tanh": np.tanh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "logistic": lambda x: 1 / (1 + np.exp(-x)),
    "square": np.square,
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
}
_SPECIAL = {
    "lgamma": "gammaln",
    "digamma": "digamma",
    "erf": "erf",
    "erfc": "erfc",
    "erf_inv": "erfinv",
}
_REDUCTIONS: Mapping[str, Callable[..., Any]] = {
    "reduce_sum": np.sum,
    "reduce_max": np.max,
    "reduce_min": np.min,
    "reduce_prod": np.prod,
    "reduce_and": np.all,
    "reduce_or": np.any,
}
_CUMULATIVE: Mapping[str, Callable[..., Any]] = {
    "cumsum": np.cumsum,
    "cumprod": np.cumprod,
    "cummax": np.maximum.accumulate,
    "cummin": np.minimum.accumulate,
}
_DTYPES = {"float": np.float64, "int": np.int64, "bool": np.bool_}


def evaluate(order: Sequence[Node], inputs: Mapping[str, float]) -> dict[Node, Array]:
    """Return the value of each node.

    Args:
        order: Nodes, each after its inputs.
        inputs: The number for each input.
    """
    values: dict[Node, Array] = {}
    with np.errstate(all="ignore"):
        for node in order:
            if node.op == "constant":
                values[node] = node.value
            elif node.op == "input":
                values[node] = np.full(node.shape, inputs[node.attributes["text"]])
            else:
                values[node] = _result(node, [values[each] for each in node.inputs])
    return values


def compute(node: Node, inputs: Sequence[Array]) -> Array:
    """Return the result of one operation.

    Raises:
        UntranslatableError: It isn't known here.
    """
    with np.errstate(all="ignore"):
        return _result(node, inputs)


def _result(node: Node, inputs: Sequence[Array]) -> Array:
    result: Array = np.asarray(_compute(node, inputs), _DTYPES[node.kind])
    return result if result.shape == node.shape else np.broadcast_to(result, node.shape)


def _compute(node: Node, inputs: Sequence[Array]) -> Any:
    op, attributes = node.op, node.attributes
    # Only `iota` has none.
    one: Any = inputs[0] if inputs else None
    match op:
        case "integer_pow":
            return np.asarray(one, float) ** attributes["y"]
        case "convert_element_type":
            return np.trunc(one) if node.kind == "int" else one
        case "select_n":
            which, *cases = inputs
            return np.choose(np.broadcast_to(which.astype(int), node.shape), cases)
        case "iota":
            axis = attributes["dimension"]
            shape = [size if at == axis else 1 for at, size in enumerate(node.shape)]
            return np.arange(node.shape[axis]).reshape(shape)
        case "broadcast_in_dim":
            shape = [1] * len(node.shape)
            for axis, size in zip(attributes["broadcast_dimensions"], one.shape, strict=True):
                shape[axis] = size
            return one.reshape(shape)
        case "reshape" | "squeeze" | "expand_dims":
            return np.reshape(one, node.shape)
        case "transpose":
            return np.transpose(one, attributes["permutation"])
        case "rev":
            return np.flip(one, attributes["dimensions"])
        case "slice":
            strides = attributes["strides"] or (1,) * len(node.shape)
            bounds = zip(
                attributes["start_indices"], attributes["limit_indices"], strides, strict=True
            )
            return one[tuple(slice(*each) for each in bounds)]
        case "concatenate":
            return np.concatenate(inputs, attributes["dimension"])
        case "pad":
            widths = [(low, high) for low, high, _ in attributes["padding_config"]]
            return np.pad(inputs[0], widths, constant_values=inputs[1])
        case "split":
            borders = np.cumsum(attributes["sizes"])[:-1]
            return np.split(inputs[0], borders, attributes["axis"])[attributes["output"]]
        case "gather":
            return _gathered(node, *inputs)
        case "stack":
            return np.stack(inputs, attributes["axis"])
        case "unstack":
            return np.take(inputs[0], attributes["output"], attributes["axis"])
        case "top_k" if node.inputs[0].size == 1:
            return np.zeros(node.shape) if attributes["output"] else one
        case "scatter-add" if is_plain_scatter(node):
            found = np.array(one)
            np.add.at(found, inputs[1][:, 0], inputs[2])
            return found
        case "argmax" | "argmin":
            return getattr(np, op)(one, attributes["axes"][0])
        case "sort":
            order = np.argsort(inputs[0], attributes["dimension"], kind="stable")
            return np.take_along_axis(inputs[attributes["output"]], order, attributes["dimension"])
        case "dot_general":
            return np.tensordot(inputs[0], inputs[1], attributes["dimension_numbers"][0])
        case "div" if node.kind == "int":
            return np.trunc(np.true_divide(*inputs))
    if op in _REDUCTIONS:
        return _REDUCTIONS[op](one, axis=tuple(attributes["axes"]))
    if op in _CUMULATIVE:
        axis = attributes["axis"]
        if not attributes.get("reverse"):
            return _CUMULATIVE[op](one, axis=axis)
        return np.flip(_CUMULATIVE[op](np.flip(inputs[0], axis), axis=axis), axis)
    if op in _SPECIAL:
        # JAX needs SciPy too.
        import scipy.special

        return getattr(scipy.special, _SPECIAL[op])(one)
    if op not in _UFUNCS:
        raise UntranslatableError(f"its program has {op!r}, which isn't translated")
    return _UFUNCS[op](*inputs)


def _gathered(node: Node, source: Array, indices: Array) -> Array:
    numbers, sizes = node.attributes["dimension_numbers"], node.attributes["slice_sizes"]
    dropped = {*numbers.collapsed_slice_dims, *numbers.operand_batching_dims}
    result = np.empty(node.shape, source.dtype)
    for at in itertools.product(*map(range, node.shape)):
        batch = [each for axis, each in enumerate(at) if axis not in numbers.offset_dims]
        offsets = iter(at[axis] for axis in numbers.offset_dims)
        place = []
        for axis, size in enumerate(source.shape):
            index = 0
            if axis in numbers.start_index_map:
                entry = indices[(*batch, numbers.start_index_map.index(axis))]
                index = int(np.clip(entry, 0, size - sizes[axis]))
            elif axis in numbers.operand_batching_dims:
                which = numbers.operand_batching_dims.index(axis)
                index = batch[numbers.start_indices_batching_dims[which]]
            place.append(index if axis in dropped else index + next(offsets))
        result[at] = source[tuple(place)]
    return result
