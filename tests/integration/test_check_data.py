"""`check_data` finds what is wrong, names the loss that fits, and raises no false alarm."""

import inspect
import re

import keras
import numpy as np
import pandas as pd
import pytest
from core_losses import core_entries
from tolerances import EACH_OTHER

import lossreg
from lossreg.checks import Finding, check_data
from lossreg.errors import ConfigError, LossregError, ParameterError, UnknownLossError
from lossreg.testing import samples

RNG = np.random.default_rng(11)
CLASSES = np.arange(12) % 3
ONE_HOT = np.eye(3)[CLASSES]
# Twelve samples; the rows of LOGITS go beyond [0, 1] on both sides.
LOGITS = RNG.normal(size=(12, 3)) * 4
SOFTMAX = samples.activate(LOGITS, -1, exclusive=True)
SIGMOID = samples.activate(LOGITS, -1, exclusive=False)
YES = CLASSES % 2
LOGIT, P = LOGITS[:, 0], SIGMOID[:, 0]

NAMES = [entry.qualified_name for entry in core_entries()]


def forms(name):
    """Return a loss of probabilities and the same of logits, where it takes both."""
    bound = lossreg.bind(name)
    if "from_logits" not in bound.params:
        return [bound]
    return [bound, lossreg.bind(name, from_logits=True)]


def fits(loss, y_true, y_pred, **options):
    return [finding.fits for finding in check_data(loss, y_true, y_pred, **options)]


def messages(loss, y_true, y_pred, **options):
    return "\n".join(map(str, check_data(loss, y_true, y_pred, **options)))


# Data that fit


@pytest.mark.parametrize(
    "bound",
    [pytest.param(bound, id=bound.label) for name in NAMES for bound in forms(name)],
)
def test_data_of_the_kinds_that_a_spec_says_are_no_finding(bound, draw):
    from_logits = bound.params.get("from_logits", False)
    y_true, y_pred = draw(bound.spec, from_logits=from_logits)
    drawn = [samples.Sample(y_true=y_true, y_pred=y_pred)]
    drawn += [samples.draw(bound.spec, bound.params, s) for s in ("ordinary", "perfect", "extreme")]
    for sample in drawn:
        assert check_data(bound, sample.y_true, sample.y_pred) == []
        tensors = (
            keras.ops.convert_to_tensor(sample.y_true),
            keras.ops.cast(sample.y_pred, "float32"),
        )
        assert check_data(lossreg.get_loss(bound), *tensors) == []


@pytest.mark.parametrize("name", NAMES)
def test_parameters_other_than_the_default_raise_no_false_alarm(name, changed):
    bound = lossreg.bind(name, **changed(name))
    if isinstance(bound.params.get("alpha"), tuple):
        # Five weights, for the five classes of the last axis.
        bound = lossreg.bind(name, **{**bound.params, "axis": -1})
    for situation in ("ordinary", "perfect", "extreme"):
        sample = samples.draw(bound.spec, bound.params, situation)
        assert check_data(bound, sample.y_true, sample.y_pred) == []


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("classes", [2, 10, 1000])
def test_probabilities_of_any_precision_sum_to_one(dtype, classes):
    scores = keras.ops.cast(RNG.normal(size=(16, classes)) * 3, dtype)
    labels = RNG.integers(classes, size=16)
    assert check_data("scce", labels, keras.ops.softmax(scores)) == []
    assert check_data("scce(from_logits=True)", labels, scores) == []


