"""Which losses are compared, and in which ranges their parameters are searched. No Keras."""

from typing import Annotated

import pytest
from annotated_types import Ge, Gt, Le, Lt
from tolerances import BY_DTYPE

import lossreg
from lossreg import LossregError, bind
from lossreg_train.comparison.candidates import (
    Candidate,
    all_fitting,
    candidates,
    tell_apart,
)
from lossreg_train.comparison.tuning import ranges, with_values

LOGITS = bind("binary_crossentropy(from_logits=True)")


def names(reference, axes=2, columns=1):
    return [each.label for each in all_fitting(bind(reference), axes, columns)]


def test_auto_begins_with_the_reference_and_takes_losses_of_the_same_labels():
    found = names("binary_crossentropy(from_logits=True, label_smoothing=0.1)")
    assert found[0] == "binary_crossentropy(label_smoothing=0.1)"
    assert {"binary_crossentropy", "binary_focal_crossentropy"} <= set(found[1:])
    assert not {"categorical_crossentropy", "mean_squared_error", "ctc"} & set(found)


def test_auto_takes_losses_of_masks_for_masks_only():
    probabilities = "binary_crossentropy"
    assert "dice" in names(probabilities, axes=4)
    assert "dice" not in names(probabilities, axes=2)
    # It takes no logits.
    assert "dice" not in names("binary_crossentropy(from_logits=True)", axes=4)


def test_auto_takes_every_loss_of_amounts_for_amounts():
    found = names("mean_squared_error")
    assert {"mean_absolute_error", "huber", "log_cosh", "poisson"} <= set(found)


def test_auto_needs_known_labels():
    @lossreg.register
    def mystery(y_true, y_pred):
        return y_true

    try:
        with pytest.raises(LossregError, match="Name the losses to compare"):
            names("mystery")
    finally:
        registry = lossreg.registry.installed()
        for entry in [each for each in registry.entries() if each.provider.is_local]:
            registry.remove(entry)


def test_each_term_of_a_sum_is_told_what_the_model_returns():
    (found,) = candidates(["2 * bce + binary_focal_crossentropy"], LOGITS)
    assert found.label == "2 * binary_crossentropy + binary_focal_crossentropy"
    assert all(loss.params["from_logits"] for loss in found.bound.losses())


def test_a_margin_loss_takes_logits():
    (found,) = candidates(["hinge"], LOGITS)
    assert found.label == "hinge"


def test_the_losses_of_several_outputs_are_told_one_by_one():
    reference = bind({"outputs": {"a": "binary_crossentropy(from_logits=True)", "b": "mse"}})
    (found,) = candidates([{"outputs": {"a": "bce", "b": "huber"}}], reference)
    assert found.bound["a"].params["from_logits"] is True
    with pytest.raises(LossregError, match="The model has several outputs"):
        candidates(["bce"], reference)


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        pytest.param(
            ["focal", "focal(gamma=1)", "focal(gamma=1, alpha=0.5)", "bce"],
            [
                "focal(gamma=2.0, alpha=0.75)",
                "focal(gamma=1.0, alpha=0.75)",
                "focal(gamma=1.0, alpha=0.5)",
                "binary_crossentropy",
            ],
            id="what differs",
        ),
        pytest.param(["focal", "bce"], ["focal", "binary_crossentropy"], id="other names"),
        pytest.param(["focal(gamma=2, alpha=0.75)"], ["focal"], id="alone"),
        pytest.param(["focal + bce", "focal"], ["focal + binary_crossentropy", "focal"], id="sum"),
    ],
)
def test_losses_of_one_name_say_in_what_they_differ(given, labels):
    found = tell_apart(candidates(given, LOGITS))
    assert [each.label for each in found] == labels


def test_losses_of_one_name_from_two_packages_say_the_package():
    @lossreg.register
    def focal(y_true, y_pred, *, gamma: float = 3.0):
        return y_true

    try:
        found = tell_apart(candidates(["lossreg-focal/focal", "local/focal"], LOGITS))
        assert [each.label for each in found] == ["lossreg-focal/focal", "local/focal"]
    finally:
        registry = lossreg.registry.installed()
        for entry in [each for each in registry.entries() if each.provider.is_local]:
            registry.remove(entry)


def test_the_baseline_again_has_a_name_of_its_own():
    assert Candidate(bound=LOGITS, again=True).label == "binary_crossentropy, again"


@pytest.fixture
def tuned():
    """A loss with parameters of many kinds."""

    @lossreg.register(y_true="real", y_pred="real")
    def many(
        y_true,
        y_pred,
        *,
        gamma: Annotated[float, Ge(0)] = 2.0,
        alpha: Annotated[float, Ge(0), Le(1)] | None = 0.25,
        share: Annotated[float, Gt(0), Lt(1)] = 0.5,
        shift: float = 0.0,
        none: float | None = None,
        count: Annotated[int, Ge(1)] = 3,
        axis: int = -1,
        flag: bool = True,
    ):
        return y_true

    yield bind(many)
    registry = lossreg.registry.installed()
    for entry in [each for each in registry.entries() if each.provider.is_local]:
        registry.remove(entry)


def test_ranges_come_from_the_signature(tuned):
    found = {each.name: (each.low, each.high) for each in ranges(tuned)}
    assert set(found) == {"gamma", "alpha", "share", "shift", "count"}
    # Around the value, where a bound is missing; within the bounds elsewhere.
    assert found["gamma"] == (0.5, 8.0)
    assert found["alpha"] == (0, 1)
    assert found["share"] == pytest.approx((0.001, 0.999), rel=BY_DTYPE["float64"])
    assert found["shift"] == (0.0, 1.0)
    assert found["count"] == (1, 12.0)


def test_values_are_given_to_the_terms_that_they_belong_to():
    loss = bind("huber(2) + 0.5 * huber(3)")
    assert [each.key for each in ranges(loss)] == ["0.delta", "1.delta"]
    assert with_values(loss, {"1.delta": 5.0}).label == "huber(delta=2.0) + 0.5 * huber(delta=5.0)"
