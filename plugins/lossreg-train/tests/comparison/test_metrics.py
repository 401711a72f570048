"""Metrics: those that scikit-learn has against it, the others by hand."""

import numpy as np
import pytest
from tolerances import BY_DTYPE, CANCELLATION

from lossreg import ConfigError, bind
from lossreg_train.comparison.answers import Answers, Scale
from lossreg_train.comparison.metrics import Metric, default_metric, read_metrics
from lossreg_train.comparison.scores import reliability

FLOAT64 = BY_DTYPE["float64"]

sklearn_metrics = pytest.importorskip("sklearn.metrics")

ROWS = 200
RNG = np.random.default_rng(6)
# Rounded, so that some scores are equal.
LOGITS = RNG.normal(size=(ROWS, 3)).round(1)
NUMBERS = (LOGITS + RNG.gumbel(size=LOGITS.shape)).argmax(axis=1)
YES = (LOGITS[:, :1] + RNG.logistic(size=(ROWS, 1)) > 1).astype("float32")
BINARY = Scale(classes="each", y_pred="logits")
SIGN = Scale(classes="each", y_pred="real")
CLASSES = Scale(classes="number", y_pred="logits")
ONE_HOT = Scale(classes="row", y_pred="logits")
AMOUNTS = Scale(classes=None, y_pred="real")


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


def softmax(logits):
    shares = np.exp(logits)
    return shares / shares.sum(axis=-1, keepdims=True)


def value(name, y_true, y_pred, scale):
    (metric,) = read_metrics(name)
    return metric.value(Answers(np.asarray(y_true), np.asarray(y_pred), scale))


def recall_at(truth, scores, least):
    precision, recall, _ = sklearn_metrics.precision_recall_curve(truth, scores)
    return recall[precision >= least].max()


OF_BINARY = {
    "average_precision": lambda y, z: sklearn_metrics.average_precision_score(y, z),
    "roc_auc": lambda y, z: sklearn_metrics.roc_auc_score(y, z),
    "recall_at_precision(0.6)": lambda y, z: recall_at(y, z, 0.6),
    "accuracy": lambda y, z: sklearn_metrics.accuracy_score(y, z > 0),
    "balanced_accuracy": lambda y, z: sklearn_metrics.balanced_accuracy_score(y, z > 0),
    "f1": lambda y, z: sklearn_metrics.f1_score(y, z > 0),
    "iou": lambda y, z: sklearn_metrics.jaccard_score(y, z > 0),
    "dice": lambda y, z: sklearn_metrics.f1_score(y, z > 0),
    "brier": lambda y, z: sklearn_metrics.brier_score_loss(y, sigmoid(z)),
    "log_loss": lambda y, z: sklearn_metrics.log_loss(y, sigmoid(z)),
}
MACRO = {"average": "macro"}
OF_CLASSES = {
    "average_precision": lambda y, z: sklearn_metrics.average_precision_score(
        np.eye(3)[y], softmax(z)
    ),
    "roc_auc": lambda y, z: sklearn_metrics.roc_auc_score(y, softmax(z), multi_class="ovr"),
    "accuracy": lambda y, z: sklearn_metrics.accuracy_score(y, z.argmax(1)),
    "balanced_accuracy": lambda y, z: sklearn_metrics.balanced_accuracy_score(y, z.argmax(1)),
    "f1": lambda y, z: sklearn_metrics.f1_score(y, z.argmax(1), **MACRO),
    "log_loss": lambda y, z: sklearn_metrics.log_loss(y, softmax(z)),
}


