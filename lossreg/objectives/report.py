"""What training minimizes, term by term, and whether weights satisfy their constraints."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ParameterError, ShapeError, printable
from ..lazy import keras
from ..loss import as_array, shown
from .penalties import constraint_states, find_layers, weight_penalties
from .terms import ConstraintState, Term

if TYPE_CHECKING:
    from rich.console import Group

_DIGITS = 7  # significant ones of the largest value: what float32 has
_ROUNDING = 1e-5  # of float32, over many terms and batches

# The methods that compute the loss of `evaluate`. A model's own method may add anything.
_LOSS_METHODS = ("compute_loss", "test_step", "evaluate")


@dataclass(frozen=True, kw_only=True, repr=False)
class Objective:
    """The terms of what training minimizes; it prints as a table.

    >>> result = objective(model, x, y)  # doctest: +SKIP
    >>> [term.kind for term in result.terms], result.total  # doctest: +SKIP
    (['loss', 'kernel penalty'], 3.0)

    Args:
        terms: Losses first, then penalties in the order of the model's layers. Their values
            add up to the total.
        total: The loss that `model.evaluate` returns.
        constraints: Whether each weight with a constraint satisfies it.
    """

    terms: tuple[Term, ...]
    total: float
    constraints: tuple[ConstraintState, ...] = ()

    def share(self, term: Term) -> float | None:
        """Return a term's part of the total, or None if a term is negative or not finite."""
        if not 0 < self.total < math.inf or not all(each.value >= 0 for each in self.terms):
            return None
        return term.value / self.total

    def as_dict(self) -> dict[str, Any]:
        """Return everything as data for JSON, with None for NaN and infinity."""
        return {
            "total": _finite(self.total),
            "terms": [
                {**vars(term), "value": _finite(term.value), "share": self.share(term)}
                for term in self.terms
            ],
            "constraints": [
                {**vars(state), "violation": _finite(state.violation)} for state in self.constraints
            ],
        }

    def __str__(self) -> str:
        import io

        from rich.console import Console

        out = io.StringIO()
        # The table is as wide as the longest name needs.
        Console(file=out, width=100_000, color_system=None).print(self)
        # A layer of another's model may have any name.
        return printable("\n".join(line.rstrip() for line in out.getvalue().splitlines()))

    __repr__ = __str__

    def __rich__(self) -> "Group":
        # Only printing needs rich.
        from rich.console import Group
        from rich.table import Column, Table
        from rich.text import Text

        style: dict[str, Any] = {"box": None, "pad_edge": False, "header_style": "bold"}
        numbers = [Column(name, justify="right", no_wrap=True) for name in ("VALUE", "SHARE")]
        terms = Table(Column("TERM", overflow="fold"), "KIND", *numbers, **style)
        shares = [self.share(term) for term in self.terms]
        cells = ["" if share is None else f"{share:.1%}" for share in shares]
        values = _align([*(term.value for term in self.terms), self.total])
        for term, value, share in zip(self.terms, values, cells, strict=False):
            terms.add_row(Text(term.name), term.kind, value, share)
        whole = "" if None in shares else "100.0%"
        terms.add_row("total", "", values[-1], whole, style="bold")
        if not self.constraints:
            return Group(terms)
        states = Table(Column("CONSTRAINT", overflow="fold"), "STATE", **style)
        for state in self.constraints:
            states.add_row(Text(state.name), str(state), style="" if state.satisfied else "red")
        return Group(terms, "", states)