def test_a_small_network_is_no_finding_at_any_step():
    x = RNG.normal(size=(64, 4)).astype("float32")
    y = (x[:, :1] > 0).astype("int32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile(keras.optimizers.Adam(0.1), "bce")
    for _ in range(4):
        assert check_data("bce", y, model(x)) == []
        assert check_data("bce(from_logits=True)", y, 4 * model(x) - 2) == []
        model.fit(x, y, epochs=10, verbose=0)


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        pytest.param("bce", YES, SIGMOID[:, :1], id="(N,) labels, (N, 1) predictions"),
        pytest.param("bce", YES[:, None], P, id="(N, 1) labels, (N,) predictions"),
        pytest.param("scce", CLASSES[:, None], SOFTMAX, id="(N, 1) classes"),
        pytest.param("scce", CLASSES.astype("float64"), SOFTMAX, id="whole numbers as floats"),
        pytest.param("scce", [0, 1, 2, 0], SOFTMAX[:4].tolist(), id="lists"),
        pytest.param("scce", np.zeros(12), SOFTMAX, id="one class in the batch"),
        pytest.param("scce", pd.Series(CLASSES, index=range(40, 52)), SOFTMAX, id="a series"),
        pytest.param("cce", pd.DataFrame(ONE_HOT), pd.DataFrame(SOFTMAX), id="data frames"),
        pytest.param("bce", YES.astype(bool), P, id="booleans"),
        pytest.param("bce", np.full(12, 0.3), P, id="soft labels"),
        pytest.param("cce", np.full((12, 3), [0.33, 0.33, 0.33]), SOFTMAX, id="rounded rows"),
        pytest.param("bce", ONE_HOT, SOFTMAX, id="one-hot for several yes-or-no"),
        pytest.param("hinge", YES, LOGIT, id="0 and 1, which Keras turns into signs"),
        pytest.param("msle", [0.0, 3.0], [0.1, 2.0], id="0 has a logarithm of 1 + 0"),
        pytest.param("mape", [-2.0, 3.0], [0.1, -2.0], id="a percentage of a negative number"),
        pytest.param("poisson", [0.0, 2.5], [0.1, 2.0], id="amounts as counts"),
        pytest.param("scce(ignore_class=-1)", CLASSES - 1, SOFTMAX, id="ignore_class"),
        pytest.param(
            "scce(from_logits=True)", CLASSES, np.where(ONE_HOT, 2, -np.inf), id="ruled out"
        ),
        pytest.param("mse", [1e30, -1e30], [0, 5], id="any numbers"),
        pytest.param("bce(from_logits=True)", YES, P, id="too few to tell"),
        pytest.param("bce(from_logits=True)", np.ones(64), np.linspace(0.1, 0.4, 64),
                     id="small positive logits"),
    ],
)  # fmt: skip
def test_data_that_fit_are_no_finding(loss, y_true, y_pred):
    assert check_data(loss, y_true, y_pred) == []


# Data that don't fit, and the loss that does


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "fitting"),
    [
        ("cce", CLASSES, SOFTMAX, "sparse_categorical_crossentropy"),
        ("categorical_focal(gamma=1.5)", CLASSES, SOFTMAX, "sparse_focal(gamma=1.5)"),
        ("scce", ONE_HOT, SOFTMAX, "categorical_crossentropy"),
        ("sparse_focal(alpha=[1, 2, 3])", ONE_HOT, SOFTMAX,
         "categorical_focal(alpha=(1.0, 2.0, 3.0))"),
        ("bce", CLASSES, SOFTMAX, "sparse_categorical_crossentropy"),
        # Both have an alpha, and it means something else.
        ("focal(gamma=1, alpha=0.5)", CLASSES, SOFTMAX, "sparse_focal(gamma=1.0)"),
        ("cce", YES[:, None], P[:, None], "binary_crossentropy"),
        ("cce", ONE_HOT + np.roll(ONE_HOT, 1, axis=1), SIGMOID, "binary_crossentropy"),
        ("bce", 2 * YES - 1, P, "hinge"),
        ("bce", 2 * YES - 1, LOGIT, "hinge"),
        ("hinge", np.linspace(0, 1, 12), LOGIT, "binary_crossentropy(from_logits=True)"),
        ("scce", CLASSES - 1, SOFTMAX, "sparse_categorical_crossentropy(ignore_class=-1)"),
        ("scce", np.where(YES, 255, 2), SOFTMAX,
         "sparse_categorical_crossentropy(ignore_class=255)"),
        ("bce(label_smoothing=0.1)", YES, LOGIT,
         "binary_crossentropy(from_logits=True, label_smoothing=0.1)"),
        ("cce", ONE_HOT, LOGITS, "categorical_crossentropy(from_logits=True)"),
        ("sparse_focal", CLASSES, LOGITS, "sparse_focal(from_logits=True)"),
        ("scce", CLASSES, SIGMOID, "sparse_categorical_crossentropy(from_logits=True)"),
        ("scce(from_logits=True)", CLASSES, SOFTMAX, "sparse_categorical_crossentropy"),
        ("focal(gamma=1, from_logits=True)", ONE_HOT, SIGMOID, "focal(gamma=1.0)"),
        ("msle", [-1.0, 2.0], [1.0, 2.0], "mean_squared_error"),
        ("mape", [0.0, 2.0], [1.0, 2.0], "mean_absolute_error"),
        ("poisson", [-1, 2], [1.0, 2.0], "mean_squared_error"),
    ],
)  # fmt: skip
def test_one_mistake_is_one_finding_with_the_loss_that_fits(loss, y_true, y_pred, fitting):
    assert fits(loss, y_true, y_pred) == [fitting]
    assert check_data(fitting, y_true, y_pred) == []


