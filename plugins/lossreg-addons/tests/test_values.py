"""The losses of this package give what TensorFlow Addons 0.23 itself gives."""

import json
import pathlib

import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

import lossreg
from lossreg import ParameterError
from lossreg.lazy import keras, ops
from lossreg_addons import losses
from lossreg_addons.functions import sequence_crossentropy

CASES = json.loads(
    pathlib.Path(__file__).with_name("fixtures").joinpath("values.json").read_text("utf-8")
)
SEQUENCES = [case for case in CASES if case["loss"] == "SequenceLoss"]


def label(case):
    return f"{case['loss']}({', '.join(f'{k}={v!r}' for k, v in case['params'].items())})"


def arrays(case):
    y_true = np.array(case["y_true"])
    return y_true.astype("int32" if y_true.ndim == 1 else "float32"), np.array(
        case["y_pred"], "float32"
    )


def largest_of(case):
    """Return the largest term of a loss that begins with the differences of its predictions."""
    return max(1, np.abs(case["y_pred"]).max())


@pytest.mark.parametrize("case", [c for c in CASES if c not in SEQUENCES], ids=label)
def test_a_class_has_the_values_of_tensorflow_addons(case):
    loss = getattr(losses, case["loss"])(**case["params"])
    # As in the program that wrote them.
    loss.reduction = "none"
    values = np.asarray(ops.convert_to_numpy(loss(*arrays(case))))
    assert values.shape == np.shape(case["values"])
    assert values == pytest.approx(
        np.array(case["values"]), rel=EACH_OTHER, abs=2 * CANCELLATION * largest_of(case)
    )


FUNCTIONS = {
    "ContrastiveLoss": losses.contrastive_loss,
    "SigmoidFocalCrossEntropy": losses.sigmoid_focal_crossentropy,
    "GIoULoss": losses.giou_loss,
    "LiftedStructLoss": losses.lifted_struct_loss,
    "NpairsLoss": losses.npairs_loss,
    "NpairsMultilabelLoss": losses.npairs_multilabel_loss,
    "PinballLoss": losses.pinball_loss,
    "TripletHardLoss": losses.triplet_hard_loss,
    "TripletSemiHardLoss": losses.triplet_semihard_loss,
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_its_class_unreduced(name):
    case = next(case for case in CASES if case["loss"] == name and not case["params"])
    values = np.asarray(ops.convert_to_numpy(FUNCTIONS[name](*arrays(case))))
    assert values == pytest.approx(
        np.array(case["values"]), rel=EACH_OTHER, abs=2 * CANCELLATION * largest_of(case)
    )


def test_the_sparsemax_function_takes_the_sparsemax():
    # By hand: the sparsemax of (1, 0.5, -2) is (0.75, 0.25, 0), and with label 1 the loss is
    # 0.75 * (1 - 0.375) + 0.25 * (0.5 - 0.125) + 1 * (0.5 - 0.5).
    z, p, y = [[1.0, 0.5, -2.0]], [[0.75, 0.25, 0.0]], [[0.0, 1.0, 0.0]]
    expected = 0.75 * (1 - 0.375) + 0.25 * (0.5 - 0.125)
    assert float(losses.sparsemax_loss(z, p, y)[0]) == pytest.approx(expected, rel=FLOAT32)
    found = losses.SparsemaxLoss()(np.array(y), np.array(z, "float32"))
    assert float(found) == pytest.approx(expected, rel=FLOAT32)
    ruled_out = [[1.0, 0.5, -np.inf]]
    assert float(losses.sparsemax_loss(ruled_out, p, y)[0]) == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize("case", SEQUENCES, ids=label)
def test_sequence_loss_has_the_values_of_tensorflow_addons(case):
    from lossreg_addons.seq2seq import SequenceLoss

    y_true, y_pred = np.array(case["y_true"]), np.array(case["y_pred"], "float32")
    loss = SequenceLoss(**case["params"])
    again = SequenceLoss.from_config(loss.get_config())
    for one in (loss, again):
        value = one(y_true, y_pred, sample_weight=np.array(case["weights"], "float32"))
        assert np.asarray(ops.convert_to_numpy(value)) == pytest.approx(
            np.array(case["values"]), rel=EACH_OTHER
        )


def test_sequence_loss_refuses_two_ways_to_reduce():
    from lossreg_addons.seq2seq import SequenceLoss

    with pytest.raises(ParameterError, match="can't be combined with sum_over_timesteps"):
        SequenceLoss(average_across_timesteps=True)


def test_steps_that_dont_count_are_left_out():
    y_true = np.array([[1, 2, -1], [0, -1, -1]])
    y_pred = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    log_p = y_pred - np.log(np.exp(y_pred).sum(axis=-1, keepdims=True))
    nats = [-log_p[0, 0, 1], -log_p[0, 1, 2], -log_p[1, 0, 0]]
    values = ops.convert_to_numpy(sequence_crossentropy(y_true, y_pred, ignore_class=-1))
    assert np.asarray(values)[y_true >= 0] == pytest.approx(nats, rel=FLOAT32)
    loss = lossreg.get_loss("sequence_crossentropy", ignore_class=-1)
    assert float(loss(y_true, y_pred)) == pytest.approx(np.mean(nats), rel=FLOAT32)


@pytest.mark.parametrize("name", [name for name in losses.__all__ if name[0].isupper()])
def test_a_class_is_a_keras_loss_that_is_saved(name):
    params = {"num_classes": 3} if name == "WeightedKappaLoss" else {}
    loss = getattr(losses, name)(**params)
    assert isinstance(loss, keras.losses.Loss)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again.get_config() == loss.get_config()


def test_arguments_may_be_given_by_position():
    loss = losses.TripletHardLoss(0.5, True, "angular", "mine")
    assert loss.params == {"margin": 0.5, "soft": True, "distance_metric": "angular"}
    assert loss.name == "mine"


def test_auto_is_the_mean():
    assert losses.GIoULoss(reduction="auto").reduction == "sum_over_batch_size"


def test_another_number_of_classes_is_refused():
    loss = losses.WeightedKappaLoss(num_classes=5)
    with pytest.raises(ParameterError, match="num_classes must be 3, the number of outputs, got 5"):
        loss(np.eye(3), np.full((3, 3), 1 / 3))


def test_sparsemax_is_on_logits_only():
    with pytest.raises(ParameterError, match="from_logits"):
        losses.SparsemaxLoss(from_logits=False)
