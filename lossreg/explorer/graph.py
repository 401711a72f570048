"""What JAX traced as a graph of plain operations, without nested calls and constants.

Each number is computed in float64, whatever dtype the program names. Nothing here writes
JavaScript.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from .evaluation import compute, evaluate
from .node import Kind, Node, UntranslatableError, array_size, in_order

# Calls whose inputs and outputs are those of the program in them, and where that stands.
_CALLS = {"pjit", "jit", "closed_call", "core_call", "checkpoint", "custom_jvp_call"}
_CALLS |= {"custom_vjp_call", "custom_vjp_call_jaxpr", "remat2"}
_PROGRAMS = ("jaxpr", "call_jaxpr", "fun_jaxpr")
_REDUCTIONS = {"reduce_sum", "reduce_max", "reduce_min", "reduce_prod", "reduce_and", "reduce_or"}
_SEVERAL_RESULTS = {"sort", "split", "top_k", "unstack"}
# Without an effect on a number.
_NOTHING = {"copy", "copy_p", "optimization_barrier", "reduce_precision", "stop_gradient"}
# A loop of more rounds would make a page too long.
_MOST_ROUNDS = 64


class Graph:
    """The operations of one traced program, each of them once.

    Args:
        closed: What `jax.make_jaxpr` returned.
        inputs: What stands for each argument, in JavaScript.
    """

    def __init__(self, closed: Any, inputs: Iterable[str]) -> None:
        self._known: dict[Any, Node] = {}
        arguments = [
            self._node("input", (), {"text": text}, variable.aval.shape, _kind(variable.aval.dtype))
            for text, variable in zip(inputs, closed.jaxpr.invars, strict=True)
        ]
        self.keep(self._run(closed.jaxpr, closed.consts, arguments))

    def keep(self, outputs: list[Node]) -> None:
        """Make it the graph of these outputs alone."""
        self.outputs, self.order = outputs, in_order(outputs)

    def values(self, inputs: Mapping[str, float]) -> list[float]:
        """Return the outputs for the numbers of the inputs."""
        found = evaluate(self.order, inputs)
        return [float(found[node].reshape(())) for node in self.outputs]

    def _node(
        self,
        op: str,
        inputs: tuple[Node, ...],
        attributes: dict[str, Any],
        shape: tuple[int, ...],
        kind: Kind,
    ) -> Node:
        key = (op, *map(id, inputs), repr(sorted(attributes.items())), shape, kind)
        if key not in self._known:
            self._known[key] = Node(op, inputs, attributes, tuple(shape), kind)
        return self._known[key]

    def _constant(self, value: Any) -> Node:
        array = np.asarray(value)
        key = ("constant", array.shape, array.dtype.str, array.tobytes())
        if key not in self._known:
            kind = _kind(array.dtype)
            self._known[key] = Node("constant", (), {}, array.shape, kind, array)
        return self._known[key]

    def _run(self, program: Any, constants: Iterable[Any], inputs: list[Node]) -> list[Node]:
        values: dict[Any, Node] = {}
        for variable, constant in zip(program.constvars, constants, strict=True):
            values[variable] = constant if isinstance(constant, Node) else self._constant(constant)
        values.update(zip(program.invars, inputs, strict=True))

        def read(atom: Any) -> Node:
            # A literal has its value in it.
            return self._constant(atom.val) if hasattr(atom, "val") else values[atom]

        for equation in program.eqns:
            results = self._equation(equation, [read(atom) for atom in equation.invars])
            values.update(zip(equation.outvars, results, strict=True))
        return [read(atom) for atom in program.outvars]

    def _equation(self, equation: Any, inputs: list[Node]) -> list[Node]:
        name, params = equation.primitive.name, equation.params
        match name:
            case _ if name in _NOTHING:
                return inputs
            case "scan":
                return self._scan(params, inputs)
            case "cond":
                return self._branches(params["branches"], inputs)
            case "while":
                raise UntranslatableError("it has a loop whose number of rounds depends on values")
        if name in _CALLS:
            inner = next(params[key] for key in _PROGRAMS if key in params)
            program = getattr(inner, "jaxpr", inner)
            return self._run(program, getattr(inner, "consts", ()), inputs)
        if len(equation.outvars) > 1 and name not in _SEVERAL_RESULTS:
            raise UntranslatableError(f"its program has {name!r}, which isn't translated")
        results = []
        for index, variable in enumerate(equation.outvars):
            attributes = {**_plain(params), "output": index}
            shape, kind = variable.aval.shape, _kind(variable.aval.dtype)
            results.append(self._simplified(name, tuple(inputs), attributes, shape, kind))
        return results

    def _simplified(
        self,
        op: str,
        inputs: tuple[Node, ...],
        attributes: dict[str, Any],
        shape: tuple[int, ...],
        kind: Kind,
    ) -> Node:
        """Return an operation, or what it comes to without one."""
        one = inputs[0] if inputs else None
        if one is not None and all(map(_is_uniform, inputs)) and (kind != "int" or one.size == 1):
            node = Node(op, inputs, attributes, tuple(shape), kind)
            try:
                return self._constant(compute(node, [each.value for each in inputs]))
            except UntranslatableError:
                # It may not be needed.
                return node
        if op == "convert_element_type" and one is not None:
            same = one.kind == kind or (one.kind == "int" and kind == "float")
            if same and one.op != "constant":
                return one
        if op in _REDUCTIONS and one is not None and one.size == array_size(shape):
            op, attributes = "reshape", {}
        if op in ("broadcast_in_dim", "reshape", "squeeze") and one is not None:
            if one.shape == tuple(shape):
                return one
            if one.op == "constant" and one.size == 1:
                return self._constant(np.broadcast_to(one.value.reshape(()), shape))
        if len(inputs) == 2:
            a, b = inputs
            if op in ("mul", "div") and _is(b, 1) and a.shape == tuple(shape):
                return a
            if op == "mul" and _is(a, 1) and b.shape == tuple(shape):
                return b
            if op in ("add", "add_any", "sub") and _is(b, 0) and a.shape == tuple(shape):
                return a
            if op in ("add", "add_any") and _is(a, 0) and b.shape == tuple(shape):
                return b
        if op == "neg" and one is not None and one.op == "neg":
            return one.inputs[0]
        if op == "select_n" and len(set(inputs[1:])) == 1:
            return inputs[1]
        return self._node(op, inputs, attributes, tuple(shape), kind)

    def _scan(self, params: dict[str, Any], inputs: list[Node]) -> list[Node]:
        """Return the results of a loop of known length, round by round."""
        length, consts, carries = params["length"], params["num_consts"], params["num_carry"]
        if length > _MOST_ROUNDS or len(inputs) > consts + carries:
            raise UntranslatableError("it has a loop of many rounds, or one over an array")
        closed = params["jaxpr"]
        fixed, carried = inputs[:consts], inputs[consts:]
        if len(closed.jaxpr.outvars) > carries:
            raise UntranslatableError("it has a loop that makes an array")
        for _ in range(length):
            carried = self._run(closed.jaxpr, closed.consts, [*fixed, *carried])
        return carried

    def _branches(self, branches: Any, inputs: list[Node]) -> list[Node]:
        """Return both sides of a condition, of which one is taken."""
        which, *arguments = inputs
        results = [self._run(each.jaxpr, each.consts, arguments) for each in branches]
        return [
            self._node("select_n", (which, *cases), {}, cases[0].shape, cases[0].kind)
            for cases in zip(*results, strict=True)
        ]


def _is_uniform(node: Node) -> bool:
    return node.op == "constant" and bool(np.all(node.value == node.value.reshape(-1)[0]))


def _is(node: Node, number: float) -> bool:
    return node.op == "constant" and bool(np.all(node.value == number))


def _kind(dtype: Any) -> Kind:
    match np.dtype(dtype).kind:
        case "b":
            return "bool"
        case "i" | "u":
            return "int"
        case "f":
            return "float"
        case "V" if "float" in str(dtype):
            return "float"
    raise UntranslatableError(f"its program has numbers of the type {dtype}")


def _plain(params: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an operation that can change its result."""
    ignored = {"sharding", "accuracy", "out_sharding", "precision", "preferred_element_type"}
    return {name: value for name, value in params.items() if name not in ignored}