def test_two_mistakes_have_one_loss_that_fits():
    found = check_data("categorical_focal(gamma=1.5)", CLASSES, LOGITS)
    assert [finding.fits for finding in found] == 2 * ["sparse_focal(gamma=1.5, from_logits=True)"]
    assert check_data(found[0].fits, CLASSES, LOGITS) == []


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "message"),
    [
        ("bce", 255 * YES, P, "got 0 to 255. They look like 8-bit pixels: divide them by 255."),
        ("bce", YES + 1, P, "counted from 1: subtract 1"),
        ("bce", CLASSES, P, "'sparse_categorical_crossentropy' takes, with an output for each"),
        ("dice", CLASSES, P, "one-hot encode them: keras.ops.one_hot"),
        ("dice", CLASSES, SOFTMAX, "look like class indices"),
        ("dice", YES, LOGIT, "End the model with a sigmoid."),
        ("bce", 0.2 * YES + 1, P, "Rescale the labels"),
        ("cce", 2 * ONE_HOT - 1, SOFTMAX, r"rescale them by \(y_true \+ 1\) / 2\."),
        ("cce", 0 * ONE_HOT, SOFTMAX, "12 of 12 don't; .* from 0 to 0. A row of zeros"),
        ("cce", 0.3 * ONE_HOT, SOFTMAX, "Divide each row by its sum"),
        ("kl_divergence", ONE_HOT, LOGITS, "End the model with a softmax"),
        ("scce", CLASSES + 1, SOFTMAX, "0 to 2, since y_pred has 3, got 1 to 3. .*: subtract 1"),
        ("scce", 3 * CLASSES - 1, SOFTMAX, "got -1 to 5. Give the model one output"),
        ("scce", CLASSES / 2, SOFTMAX, "must hold whole numbers, got 0.5"),
        ("hinge", CLASSES - 1, LOGIT, "got -1 to 1. 0 is neither class"),
        ("hinge", CLASSES, LOGIT, "must be -1 and 1, or 0 and 1, got 0 to 2. Class indices are"),
        ("hinge", 3 * LOGIT, LOGIT, "Use a loss for labels of that kind"),
        ("poisson", [1, 2], [-1.0, 2.0], "numbers above 0, got -1 to 2. End the model with a s"),
        ("circle", CLASSES, LOGITS, "embeddings of length 1.*UnitNormalization"),
        ("mse", P, LOGITS, r"same shape, got y_true \(12,\) and y_pred \(12, 3\)\. Reshape"),
        ("mse", P[:9], LOGIT, "got 9 samples in y_true and 12 in y_pred"),
        ("scce", [], np.zeros((0, 3)), "needs at least one sample"),
        ("mse", 1.0, 2.0, "takes arrays of samples"),
        ("mse", [1, np.nan], [1, 2], "y_true must be finite, got NaN in 1 of 2 entries. Drop"),
        ("mse", [1, np.inf], [1, 2], "y_true must be finite, got infinity in 1 of 2 entries"),
        ("bce", [1, 0], [0.5, np.nan], "y_pred must be finite, got NaN in 1 of 2 entries. Check"),
        ("scce", ["cat", "dog"], SOFTMAX[:2], "must hold numbers, got <U3 labels. Number the"),
        ("scce", np.array([0, None]), SOFTMAX[:2], r"got object \(NoneType, int\).*fill in miss"),
        ("scce", pd.Series(["cat", "dog"]), SOFTMAX[:2], r"\(str\). Number strings"),
        ("mse", pd.to_datetime(pd.Series(["2024-01-01"])), [1], "must hold numbers, got datetime"),
        ("mse", [[1, 2], [3]], [1, 2], "must hold numbers, in rows of equal length"),
        ("ctc", [[0, 1]], 9 * np.ones((1, 4, 3)), "0 is the blank.*Number the classes from 1"),
        ("ctc", [[1, -1]], 9 * np.ones((1, 4, 3)), "classes from 1 to 2.*got -1 to 1. Pad with 0"),
        ("ctc", [[1, 1]], 9 * np.ones((1, 2, 3)), "needs 3 steps.*and y_pred has 2"),
        ("ctc", [[1, 0.5]], 9 * np.ones((1, 2, 3)), "whole numbers"),
        ("ctc", [1, 2], 9 * np.ones((2, 3)), "samples, steps, classes"),
        ("ctc", [[1, 2]], np.full((1, 4, 4), 0.25), "look like probabilities: .* Leave out the"),
    ],
)  # fmt: skip
def test_a_mistake_that_no_loss_mends_says_what_to_do(loss, y_true, y_pred, message):
    found = check_data(loss, y_true, y_pred)
    assert [finding.fits for finding in found] == [None]
    assert re.search(message, str(found[0]))
    assert "\n" not in str(found[0])