def objective(
    model: Any, x: Any, y: Any = None, batch_size: int = 32, *, sample_weight: Any = None
) -> Objective:
    """Return the terms of what training minimizes, on these data and with these weights.

    `total = loss_weights * losses + penalties of weights, activities and add_loss`, in
    inference mode. The model, its metrics and its random state don't change. A model that
    draws random numbers in inference too gets the same numbers for every batch.

    If a model has a `compute_loss` or `test_step` of its own, `evaluate` runs too, and a
    term of kind "other" has the difference. What a `train_step` of its own minimizes is
    unknown.

    >>> print(objective(model, x, y))  # doctest: +SKIP
    TERM                       KIND               VALUE   SHARE
    mse                        loss            2.500000   83.3%
    head/kernel: L2(l2=0.125)  kernel penalty  0.500000   16.7%
    total                                      3.000000  100.0%

    Args:
        model: A `keras.Model`, compiled and built.
        x: Inputs as `evaluate` takes them: arrays, or a list or dictionary of them, or a
            `tf.data.Dataset` or `keras.utils.PyDataset` of batches with their labels.
        y: Labels, likewise; none if `x` has them.
        batch_size: Samples in a batch of arrays. Keras averages the batches by their
            sizes; losses and penalties that aren't a mean over samples depend on it.
        sample_weight: Weights, as `evaluate` takes them; none if `x` has them.

    Raises:
        ParameterError: The model isn't ready, or data of this kind aren't supported.
        ShapeError: The data don't fit the model or its loss.
    """
    # Reading an Objective needs no Keras.
    from .batch_terms import compute_batch_terms, read_inputs

    _check(model, batch_size)
    batches, are_arrays = read_inputs(x, y, sample_weight)
    if are_arrays:
        _check_features(model, x)
    size = batch_size if are_arrays else None
    batch_terms = compute_batch_terms(model, batches, size, find_layers(model))
    # A model may build some of its layers in the first call.
    layers = find_layers(model)
    # The penalties of a layer's weights come before the penalty of its activity.
    terms = layers.sort(weight_penalties(model, layers) + batch_terms)
    values = [term.value for term in terms]
    total = math.fsum(values)
    own = _find_own_method(model)
    if own is not None and math.isfinite(total):
        known, total = total, _evaluate(model, x, y, size, sample_weight)
        rest = total - known
        if not abs(rest) <= _ROUNDING * max(map(abs, [total, *values])):
            terms.append(Term(name=f"what {own} changes", kind="other", value=rest))
    if not terms:
        raise ParameterError(
            "The model is compiled without a loss, and no layer adds one, so there is nothing to "
            "minimize. Compile the model with a loss, such as model.compile('adam', 'mse')."
        )
    constraints = tuple(constraint_states(model, layers))
    return Objective(terms=tuple(terms), total=total, constraints=constraints)


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
    """Raise for features that the model can't take; the backend's error would show its graph."""
    takes, leaves = getattr(model, "inputs", None) or [], keras.tree.flatten(x)
    for leaf in leaves:
        # A DataFrame has a dtype for each column.
        dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
        # A tensor's dtype has no kind, and holds numbers.
        if getattr(dtype, "kind", "f") in "OSU":
            raise ParameterError(f"'x' must hold numbers, got {dtype} features. Encode them.")
    if len(takes) != 1 or len(leaves) != 1 or len(takes[0].shape) != len(leaves[0].shape):
        # Keras assigns the arrays to the inputs, and adds an axis of one.
        return
    wanted, got = tuple(takes[0].shape[1:]), tuple(leaves[0].shape[1:])
    if any(size not in (None, given) for size, given in zip(wanted, got, strict=True)):
        raise ShapeError(
            f"The model takes samples of shape {wanted}, and the samples of 'x' have {got}. "
            "Give the features that the model was built for."
        )


def _find_own_method(model: Any) -> str | None:
    """Return the model's own method that computes the loss of `evaluate`, if it has one."""
    # It imports Keras.
    from ..keras_loss import RememberingModel

    ours = (keras.Model, RememberingModel)
    for method in _LOSS_METHODS:
        known = [getattr(kind, method) for kind in ours]
        if method in vars(model) or getattr(type(model), method) not in known:
            return f"{type(model).__name__}.{method}"
    return None


def _evaluate(model: Any, x: Any, y: Any, batch_size: int | None, sample_weight: Any) -> float:
    """Return the loss of `evaluate`, without a change of the model's state."""
    variables = [*model.non_trainable_variables, *model.metrics_variables]
    # JAX deletes the arrays of the variables while it evaluates.
    before = [np.array(as_array(variable)) for variable in variables]
    try:
        logs = model.evaluate(
            x,
            y,
            batch_size=batch_size,
            sample_weight=sample_weight,
            verbose=0,
            return_dict=True,
        )
    finally:
        # The call may have created metrics, which are reset too.
        model.reset_metrics()
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
    if "loss" not in logs:
        raise ParameterError(
            f"{type(model).__name__}.evaluate returns no 'loss', only {', '.join(logs)}. Name "
            "the minimized value 'loss' in its test_step."
        )
    return float(logs["loss"])


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _align(values: Sequence[float]) -> list[str]:
    """Return numbers with the same number of decimals, which are easy to compare.

    >>> _align([0.25, 12.5, 3e-9])
    ['0.25000', '12.50000', '3.0e-09']
    """
    largest = max((abs(value) for value in values if math.isfinite(value)), default=0.0)
    whole = math.floor(math.log10(largest)) + 1 if largest else 1
    if not -_DIGITS < whole <= 2 * _DIGITS:
        return [f"{value:.{_DIGITS - 1}e}" for value in values]
    decimals = max(0, _DIGITS - max(whole, 1))
    least = 0.5 * 10**-decimals
    return [
        f"{value:.1e}" if 0 < abs(value) <= least else f"{value:.{decimals}f}" for value in values
    ]
