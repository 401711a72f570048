"""What training minimizes, term by term, and whether weights satisfy their constraints."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import ParameterError, ShapeError
from ...lazy import LazyModule, keras, ops
from ...names import shown
from .penalties import constraint_states, layers_of, weight_penalties
from .terms import ConstraintState, Term

if TYPE_CHECKING:
    from rich.console import Group

# Whoever only reads an Objective needs no Keras.
_batch_terms: Any = LazyModule("lossreg.builder.objective.batch_terms")

_DIGITS = 7  # significant ones of the largest value: what float32 has
_NUMBERS = ("VALUE", "SHARE")  # headings
_ROUNDING = 1e-5  # of float32, over many terms and batches

# What evaluate's loss is made by. A model that has its own may add anything.
_LOSS_METHODS = ("compute_loss", "test_step", "evaluate")


@dataclass(frozen=True, kw_only=True, repr=False)
class Objective:
    """The terms of what training minimizes; it prints as a table.

    Args:
        terms: Losses first, then penalties in the order of the model's layers. Their values
            add up to the total.
        total: The loss that `model.evaluate` gives.
        constraints: Whether the weights that have a constraint satisfy it.
    """

    terms: tuple[Term, ...]
    total: float
    constraints: tuple[ConstraintState, ...] = ()

    def share(self, term: Term) -> float | None:
        """Return a term's part of the total, or None where a term is negative or not finite."""
        if not 0 < self.total < math.inf or not all(each.value >= 0 for each in self.terms):
            return None
        return term.value / self.total

    def as_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON; NaN and infinity, which it lacks, are None."""
        return {
            "total": _finite(self.total),
            "terms": [
                {
                    "name": term.name,
                    "kind": term.kind,
                    "value": _finite(term.value),
                    "share": self.share(term),
                    "layer": term.layer,
                    "output": term.output,
                }
                for term in self.terms
            ],
            "constraints": [
                {**vars(state), "violation": _finite(state.violation)} for state in self.constraints
            ],
        }

    def __str__(self) -> str:
        rows = self._rows()
        value, share = (
            heading.rjust(len(cell)) for heading, cell in zip(_NUMBERS, rows[0][2:], strict=True)
        )
        lines = _in_columns([["TERM", "KIND", value, share], *rows])
        if self.constraints:
            states = [[state.name, str(state)] for state in self.constraints]
            lines += ["", *_in_columns([["CONSTRAINT", "STATE"], *states])]
        return "\n".join(lines)

    __repr__ = __str__

    def __rich__(self) -> "Group":
        # Only whoever prints with rich has it to wait for.
        from rich.console import Group
        from rich.table import Table
        from rich.text import Text

        terms = Table(box=None, pad_edge=False, header_style="bold")
        terms.add_column("TERM", overflow="fold")
        terms.add_column("KIND")
        for heading in _NUMBERS:
            terms.add_column(heading, justify="right", no_wrap=True)
        *rows, total = self._rows()
        for row in rows:
            terms.add_row(*map(Text, row))
        terms.add_row(*map(Text, total), style="bold")
        if not self.constraints:
            return Group(terms)
        states = Table(box=None, pad_edge=False, header_style="bold")
        states.add_column("CONSTRAINT", overflow="fold")
        states.add_column("STATE")
        for state in self.constraints:
            style = "" if state.satisfied else "red"
            states.add_row(Text(state.name), Text(str(state)), style=style)
        return Group(terms, "", states)

    def _rows(self) -> list[list[str]]:
        """Return the cells of each term and of the total, the numbers aligned."""
        values = _aligned([*(term.value for term in self.terms), self.total])
        shares = [self.share(term) for term in self.terms]
        said = ["" if share is None else f"{share:.1%}" for share in shares]
        said.append("" if None in shares else "100.0%")
        width = max(map(len, said))
        names = [*(term.name for term in self.terms), "total"]
        kinds = [*(term.kind for term in self.terms), ""]
        return [
            [name, kind, value, share.rjust(width)]
            for name, kind, value, share in zip(names, kinds, values, said, strict=True)
        ]


def objective(model: Any, x: Any, y: Any = None, batch_size: int = 32) -> Objective:
    """Return the terms of what training minimizes, on these data and with these weights.

    `total = loss_weights * losses + penalties of weights, activities and add_loss`, in
    inference mode. The model, its metrics and its random state stay as they are: one that
    draws random numbers in inference too gets the same for every batch.

    Where a model has a `compute_loss` or `test_step` of its own, `evaluate` runs too, and a
    term of kind "other" has what that adds. What a `train_step` of its own minimizes is
    not seen.

    Args:
        model: A `keras.Model`, compiled and built.
        x: Inputs as `evaluate` takes them: arrays, or a list or dictionary of them, or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of batches with their labels.
        y: Labels, likewise; none where `x` has them.
        batch_size: Samples in a batch of arrays. Keras averages the batches by their
            sizes; losses and penalties that are no mean over samples depend on it.

    Raises:
        ParameterError: The model isn't ready, or the data are of another kind.
        ShapeError: The data don't fit the model or its loss.
    """
    _check(model, batch_size)
    inputs = _batch_terms.as_inputs(x, y)
    if inputs.in_arrays:
        _check_features(model, x)
    size = batch_size if inputs.in_arrays else None
    of_batches = _batch_terms.batch_terms(model, inputs.batches, size, layers_of(model))
    # A model may build some of its layers when it is called.
    layers = layers_of(model)
    # The weights of a layer come before its activity.
    terms = layers.in_order(weight_penalties(model, layers) + of_batches)
    values = [term.value for term in terms]
    total = math.fsum(values)
    own = _own_method(model)
    if own is not None and math.isfinite(total):
        known, total = total, _evaluated(model, x, y, size)
        rest = total - known
        if not abs(rest) <= _ROUNDING * max(map(abs, [total, *values])):
            terms.append(Term(name=f"what {own} changes", kind="other", value=rest))
    if not terms:
        raise ParameterError(
            "The model is compiled without a loss, and no layer adds one: there is nothing to "
            "minimize. Compile it with a loss, such as model.compile('adam', 'mse')."
        )
    return Objective(
        terms=tuple(terms), total=total, constraints=tuple(constraint_states(model, layers))
    )


def _check(model: Any, batch_size: Any) -> None:
    if not isinstance(model, keras.Model):
        raise ParameterError(
            f"'model' must be a keras.Model, got {shown(model)} ({type(model).__name__})."
        )
    if not model.compiled:
        raise ParameterError(
            f"Model {model.name!r} isn't compiled, so it has no loss. "
            "Call model.compile(optimizer, loss) first."
        )
    if not model.built:
        raise ParameterError(
            f"Model {model.name!r} has no weights yet. Give it an Input, call "
            "model.build(input_shape), or call the model on one batch first."
        )
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise ParameterError(f"'batch_size' must be a whole number from 1, got {batch_size!r}.")


def _check_features(model: Any, x: Any) -> None:
    """Raise for features that the model can't take, where the backend would tell its graph."""
    takes, leaves = getattr(model, "inputs", None) or [], keras.tree.flatten(x)
    for leaf in leaves:
        # A DataFrame has a dtype for each column.
        dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        # A tensor's dtype has no kind, and is a number's.
        if getattr(dtype, "kind", "f") in "OSU":
            raise ParameterError(f"'x' must hold numbers, got {dtype} features. Encode them.")
    if len(takes) != 1 or len(leaves) != 1 or len(takes[0].shape) != len(leaves[0].shape):
        # Keras finds out which is which, and adds an axis of one.
        return
    wanted, got = tuple(takes[0].shape[1:]), tuple(leaves[0].shape[1:])
    if any(size not in (None, given) for size, given in zip(wanted, got, strict=True)):
        raise ShapeError(
            f"The model takes samples of shape {wanted}, and those of 'x' have {got}. "
            "Give it the features that it was built for."
        )