def test_all_that_is_wrong_is_found():
    labels = [np.nan, 3, 1.5, 0]
    predictions = [[np.nan, 0, 0], [5, 0, 0], [0, 0, -5], [0, 0, 0]]
    message = messages("scce", labels, predictions)
    for part in ("y_true must be finite", "y_pred must be finite", "classes from 0 to 2",
                 "whole numbers, got 1.5", "y_pred must hold probabilities"):  # fmt: skip
        assert part in message
    assert len(check_data("scce", labels, predictions)) == 5
    assert "look like logits" in messages("scce", ["a", "b"], LOGITS[:2])


def test_weights_of_zero_leave_labels_out_of_the_check():
    labels, weights = YES.astype("float64"), np.ones(12)
    labels[4], weights[4] = -1, 0
    assert fits("bce", labels, P) == [None]
    assert check_data("bce", labels, P, sample_weight=weights) == []
    assert check_data("bce", labels, P, sample_weight=weights[:, None]) == []
    steps, predicted = np.stack([labels, labels], axis=1)[..., None], SIGMOID[:, :2, None]
    per_step = np.stack([weights, np.ones(12)], axis=1)
    assert "got -1 to 1" in messages("bce", steps, predicted, sample_weight=per_step)
    per_step[4, 1] = 0
    assert check_data("bce", steps, predicted, sample_weight=per_step) == []
    # 0 times NaN is NaN.
    labels[4] = np.nan
    assert "NaN in 1 of 12" in messages("bce", labels, P, sample_weight=weights)


