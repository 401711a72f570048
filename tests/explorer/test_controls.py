"""A parameter's type decides what its control on the page is."""

from typing import Annotated, Literal

import pytest
from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from fakes import ACME, spec
from tolerances import BY_DTYPE

from lossreg.explorer.controls import STEPS, controls_of
from lossreg.explorer.scene import NoCurveError
from lossreg.loss import Entry


def controls(target, **fields):
    described = spec("fake", **fields)
    return controls_of(Entry(spec=described, provider=ACME, load=lambda: target))


def only(target):
    _, (control,) = controls(target)
    return control


def test_a_slider_covers_the_range_of_its_signature():
    def loss(y_true, y_pred, *, alpha: Annotated[float, Ge(0), Le(1)] = 0.25): ...

    control = only(loss)
    assert (control.kind, control.low, control.high, control.default) == ("slider", 0, 1, 0.25)
    assert control.places(STEPS)[25] == 0.25


def test_a_slider_of_a_width_counts_orders_of_magnitude_and_never_reaches_0():
    def loss(y_true, y_pred, *, delta: Annotated[float, Gt(0)] = 1.0): ...

    control = only(loss)
    assert control.is_log
    assert 0 < control.low < 1 < control.high
    assert control.places(2)[1] == pytest.approx(1.0, rel=BY_DTYPE["float64"])


def test_an_open_end_of_a_range_stays_outside():
    def loss(y_true, y_pred, *, q: Annotated[float, Gt(0), Lt(1)] = 0.7): ...

    control = only(loss)
    assert 0 < control.low < 0.7 < control.high < 1


def test_a_default_beside_an_open_end_is_on_the_slider():
    def loss(y_true, y_pred, *, beta: Annotated[float, Ge(0), Lt(1)] = 0.9999): ...

    assert only(loss).high == 0.9999


def test_none_is_a_switch_of_a_slider():
    def loss(y_true, y_pred, *, alpha: Annotated[float, Ge(0), Le(1)] | None = None): ...

    control = only(loss)
    assert (control.kind, control.takes_none, control.default) == ("slider", True, None)


def test_words_truth_values_and_few_integers_are_choices():
    def loss(
        y_true,
        y_pred,
        *,
        link: Literal["logit", "probit"] = "probit",
        root: bool = False,
        order: Annotated[int, Ge(2), Le(8), MultipleOf(2)] = 4,
    ): ...

    _, found = controls(loss)
    assert [(control.kind, control.values) for control in found] == [
        ("choice", ("logit", "probit")),
        ("choice", (False, True)),
        ("choice", (2, 4, 6, 8)),
    ]


def test_predictions_are_logits_where_a_loss_takes_them():
    def loss(y_true, y_pred, *, from_logits: bool = False, axis: int = -1): ...

    fixed, found = controls(loss)
    assert (fixed, found) == ({"from_logits": True}, [])


def test_a_required_list_has_a_number_for_each_class():
    def loss(y_true, y_pred, *, counts: tuple[Annotated[float, Gt(0)], ...]): ...

    control = only(loss)
    assert control.argument(7.0, classes=3) == (7.0, 100.0, 100.0)


def test_a_required_word_that_nobody_can_guess_is_a_reason():
    def loss(y_true, y_pred, *, mode: str): ...

    with pytest.raises(NoCurveError, match="its parameter 'mode' has no default"):
        controls(loss)