def _own_method(model: Any) -> str | None:
    """Return the method by which a model makes evaluate's loss in a way of its own."""
    for method in _LOSS_METHODS:
        if method in vars(model) or getattr(type(model), method) != getattr(keras.Model, method):
            return f"{type(model).__name__}.{method}"
    return None


def _evaluated(model: Any, x: Any, y: Any, batch_size: int | None) -> float:
    """Return the loss that `evaluate` gives, and leave the model's state as it was."""
    variables = [*model.non_trainable_variables, *model.metrics_variables]
    # JAX takes the arrays of the variables away while it evaluates.
    before = [np.array(ops.convert_to_numpy(variable)) for variable in variables]
    try:
        logs = model.evaluate(x, y, batch_size=batch_size, verbose=0, return_dict=True)
    finally:
        # That goes for metrics too that the call made.
        model.reset_metrics()
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    if "loss" not in logs:
        raise ParameterError(
            f"{type(model).__name__}.evaluate gives no 'loss', only {', '.join(logs)}. Name "
            "what is minimized 'loss' in its test_step."
        )
    return float(logs["loss"])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _aligned(values: Sequence[float]) -> list[str]:
    """Return numbers of one width with the same number of decimals, so that they compare.

    >>> _aligned([0.25, 12.5, 3e-9])
    [' 0.25000', '12.50000', ' 3.0e-09']
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    whole = math.floor(math.log10(largest)) + 1 if largest else 1
    if -_DIGITS < whole <= 2 * _DIGITS:
        decimals = max(0, _DIGITS - max(whole, 1))
        least = 0.5 * 10**-decimals
        texts = [
            f"{value:.1e}" if 0 < abs(value) <= least else f"{value:.{decimals}f}"
            for value in values
        ]
    else:
        texts = [f"{value:.{_DIGITS - 1}e}" for value in values]
    width = max(map(len, texts))
    return [text.rjust(width) for text in texts]


def _in_columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line for each row, its cells aligned and never cut."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