def test_labels_that_are_no_arrays_are_reported_with_the_way_out():
    sparse = pytest.importorskip("scipy.sparse").csr_matrix([[0.0], [1.0]])
    assert messages("bce", sparse, [[0.2], [0.7]]) == (
        "Loss 'binary_crossentropy' takes arrays, and y_true is a sparse matrix. Make it dense: "
        "y_true.toarray()."
    )
    tf = pytest.importorskip("tensorflow")
    assert "y_true is a ragged tensor. Pad it by y_true.to_tensor(), and give the" in messages(
        "bce", tf.ragged.constant([[0.0], [1.0, 0.0]]), [[0.2], [0.7]]
    )
    assert "Make it dense: tf.sparse.to_dense(y_true)." in messages(
        "bce", tf.sparse.from_dense([[0.0], [1.0]]), [[0.2], [0.7]]
    )
    # A function of somebody's own may take them.
    assert not check_data(lambda y_true, y_pred: y_pred, tf.ragged.constant([[0.0]]), [[0.2]])


# Sums and outputs


def test_each_term_of_a_sum_is_checked_and_what_concerns_all_is_said_once():
    found = check_data("mse + 0.5 * bce", 2 * YES - 1, P)
    assert [(finding.loss, finding.fits) for finding in found] == [("binary_crossentropy", "hinge")]
    found = check_data("mse + focal", [np.nan, 1], [0.2, 0.3])
    assert [finding.loss for finding in found] == ["mean_squared_error + focal"]


@pytest.mark.parametrize(
    ("losses", "fits"),
    [
        (["mse", "mae"], "mse + mae"),
        (("mse", lossreg.get_loss("huber", delta=2)), "mse + huber(delta=2.0)"),
        ([keras.losses.Huber(2.0), "0.5 * mae"], "huber(delta=2.0) + 0.5 * mae"),
    ],
)
def test_several_losses_of_one_output_are_a_finding_with_their_sum(losses, fits):
    (finding,) = check_data(losses, [0.1, 0.5], [0.2, 0.7])
    assert finding.fits == fits
    assert f"Give the sum: get_loss({fits!r})." in finding.message
    # The sum costs what both cost.
    data = np.array([[0.1], [3.5]]), np.array([[0.2], [0.7]])
    each = sum(float(lossreg.get_loss(loss)(*data)) for loss in losses)
    assert float(lossreg.get_loss(fits)(*data)) == pytest.approx(each, rel=EACH_OTHER)


def test_a_list_of_mappings_is_a_sum_and_nothing_else():
    assert check_data([{"name": "mse"}, {"name": "mae", "weight": 2}], [0.1], [0.2]) == []
    assert check_data(["mse"], [0.1], [0.2]) == []


@pytest.mark.parametrize(
    "loss",
    [
        {"mask": "dice", "kind": "scce"},
        {"outputs": {"mask": "dice", "kind": "scce", "other": None}},
        lossreg.get_loss({"outputs": {"mask": "dice", "kind": "scce"}}),
        {"mask": keras.losses.Dice(), "kind": lossreg.bind("scce")},
    ],
)
def test_each_output_is_checked_with_its_loss(loss):
    y_pred = {"mask": P, "kind": SOFTMAX}
    assert check_data(loss, {"mask": YES, "kind": CLASSES, "more": 1}, y_pred) == []
    found = check_data(loss, {"mask": 255 * YES, "kind": ONE_HOT}, y_pred)
    assert [(finding.output, finding.fits) for finding in found] == [
        ("mask", None),
        ("kind", "categorical_crossentropy"),
    ]
    assert str(found[0]).startswith("Output 'mask': Loss 'dice': y_true must be in [0, 1]")


def test_an_output_without_data_is_a_finding():
    loss = {"mask": "dice", "kind": "scce"}
    message = messages(loss, {"mask": YES, "kinds": CLASSES}, {"mask": P, "kind": SOFTMAX})
    assert message == (
        "Output 'kind': y_true has no entry 'kind'; it has 'mask', 'kinds'. "
        "Name each output as its loss is."
    )
    assert "y_true must map each output to its data, as the losses do, got list" in messages(
        {"kind": "scce"}, [0], {"kind": SOFTMAX[:1]}
    )