@pytest.mark.parametrize("name", OF_BINARY)
def test_yes_or_no_is_judged_as_by_scikit_learn(name):
    truth = YES[:, 0].astype(int)
    expected = OF_BINARY[name](truth, LOGITS[:, 0])
    assert 0.05 < expected < 2
    assert value(name, YES, LOGITS[:, :1], BINARY) == pytest.approx(expected, rel=FLOAT64)
    # Labels of -1 and 1, and scores of a hinge.
    if name not in ("brier", "log_loss"):
        assert value(name, 2 * YES - 1, LOGITS[:, :1], SIGN) == pytest.approx(expected, rel=FLOAT64)
    # Probabilities in place of logits.
    shares = Scale(classes="each", y_pred="probabilities")
    assert value(name, YES, sigmoid(LOGITS[:, :1]), shares) == pytest.approx(expected, rel=FLOAT64)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_classes_are_judged_as_by_scikit_learn(name):
    # Two scores that are equal may be rounded apart.
    logits = LOGITS + 1e-3 * RNG.normal(size=LOGITS.shape)
    expected = OF_CLASSES[name](NUMBERS, logits)
    assert 0.05 < expected < 2
    assert value(name, NUMBERS[:, None], logits, CLASSES) == pytest.approx(expected, rel=FLOAT64)
    assert value(name, np.eye(3)[NUMBERS], logits, ONE_HOT) == pytest.approx(expected, rel=FLOAT64)


@pytest.mark.parametrize("name", ["average_precision", "roc_auc", "f1", "iou"])
def test_two_exclusive_classes_are_judged_as_a_yes_or_no(name):
    two = np.concatenate([np.zeros((ROWS, 1)), LOGITS[:, :1]], axis=1)
    expected = value(name, YES, LOGITS[:, :1], BINARY)
    assert value(name, YES.astype(int), two, CLASSES) == pytest.approx(expected, rel=FLOAT64)


def test_several_labels_of_a_sample_are_judged_one_by_one():
    labels = (LOGITS + RNG.logistic(size=LOGITS.shape) > 0.5).astype("float32")
    each = [value("f1", labels[:, [c]], LOGITS[:, [c]], BINARY) for c in range(3)]
    assert value("f1", labels, LOGITS, BINARY) == pytest.approx(np.mean(each), rel=FLOAT64)


def test_amounts_are_judged_as_by_scikit_learn():
    y_true, y_pred = RNG.normal(size=(50, 1)), RNG.normal(size=(50, 1))
    assert value("mae", y_true, y_pred, AMOUNTS) == pytest.approx(
        sklearn_metrics.mean_absolute_error(y_true, y_pred), rel=FLOAT64
    )
    assert value("rmse", y_true, y_pred, AMOUNTS) == pytest.approx(
        sklearn_metrics.root_mean_squared_error(y_true, y_pred), rel=FLOAT64
    )
    assert value("r2", y_true, y_pred, AMOUNTS) == pytest.approx(
        sklearn_metrics.r2_score(y_true, y_pred), rel=FLOAT64
    )
    assert value("pinball(0.9)", y_true, y_pred, AMOUNTS) == pytest.approx(
        sklearn_metrics.mean_pinball_loss(y_true, y_pred, alpha=0.9), rel=FLOAT64
    )


def test_coverage_is_how_far_the_share_below_is_from_the_quantile():
    labels = np.arange(10.0)[:, None]
    # Seven of ten labels are at most 6.5, and nine were asked for.
    assert value("coverage_error(0.9)", labels, np.full((10, 1), 6.5), AMOUNTS) == pytest.approx(
        0.2, rel=FLOAT64
    )
    both = np.tile([1.5, 6.5], (10, 1))
    columns = value("coverage_error([0.1, 0.9])", labels, both, AMOUNTS)
    assert columns == pytest.approx((0.1 + 0.2) / 2, rel=FLOAT64)


def test_an_image_is_judged_by_its_overlap():
    truth = np.zeros((2, 2, 2, 1))
    truth[0, 0] = 1  # two of four pixels; nothing in the second image
    found = np.full((2, 2, 2, 1), -1.0)
    found[0, :, 0] = 1  # two pixels, one of them right
    assert value("dice", truth, found, BINARY) == pytest.approx((2 * 1 / 4 + 1) / 2, rel=FLOAT64)
    assert value("iou", truth, found, BINARY) == pytest.approx((1 / 3 + 1) / 2, rel=FLOAT64)
    classes = np.stack([np.zeros((2, 2, 2)), found[..., 0]], axis=-1)
    assert value("dice", truth[..., 0], classes, CLASSES) == pytest.approx(0.75, rel=FLOAT64)


