"""The search of a loss's parameters by Optuna, within the training set of a fold.

Ranges come from the signature of the loss. A trial is a training that is stopped on a part of the
training set, as every other, and judged there.
"""

import math
import typing
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any

from lossreg.loss import Bound, BoundLoss, BoundOutputs, BoundSum

from .cells import Cell
from .folds import Fold
from .learner import Learner
from .work import Work

_AROUND = 4.0  # a parameter without two bounds is searched from a fourth to four times its value
_INSIDE = 1e-3  # how far from a bound that is excluded, as a share of the range


@dataclass(frozen=True, kw_only=True)
class Range:
    """The values of a parameter that are searched.

    Args:
        term: The term of the loss that it belongs to.
        name: Its name.
        low: The lowest value.
        high: The highest value.
        is_log: Whether factors count, and not differences.
        is_integer: Whether only integers are allowed.
    """

    term: int
    name: str
    low: float
    high: float
    is_log: bool
    is_integer: bool

    @property
    def key(self) -> str:
        """Its name within the loss."""
        return f"{self.term}.{self.name}"


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """The loss that the search found.

    Args:
        loss: The loss.
        trials: What was tried, as data.
    """

    loss: Bound
    trials: list[dict[str, Any]]


def ranges(loss: Bound) -> list[Range]:
    """Return the range of each number among a loss's parameters, but of none that names an axis.

    An integer is searched only where its signature gives it a range.
    """
    return [
        found
        for index, term in enumerate(loss.terms)
        for name, value in term.loss.params.items()
        if (found := _range(index, name, value, term.loss)) is not None
    ]


def _range(term: int, name: str, value: Any, loss: BoundLoss) -> Range | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    kind, low, high = _bounds(loss.entry.signature.annotations[name])
    if kind not in (int, float) or (kind is int and not math.isfinite(low)):
        return None
    is_log = False
    if not (math.isfinite(low) and math.isfinite(high)):
        around = sorted((value / _AROUND, value * _AROUND)) if value else (0.0, 1.0)
        is_log = value > 0
        low, high = max(low, around[0]), min(high, around[1])
    if not low < high:
        return None
    return Range(term=term, name=name, low=low, high=high, is_log=is_log, is_integer=kind is int)


def _bounds(annotation: Any) -> tuple[Any, float, float]:
    """Return the type of a number, and its lowest and highest values."""
    for one in _alternatives(annotation):
        if typing.get_origin(one) is not Annotated:
            if one in (int, float):
                return one, -math.inf, math.inf
            continue
        kind, *rules = typing.get_args(one)
        low, high = -math.inf, math.inf
        is_open = {"low": False, "high": False}
        for rule in rules:
            for bound, side in (("ge", "low"), ("gt", "low"), ("le", "high"), ("lt", "high")):
                value = getattr(rule, bound, None)
                if value is None:
                    continue
                is_open[side] = bound in ("gt", "lt")
                low, high = (value, high) if side == "low" else (low, value)
        if math.isfinite(low) and math.isfinite(high) and kind is float:
            inside = _INSIDE * (high - low)
            low, high = low + inside * is_open["low"], high - inside * is_open["high"]
        return kind, low, high
    return None, 0.0, 0.0


def _alternatives(annotation: Any) -> Iterator[Any]:
    """Yield each type of a union; of Annotated[float | None, ...] those with the rules."""
    arguments = typing.get_args(annotation)
    if typing.get_origin(annotation) is Annotated:
        inner, *rules = arguments
        for one in _alternatives(inner):
            yield Annotated[(one, *rules)]
    elif arguments:
        for one in arguments:
            yield from _alternatives(one)
    else:
        yield annotation


def with_values(loss: Bound, values: dict[str, float]) -> Bound:
    """Return a loss with some of its parameters replaced.

    Args:
        loss: The loss.
        values: Values by the key of their range.
    """
    terms = []
    for index, term in enumerate(loss.terms):
        own = {
            key.partition(".")[2]: value
            for key, value in values.items()
            if key.partition(".")[0] == str(index)
        }
        terms.append(replace(term, loss=term.loss.with_params(own)))
    if isinstance(loss, BoundSum):
        return replace(loss, terms=tuple(terms))
    return terms[0].loss


def tune(work: Work, cell: Cell, fold: Fold, loss: Bound) -> Tuned:
    """Return the loss with the parameters that did best on the samples to stop on.

    The first trial has the parameters that the loss came with.
    """
    searched = [] if isinstance(loss, BoundOutputs) else ranges(loss)
    if not searched:
        return Tuned(loss=loss, trials=[])
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize", sampler=optuna.samplers.TPESampler(seed=cell.seed)
    )
    best, trials = loss, []
    highest = -math.inf
    sign = work.metric.sign
    for index in range(work.settings.tune):
        tried = loss
        trial = study.ask() if index else None
        if trial is not None:
            tried = with_values(loss, {each.key: _suggest(trial, each) for each in searched})
        prepared = work.recipe.prepare(tried, work.samples, fold, cell.seed)
        # Not one that is kept: the next cell tries other parameters.
        value = sign * Learner(work, prepared, cell.seed).train(cell.rate).best
        trials.append({"loss": tried.label, "value": None if math.isnan(value) else sign * value})
        if trial is not None:
            failed = optuna.trial.TrialState.FAIL if math.isnan(value) else None
            study.tell(trial, None if failed else value, state=failed)
        if value > highest:
            best, highest = tried, value
    return Tuned(loss=best, trials=trials)


def _suggest(trial: Any, searched: Range) -> float:
    """Return a value to try, with three digits, so that a config can hold it."""
    if searched.is_integer:
        return int(trial.suggest_int(searched.key, int(searched.low), int(searched.high)))
    value = trial.suggest_float(searched.key, searched.low, searched.high, log=searched.is_log)
    return min(max(float(f"{value:.3g}"), searched.low), searched.high)