# Every kind of loss


@pytest.mark.parametrize(
    "loss",
    [
        "bce",
        "BinaryCrossentropy()",
        {"name": "bce"},
        lossreg.bind("bce"),
        lossreg.get_loss("bce"),
        lossreg.get_loss_fn("bce"),
        keras.losses.BinaryCrossentropy(),
        keras.losses.binary_crossentropy,
        keras.losses.BinaryCrossentropy,
        keras.losses.serialize(keras.losses.BinaryCrossentropy()),
        lossreg.get_loss("bce + mse"),
        lossreg.get_loss_fn("bce + mse"),
    ],
    # A name with an address would be another one in each process.
    ids=lambda loss: type(loss).__name__,
)
def test_whatever_names_a_loss_is_taken(loss):
    assert check_data(loss, YES, P) == []
    assert fits(loss, 2 * YES - 1, P) == ["hinge"]


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred", "fitting"),
    [
        (keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1), ONE_HOT, SIGMOID,
         "binary_crossentropy(label_smoothing=0.1)"),
        (keras.losses.SparseCategoricalCrossentropy(ignore_class=2), CLASSES, LOGITS,
         "sparse_categorical_crossentropy(from_logits=True, ignore_class=2)"),
        (keras.losses.CategoricalCrossentropy(axis=1), np.eye(3)[None], LOGITS[None, :3],
         "categorical_crossentropy(from_logits=True, axis=1)"),
    ],
)  # fmt: skip
def test_a_loss_of_keras_is_known_with_its_parameters(loss, y_true, y_pred, fitting):
    assert fits(loss, y_true, y_pred) == [fitting]


def test_the_axis_of_a_loss_of_keras_is_known_where_its_config_lacks_it():
    loss = keras.losses.SparseCategoricalCrossentropy(axis=1)
    y_pred = samples.activate(RNG.normal(size=(6, 3, 4)), 1, exclusive=True)
    assert check_data(loss, np.zeros((6, 4)), y_pred) == []
    assert check_data(keras.losses.SparseCategoricalCrossentropy(), np.zeros((6, 4)), y_pred)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("keras/")])
def test_every_class_of_keras_is_checked_as_the_loss_of_its_name(name, draw):
    called = lossreg.bind(name).name.replace("_", "")
    classes = {
        key.lower(): each for key, each in vars(keras.losses).items() if inspect.isclass(each)
    }
    loss = classes[called]()
    y_true, y_pred = draw(lossreg.bind(name).spec)
    assert check_data(loss, y_true, y_pred) == []
    found = check_data(loss, np.full(y_true.shape, np.nan), y_pred)
    assert [finding.loss for finding in found] == [lossreg.bind(name).name]


def test_a_loss_of_ones_own_takes_what_it_takes():
    class Own(keras.losses.Loss):
        def __init__(self, size):
            super().__init__()

    def own(y_true, y_pred):
        return y_pred

    for loss in (Own(3), own, keras.losses.Loss()):
        assert check_data(loss, np.array([np.nan, 7]), [[1.0, 2], [3, 4]]) == []
        assert "y_pred must be finite, got NaN" in messages(loss, [1.0], [np.nan])
    lossreg.register(own, y_true="integer", y_pred="logits")
    assert fits("own", CLASSES + 1, LOGITS) == [None]


@pytest.mark.parametrize(
    ("loss", "error"),
    [("hubert", UnknownLossError), ("huber(dleta=1)", ParameterError), (None, ConfigError),
     ("huber(", ConfigError), (3, ConfigError), ({"a": "hubert"}, UnknownLossError),
     ({"a": {"outputs": {"b": "mse"}}}, ConfigError)],
)  # fmt: skip
def test_what_is_no_loss_is_refused_as_elsewhere(loss, error):
    with pytest.raises(error) as caught:
        check_data(loss, [1], [1])
    assert isinstance(caught.value, LossregError)


