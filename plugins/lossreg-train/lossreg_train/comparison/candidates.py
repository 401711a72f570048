"""The losses of a comparison: those that a user names, or all that fit the labels."""

import functools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lossreg import bind
from lossreg.errors import BrokenPluginError, LossregError
from lossreg.loss import LABELS, Bound, BoundLoss, BoundOutputs, BoundSum, Entry
from lossreg.registry import installed

# What a sigmoid or softmax is before and behind.
_CLASS_SCORES = ("logits", "probabilities")


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A loss that is compared.

    Args:
        bound: The loss.
        again: Whether it is the baseline once more, with other seeds.
        also: The parameters that the label has with any value, not only with another than the
            default.
        is_qualified: Whether the label begins with the package that offers the loss.
    """

    bound: Bound
    again: bool = False
    also: frozenset[str] = frozenset()
    is_qualified: bool = False

    @functools.cached_property
    def label(self) -> str:
        """The loss without `from_logits`, which the model decides for all."""
        name = _short(self.bound, self.also)
        if self.is_qualified and isinstance(self.bound, BoundLoss):
            name = f"{self.bound.provider.distribution}/{name}"
        return f"{name}, again" if self.again else name

    @property
    def full(self) -> str:
        """The loss with every parameter."""
        if isinstance(self.bound, BoundOutputs):
            return ", ".join(f"{name}: {loss}" for name, loss in self.bound.items())
        if isinstance(self.bound, BoundSum):
            return str(self.bound)
        return self.bound.entry.call(self.bound.params, self.bound.params)

    @functools.cached_property
    def providers(self) -> tuple[str, ...]:
        """The packages of the loss, with their versions."""
        return tuple(sorted({str(loss.provider) for loss in self.bound.losses()}))

    @functools.cached_property
    def config(self) -> Mapping[str, Any]:
        """The loss as data."""
        return self.bound.config()


def _short(bound: Bound, also: frozenset[str] = frozenset()) -> str:
    if isinstance(bound, BoundOutputs):
        return ", ".join(f"{name}: {each and _short(each)}" for name, each in bound.items())
    if isinstance(bound, BoundSum):
        return " + ".join(
            replace(term, loss=_default_form(term.loss)).label for term in bound.terms
        )
    return bound.entry.call(_default_form(bound).params, also)


def _default_form(loss: BoundLoss) -> BoundLoss:
    logits = loss.spec.from_logits
    return loss.with_params({logits: False}) if logits in loss.params else loss


def tell_apart(found: Iterable[Candidate]) -> list[Candidate]:
    """Return the candidates with labels that tell those of the same name apart.

    Of `focal` and `focal(gamma=1)` each says its gamma, and of losses from two packages each says
    its package.
    """
    all_of_them = list(found)
    named: dict[str, list[BoundLoss]] = {}
    for each in all_of_them:
        if isinstance(each.bound, BoundLoss):
            named.setdefault(each.bound.name, []).append(each.bound)
    return [
        _told_from(each, named[each.bound.name]) if isinstance(each.bound, BoundLoss) else each
        for each in all_of_them
    ]


def _told_from(candidate: Candidate, same_name: Sequence[BoundLoss]) -> Candidate:
    """Return a candidate whose label tells it from the losses of its name, itself among them."""
    own = candidate.bound
    assert isinstance(own, BoundLoss), "sums have no name of their own"
    others = [loss for loss in same_name if loss.qualified_name == own.qualified_name]
    differing = {name for loss in others for name, value in loss.items if own.params[name] != value}
    return replace(
        candidate,
        also=frozenset(differing - {own.spec.from_logits}),
        is_qualified=len(others) < len(same_name),
    )


def candidates(given: Iterable[Any], reference: Bound) -> list[Candidate]:
    """Return the losses that a user names, for the predictions that the model returns.

    Args:
        given: Losses as `bind` takes them, the baseline first.
        reference: The loss that the model is made for. It says whether the model returns logits
            or probabilities, and the other losses are told so.

    Raises:
        LossregError: A loss isn't one, is named twice, or takes other labels or predictions.
    """
    found: list[Candidate] = []
    for each in given:
        bound = fit_predictions(bind(each), reference)
        for part in bound.losses():
            if part.memory.fields:
                fields = " and ".join(part.memory.fields)
                raise LossregError(
                    f"Loss {part.label!r} takes the labels {fields}, and a comparison gives one "
                    "label tensor to each output. Leave it out."
                )
        if any(bound.config() == other.config for other in found):
            raise LossregError(f"The loss {bound.label!r} is named twice. Name each loss once.")
        found.append(Candidate(bound=bound))
    return found


def fit_predictions(bound: Bound, reference: Bound) -> Bound:
    """Return a loss that takes the predictions of another.

    Raises:
        LossregError: It can't.
    """
    if isinstance(bound, BoundOutputs):
        if not isinstance(reference, BoundOutputs):
            return bound
        return BoundOutputs(
            {name: each and _fit(each, reference.get(name) or each) for name, each in bound.items()}
        )
    if isinstance(reference, BoundOutputs):
        raise LossregError(
            f"The model has several outputs, and {bound.label!r} is one loss. Give one for each: "
            f"{{outputs: {{{', '.join(f'{name}: ...' for name in reference)}}}}}."
        )
    return _fit(bound, reference)


def _fit(bound: BoundLoss | BoundSum, reference: BoundLoss | BoundSum) -> BoundLoss | BoundSum:
    expected = reference.losses()[0]
    if isinstance(bound, BoundSum):
        terms = tuple(replace(term, loss=_fit_one(term.loss, expected)) for term in bound.terms)
        return replace(bound, terms=terms)
    return _fit_one(bound, expected)


def _fit_one(loss: BoundLoss, expected: BoundLoss) -> BoundLoss:
    returned = expected.y_pred
    if returned not in _CLASS_SCORES:
        return loss
    if loss.spec.from_logits in loss.params:
        return loss.with_params({loss.spec.from_logits: returned == "logits"})
    # A margin loss takes scores of any size, which logits are.
    if loss.y_pred in _CLASS_SCORES and loss.y_pred != returned:
        advice = "End the model in a sigmoid or softmax"
        if returned == "probabilities":
            advice = "Leave out the model's last activation"
        raise LossregError(
            f"Loss {loss.label!r} takes {loss.y_pred}, and the model returns {returned}, as "
            f"{expected.label!r} says. {advice}, and give the config a loss that says so."
        )
    return loss


def all_fitting(reference: Bound, label_axes: int, columns: int) -> Iterator[Candidate]:
    """Yield every installed loss for the labels of another, with its documented defaults.

    The reference comes first. Losses whose parameters have no default are left out.

    Args:
        reference: The loss that the model is made for.
        label_axes: The axes of the labels, that of the samples included.
        columns: The size of the last axis.

    Raises:
        LossregError: The reference doesn't say what the labels are.
    """
    losses = reference.losses()
    if isinstance(reference, BoundOutputs) or not losses[0].spec.labels.is_known:
        raise LossregError(
            f"'auto' needs a loss whose labels are known, for one output, and the config has "
            f"{reference.label!r}. Name the losses to compare."
        )
    yield Candidate(bound=reference)
    for entry in installed().entries():
        if not _suits(entry, losses[0], label_axes, columns):
            continue
        try:
            if any(parameter.required for parameter in entry.signature.parameters):
                continue
            bound = _fit_one(entry.bind({}), losses[0])
        except (BrokenPluginError, LossregError):
            # Nobody asked for this one.
            continue
        # One that needs more than labels and predictions is compared where it is named.
        if bound.is_plain and bound.config() != reference.config():
            yield Candidate(bound=bound)


def _suits(entry: Entry, loss: BoundLoss, label_axes: int, columns: int) -> bool:
    """Return whether a loss is for the same task and the same labels as another."""
    forms, number = loss.spec.forms, loss.spec.number_form
    if number is not None:
        forms = (number,) if columns == 1 else ("one_hot",)
    labels, wanted = entry.spec.labels, LABELS[forms[0]]
    if not {*forms} & {*entry.spec.forms} and not (labels.is_amount and wanted.is_amount):
        return False
    tasks = {*entry.spec.task} & {*loss.spec.task}
    has_places = label_axes > 2 or (label_axes == 2 and columns > 1 and wanted.is_number)
    if has_places:
        tasks -= {"binary", "multiclass"}
    else:
        tasks -= {"segmentation"}
    if not has_places and wanted.classes == "each":
        tasks -= {"multilabel" if columns == 1 else "binary"}
    return bool(tasks)