def test_calibration_compares_a_probability_with_what_happens():
    # Ten samples at 0.8, of which six come true; ten at 0.3, of which three do.
    labels = np.array([1] * 6 + [0] * 4 + [1] * 3 + [0] * 7)[:, None]
    shares = np.array([0.8] * 10 + [0.3] * 10)[:, None]
    scale = Scale(classes="each", y_pred="probabilities")
    assert value("calibration_error", labels, shares, scale) == pytest.approx(0.2 / 2, rel=FLOAT64)
    low, high = reliability(Answers(labels, shares, scale))
    assert (low.predicted, low.observed, low.count) == pytest.approx((0.3, 0.3, 10), rel=FLOAT64)
    assert (high.predicted, high.observed, high.count) == pytest.approx((0.8, 0.6, 10), rel=FLOAT64)


def test_a_sure_logit_overflows_nothing():
    logits = np.array([[1e4], [-1e4]])
    with np.errstate(all="raise", under="ignore"):
        assert value("brier", [[1], [0]], logits, BINARY) == 0
        assert value("average_precision", [[1], [0]], logits, BINARY) == 1
        both = np.concatenate([logits, -logits], axis=1)
        assert value("log_loss", [[0], [1]], both, CLASSES) == pytest.approx(0, abs=CANCELLATION)


@pytest.mark.parametrize(
    ("name", "y_true", "y_pred", "scale", "message"),
    [
        ("roc_auc", [[1], [1]], [[0.5], [2.0]], BINARY, "every label of the fold is the same"),
        ("r2", [[1.0], [1.0]], [[0.5], [2.0]], AMOUNTS, "every label of the fold is the same"),
        ("f1", [[1.0], [2.0]], [[0.5], [2.0]], AMOUNTS, "labels that are classes"),
        ("mae", [[1.0], [2.0]], [[0.5, 1], [2, 1]], AMOUNTS, "a prediction for each label"),
        ("pinball([0.1, 0.9])", [[1.0]], [[0.5]], AMOUNTS, "one label and 2 predictions"),
    ],
)
def test_a_metric_that_is_not_defined_says_why(name, y_true, y_pred, scale, message):
    with pytest.raises(ValueError, match=message):
        value(name, y_true, y_pred, scale)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("pinball(1.5)", "'quantile' must be a number between 0 and 1, got 1.5"),
        ("recall_at_precision(recall=0.9)", "it takes precision"),
        ("f1(3)", "it takes no arguments"),
        (["f1", 3], "must be a name, a call such as 'f1' or a function, got 3"),
    ],
)
def test_a_wrong_metric_is_a_fault_of_the_config(given, message):
    with pytest.raises(ConfigError, match=message):
        read_metrics(given)


def test_metrics_are_named_as_they_are_written():
    def spread(y_true, y_pred):
        return float(np.ptp(y_true - y_pred))

    found = read_metrics(["F1", "recall_at_precision(0.95)", "AUC", spread, Metric(spread, "x")])
    assert [each.name for each in found] == [
        "f1",
        "recall_at_precision(0.95)",
        "AUC",
        "spread",
        "x",
    ]
    assert found[3].value(Answers(np.array([3.0, 1.0]), np.array([0.0, 0.0]), AMOUNTS)) == 2


@pytest.mark.parametrize(
    ("name", "sign"),
    [
        *[(name, 1) for name in ("average_precision", "dice", "r2", "AUC", "F1Score", "accuracy")],
        *[(name, -1) for name in ("rmse", "brier", "log_loss", "coverage_error(0.9)")],
        *[(name, -1) for name in ("MeanSquaredError", "FalsePositives", "log_cosh_error")],
    ],
)
def test_a_metric_knows_which_direction_is_better(name, sign):
    (metric,) = read_metrics(name)
    assert metric.sign == sign


def test_metrics_of_outputs_know_their_output():
    found = read_metrics({"mask": ["dice", "iou"], "label": "accuracy"})
    assert [(each.output, each.name) for each in found] == [
        ("mask", "dice"),
        ("mask", "iou"),
        ("label", "accuracy"),
    ]


@pytest.mark.parametrize(
    ("loss", "places", "expected"),
    [
        ("binary_crossentropy", False, "average_precision"),
        ("binary_crossentropy", True, "dice"),
        ("sparse_categorical_crossentropy", False, "balanced_accuracy"),
        ("huber(2)", False, "rmse"),
    ],
)
def test_the_first_metric_suits_the_labels(loss, places, expected):
    assert default_metric(bind(loss), places) == expected