def test_a_finding_is_data():
    found = check_data("bce", [-1, 1], [0.2, 0.7])[0]
    assert found == Finding(message=found.message, fits="hinge", loss="binary_crossentropy")
    with pytest.raises(AttributeError):
        found.fits = "mse"


# Rounding is no mistake


SHARES = ["bce", "cce", "dice", "tversky", "kl_divergence", "focal", "categorical_focal"]
ONE_AND_A_ROUNDING = [
    pytest.param("float32", 1 + 2**-23, id="float32"),
    pytest.param("float64", 1 + 2**-23, id="float32, kept as float64"),
    pytest.param("float16", 1 + 2**-10, id="float16"),
    pytest.param("bfloat16", 1 + 2**-7, id="bfloat16"),
]


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize(("dtype", "one"), ONE_AND_A_ROUNDING)
def test_labels_beyond_1_or_0_by_rounding_are_taken(name, dtype, one):
    y_true = np.array([[one, 1 - one], [0.0, 1.0]]).astype(dtype)
    assert y_true.max() > 1
    assert y_true.min() < 0
    y_pred = np.array([[0.7, 0.3], [0.2, 0.8]], "float32")
    assert check_data(name, y_true, y_pred) == []
    value = float(lossreg.get_loss(name)(y_true, y_pred))
    rounded = float(lossreg.get_loss(name)(np.round(y_true.astype("float32")), y_pred))
    # Two labels are off by 2**-7 at most, and each counts up to -log(0.2).
    assert value == pytest.approx(rounded, abs=2 * 2**-7 * 1.61)


@pytest.mark.parametrize("name", SHARES)
@pytest.mark.parametrize(
    ("dtype", "one", "figures"),
    [
        ("float32", 1.001, "0 to 1.001"),
        ("float32", 1.000123, "0 to 1.00012"),
        ("float16", 1.01, "0 to 1.00977"),
        ("bfloat16", 1.03, "0 to 1.03125"),
    ],
)
def test_labels_beyond_1_by_more_are_refused_with_figures_that_show_it(name, dtype, one, figures):
    y_true, y_pred = np.array([[one, 0.0]]).astype(dtype), np.array([[0.7, 0.3]], "float32")
    (found,) = [f for f in messages(name, y_true, y_pred).splitlines() if "[0, 1]" in f]
    assert f"y_true must be in [0, 1], got {figures}." in found


@pytest.mark.parametrize("size", [(37, 53), (120, 500), (640, 480)])
def test_an_area_resize_of_a_mask_is_taken(size):
    resize = pytest.importorskip("tensorflow").image.resize
    mask = np.ones((*size, 1), "float32")
    mask[:5] = 0
    y_true = np.asarray(resize(mask, (224, 224), method="area"))[None]
    assert y_true.max() > 1
    y_pred = np.full(y_true.shape, 0.5, "float32")
    for name in ("dice", "bce", "focal", "tversky"):
        assert check_data(name, y_true, y_pred) == []
        assert np.isfinite(float(lossreg.get_loss(name)(y_true, y_pred)))


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred"),
    [
        ("hinge", [[-1.0000001, 1.0000001]], [[0.2, 0.7]]),
        ("poisson", [-1e-7, 1.0], [0.3, 0.4]),
        ("msle", [-1e-7, 1.0], [0.3, 0.4]),
        ("scce", [2.0000002, 0.0], [[0.2, 0.7, 0.1]] * 2),
        ("hinge", np.array([[0, 1]], "uint8"), [[0.2, 0.7]]),
    ],
)
def test_rounding_is_no_mistake_in_any_other_kind_of_labels(name, y_true, y_pred):
    assert check_data(name, np.array(y_true), np.array(y_pred, "float32")) == []


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "figures"),
    [
        ("hinge", [[-1.0, 1.0002]], [[0.2, 0.7]], "got -1 to 1.0002"),
        ("hinge", [[-1.0, 1.0001234]], [[0.2, 0.7]], "got -1 to 1.00012"),
        ("poisson", [-1e-3, 1.0], [0.3, 0.4], "from -0.001 to 1"),
        # A loss would cut it to 1.
        ("scce", [1.9999999, 0.0], [[0.2, 0.7, 0.1]] * 2, "got 1.9999999. Round them"),
        ("bce", [0.0, 1.0], [0.0, 1.0012], "got 0 to 1.0012"),
        ("cce", [[0.0, 1.0]], [[0.5, 0.5204]], "got sums of 1.02"),
        ("cce", [[0.5, 0.5204]], [[0.5, 0.5]], "go from 1.0204 to 1.0204"),
    ],
)
def test_figures_show_the_difference(name, y_true, y_pred, figures):
    assert figures in messages(name, np.array(y_true), np.array(y_pred))


# Classes that a model rules out

RAW = [[1.0, -np.inf, 0.0]]


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        ("cce(from_logits=True)", [[1, 0, 0]], RAW),
        ("cce(from_logits=True)", [[0.5, 0, 0.5]], RAW),
        ("scce(from_logits=True)", [0], RAW),
        ("scce(from_logits=True, ignore_class=1)", [1], RAW),
        ("sparse_focal(from_logits=True)", [2], RAW),
        ("bce(from_logits=True)", [[1, 0, 1]], RAW),
        ("focal(from_logits=True)", [[1, 0, 1]], RAW),
        ("categorical_hinge", [[0, 0, 1]], RAW),
        ("hinge", [[1, -1, 1]], RAW),
        ("ctc", [[1, 0]], [[[0.0, 1.0, -np.inf]] * 3]),
        ("ctc", [[2, 0]], [[[0.0, 1.0, -np.inf], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]]),
    ],
)
def test_minus_infinity_for_a_wrong_class_is_no_finding(loss, y_true, y_pred):
    assert check_data(loss, np.array(y_true), np.array(y_pred)) == []


@pytest.mark.parametrize(
    ("loss", "y_true", "y_pred"),
    [
        ("cce(from_logits=True)", [[0, 1, 0]], RAW),
        ("cce(from_logits=True)", [[0.5, 0.1, 0.4]], RAW),
        ("scce(from_logits=True)", [1], RAW),
        ("categorical_focal(from_logits=True)", [[0, 1, 0]], RAW),
        ("sparse_focal(from_logits=True)", [1], RAW),
        ("bce(from_logits=True)", [[1, 1, 1]], RAW),
        ("focal(from_logits=True)", [[0, 1, 0]], RAW),
        ("categorical_hinge", [[0, 1, 0]], RAW),
        ("hinge", [[1, 1, 1]], RAW),
        ("ctc", [[2, 0]], [[[0.0, 1.0, -np.inf]] * 3]),
    ],
)
def test_minus_infinity_for_the_right_class_is_found(loss, y_true, y_pred):
    found = messages(loss, np.array(y_true), np.array(y_pred))
    assert "y_pred may be minus infinity only for classes that y_true says are wrong" in found
    assert "which makes the loss infinite" in found


@pytest.mark.parametrize("name", ["cce", "bce", "focal", "categorical_focal"])
def test_minus_infinity_and_label_smoothing_are_found(name):
    loss = f"{name}(from_logits=True, label_smoothing=0.1)"
    assert "label_smoothing gives every class a share" in messages(loss, [[1, 0, 0]], RAW)


@pytest.mark.parametrize("name", ["mse", "log_cosh", "cosine"])
def test_minus_infinity_is_found_where_no_class_can_be_ruled_out(name):
    assert "y_pred must be finite, got minus infinity" in messages(name, [[1.0, 2.0, 0.5]], RAW)
