import inspect

import keras
import numpy as np
import pytest
from keras_version import IS_KERAS_3_12
from tolerances import BY_DTYPE, EACH_OTHER, FLOAT32

import lossreg
from lossreg import testing
from lossreg.builtin.plugin import lossreg_losses
from lossreg.loss import key

SPECS = {spec.name: spec for spec in lossreg_losses()}
CLASSES = {
    name: value
    for name, value in vars(keras.losses).items()
    if inspect.isclass(value)
    and issubclass(value, keras.losses.Loss)
    and value is not keras.losses.Loss
}
REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]

# Away from every default, since a lost parameter is invisible there. Tversky's two weights are
# alike: Keras swaps them, and what is right has tests of its own.
PARAMETERS = {
    "huber": [{"delta": 0.3}],
    "binary_crossentropy": [
        {"from_logits": True, "label_smoothing": 0.2},
        {"axis": 1},
        {"axis": (1, 2)},
    ],
    "categorical_crossentropy": [{"from_logits": True, "label_smoothing": 0.2}, {"axis": 1}],
    "sparse_categorical_crossentropy": [
        {"from_logits": True, "ignore_class": 3},
        {"ignore_class": -1, "axis": 2},
    ],
    "categorical_generalized_cross_entropy": [{"q": 0.8}],
    "binary_focal_crossentropy": [
        {"apply_class_balancing": True, "alpha": 0.7, "gamma": 1.5},
        {"from_logits": True, "label_smoothing": 0.2, "axis": 1},
    ],
    "categorical_focal_crossentropy": [
        {"alpha": [0.1, 0.2, 0.3, 0.4, 0.5], "gamma": 1.5, "from_logits": True},
        {"alpha": 0.6, "label_smoothing": 0.2, "axis": 1},
    ],
    "dice": [{"axis": (1, 2)}, {"axis": -1}],
    "tversky": [{"alpha": 0.3, "beta": 0.3, "axis": (1, 2)}, {"axis": -1}],
    "cosine_similarity": [{"axis": 1}],
    "circle": [{"gamma": 16.0, "margin": 0.25, "remove_diagonal": False}],
}
CASES = [
    pytest.param(name, params, id=f"{name} {params}")
    for name in SPECS
    for params in [{}, *PARAMETERS.get(name, [])]
]


def keras_class(name):
    (found,) = (value for exported, value in CLASSES.items() if key(exported) == key(name))
    return found


def draw(name, params):
    """Return labels and predictions of the kinds that the spec says."""
    spec, rng = SPECS[name], np.random.default_rng(20240817)
    batch, steps, features = 4, 3, 5
    shape = (12, features) if spec.couples_batch else (batch, steps, features)
    classes = rng.integers(features, size=shape[:-1])
    if "ignore_class" in params:
        classes.flat[:5] = params["ignore_class"]
    labels = {
        "real": rng.normal(size=shape),
        "positive": rng.gamma(2.0, size=shape),
        "count": rng.poisson(3.0, size=shape),
        "binary": rng.integers(2, size=shape),
        "sign": rng.choice([-1, 1], size=shape),
        "one_hot": np.eye(features)[classes],
        "integer": classes,
        "sequence": rng.integers(1, features, size=(batch, 2)),
    }
    scores = rng.normal(size=shape)
    softmax = np.exp(scores) / np.exp(scores).sum(axis=-1, keepdims=True)
    predictions = {
        "real": scores,
        "positive": rng.gamma(2.0, size=shape),
        "probabilities": softmax,
        "logits": rng.normal(size=(batch, 6, features)),
        "embeddings": scores / np.linalg.norm(scores, axis=-1, keepdims=True),
    }
    y_pred = scores if params.get("from_logits") else predictions[spec.y_pred]
    return labels[spec.y_true], y_pred.astype("float32")


def assert_same_bits(ours, theirs):
    ours, theirs = (keras.ops.convert_to_numpy(value) for value in (ours, theirs))
    assert ours.dtype == theirs.dtype == "float32"
    np.testing.assert_array_equal(ours, theirs)
    assert ours.tobytes() == theirs.tobytes(), "a zero has another sign"


def value_and_gradient(loss, y_true, y_pred):
    if keras.backend.backend() != "tensorflow":
        # Equal bits are promised where both are traced alike; other compilers reorder at will.
        pytest.skip("gradients are taken with TensorFlow's tape")
    return testing.value_and_gradient(loss, y_true, y_pred)


def test_every_loss_that_keras_exports_is_a_builtin_and_no_other():
    exported = {key(name): name for name in CLASSES}
    ours = {key(name): name for name in SPECS}
    missing = sorted(exported[folded] for folded in exported.keys() - ours.keys())
    gone = sorted(ours[folded] for folded in ours.keys() - exported.keys())
    assert not missing, (
        f"Keras {keras.__version__} exports {missing}. Write each as a function in "
        "lossreg/builtin/, give it a LossSpec in plugin.py and a row in docs/choose.md."
    )
    assert not gone, (
        f"Keras {keras.__version__} no longer exports {gone}. A saved model may need them: "
        "keep the names and compute the values in lossreg/builtin/."
    )


@pytest.mark.parametrize("name", sorted(CLASSES))
def test_the_names_of_a_class_and_its_function_mean_one_loss(name):
    function = CLASSES[name]().fn.__name__
    assert getattr(keras.losses, function) is CLASSES[name]().fn
    assert lossreg.bind(name).qualified_name == lossreg.bind(function).qualified_name
    assert lossreg.bind(function).provider.distribution == "keras"


def test_every_function_that_keras_exports_has_a_name_here():
    functions = {
        name
        for name, value in vars(keras.losses).items()
        if inspect.isfunction(value) and name not in ("get", "serialize", "deserialize")
    }
    assert functions - {lossreg.bind(name).name for name in functions} == set()


@pytest.mark.parametrize(
    ("short", "function"),
    [
        ("bce", "binary_crossentropy"),
        ("BCE", "binary_crossentropy"),
        ("kld", "kl_divergence"),
        ("KLD", "kl_divergence"),
        ("mae", "mean_absolute_error"),
        ("MAE", "mean_absolute_error"),
        ("mape", "mean_absolute_percentage_error"),
        ("MAPE", "mean_absolute_percentage_error"),
        ("mse", "mean_squared_error"),
        ("MSE", "mean_squared_error"),
        ("msle", "mean_squared_logarithmic_error"),
        ("MSLE", "mean_squared_logarithmic_error"),
    ],
)
def test_the_short_names_of_keras_mean_what_they_mean_there(short, function):
    assert keras.losses.get(short) is getattr(keras.losses, function)
    assert lossreg.bind(short).qualified_name == f"keras/{function}"


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("kullback_leibler_divergence", "kl_divergence"),
        ("logcosh", "log_cosh"),
        ("huber_loss", "huber"),
        ("cosine", "cosine_similarity"),
        ("cosine_proximity", "cosine_similarity"),
        ("cce", "categorical_crossentropy"),
        ("scce", "sparse_categorical_crossentropy"),
        ("gce", "categorical_generalized_cross_entropy"),
        ("BinaryCrossEntropy", "binary_crossentropy"),
    ],
)
def test_names_of_older_keras_and_of_common_use_are_known(name, function):
    assert lossreg.bind(name).qualified_name == f"keras/{function}"


@pytest.mark.parametrize("name", SPECS)
def test_parameters_have_the_order_and_defaults_of_the_class(name):
    options = ("self", "name", "reduction", "dtype")
    theirs = [
        (parameter.name, parameter.default)
        for parameter in inspect.signature(keras_class(name).__init__).parameters.values()
        if parameter.name not in options
    ]
    assert list(lossreg.bind(name).params.items()) == theirs


@pytest.mark.parametrize("name", SPECS)
def test_every_parameter_is_compared_away_from_its_default(name):
    defaults = lossreg.bind(name).params
    compared = {
        parameter
        for params in PARAMETERS.get(name, [])
        for parameter, value in params.items()
        if value != defaults[parameter]
    }
    assert compared == set(defaults)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize(("name", "params"), CASES)
def test_values_and_gradients_are_those_of_the_class(name, params, reduction):
    y_true, y_pred = draw(name, params)
    ours = lossreg.get_loss(name, **params, reduction=reduction)
    theirs = keras_class(name)(**params, reduction=reduction)
    for mine, its in zip(
        value_and_gradient(ours, y_true, y_pred),
        value_and_gradient(theirs, y_true, y_pred),
        strict=True,
    ):
        if "ignore_class" in params and IS_KERAS_3_12:
            # The gradient of Keras 3.12 has a zero below 0 there; that of 3.15 hasn't.
            mine, its = mine + 0.0, its + 0.0
        assert_same_bits(mine, its)


# One number for the batch, or values that the whole batch decides: they take no weights.
@pytest.mark.parametrize("name", sorted(SPECS.keys() - {"dice", "tversky", "circle"}))
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_weighted_values_and_gradients_are_those_of_the_class(name, reduction):
    y_true, y_pred = draw(name, {})
    weights = np.array([0.5, 0.0, 2.0, 1.0]).reshape((-1,) if name == "ctc" else (-1, 1))
    results = [
        value_and_gradient(
            lambda labels, scores, loss=loss: loss(labels, scores, sample_weight=weights),
            y_true,
            y_pred,
        )
        for loss in (
            lossreg.get_loss(name, reduction=reduction),
            keras_class(name)(reduction=reduction),
        )
    ]
    for mine, its in zip(*results, strict=True):
        assert_same_bits(mine, its)


@pytest.mark.parametrize("name", ["mean_squared_error", "huber", "binary_crossentropy", "hinge"])
@pytest.mark.parametrize(
    ("true_shape", "pred_shape"),
    [((8,), (8, 1)), ((8, 1), (8,)), ((2, 4, 1), (2, 4))],
)
def test_a_trailing_axis_of_one_is_handled_as_the_class_does(name, true_shape, pred_shape):
    rng = np.random.default_rng(3)
    y_true, y_pred = rng.integers(2, size=true_shape), rng.uniform(size=pred_shape)
    ours = lossreg.get_loss(name, reduction=None)(y_true, y_pred)
    assert_same_bits(ours, keras_class(name)(reduction=None)(y_true, y_pred))


@pytest.mark.parametrize("name", ["mean_squared_error", "huber", "binary_crossentropy", "hinge"])
def test_labels_get_the_last_axis_of_the_predictions_and_the_mean_of_the_class(name):
    rng = np.random.default_rng(3)
    y_true, y_pred = rng.integers(2, size=(2, 4)), rng.uniform(size=(2, 4, 1))
    # Keras squeezes the predictions, and so loses the weights of steps.
    values = lossreg.get_loss(name, reduction=None)(y_true, y_pred)
    assert_same_bits(values, keras_class(name)(reduction=None)(y_true[..., None], y_pred))
    mean = float(lossreg.get_loss(name)(y_true, y_pred))
    assert mean == pytest.approx(float(keras_class(name)()(y_true, y_pred)), rel=EACH_OTHER)


def test_class_numbers_in_a_column_are_taken_as_the_class_takes_them():
    y_true, y_pred = draw("sparse_categorical_crossentropy", {})
    ours = lossreg.get_loss("scce", reduction=None)(y_true[..., None], y_pred)
    theirs = keras.losses.SparseCategoricalCrossentropy(reduction=None)(y_true[..., None], y_pred)
    assert_same_bits(ours, theirs)


def test_the_class_axis_of_class_numbers_reaches_keras():
    # On TensorFlow and JAX Keras takes the last axis only, so that no value could tell.
    if keras.backend.backend() == "torch":
        pytest.skip("on torch Keras takes any axis")
    with pytest.raises(ValueError, match="axis=1|must have the same shape"):
        lossreg.get_loss("scce", axis=1)(np.zeros((2, 4), "int32"), np.ones((2, 3, 4), "float32"))


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_no_class_is_taken_for_the_ignored_one(dtype):
    # float16 has no 2049 and bfloat16 no 1001: each would be the ignored class beside it.
    for ignored in (1000, 2048):
        loss = lossreg.get_loss("scce", ignore_class=ignored, dtype=dtype, reduction=None)
        values = loss(np.array([ignored, ignored + 1]), np.full((2, 3000), 1 / 3000, "float32"))
        values = keras.ops.convert_to_numpy(keras.ops.cast(values, "float32"))
        np.testing.assert_allclose(values, [0, np.log(3000)], rtol=BY_DTYPE[dtype])


def test_class_numbers_in_a_column_give_one_generalized_cross_entropy_each():
    # Keras 3.15.1 promises this in its documentation and returns a value for each pair.
    y_pred = np.array([[0.7, 0.3], [0.2, 0.8], [0.6, 0.4]])
    values = lossreg.get_loss("gce", q=0.25, reduction=None)(np.array([[0], [1], [1]]), y_pred)
    expected = [(1 - p**0.25) / 0.25 for p in (0.7, 0.8, 0.4)]
    np.testing.assert_allclose(keras.ops.convert_to_numpy(values), expected, rtol=FLOAT32)


@pytest.mark.parametrize(("name", "params"), CASES)
def test_the_function_form_gives_the_values_that_the_class_reduces(name, params):
    y_true, y_pred = draw(name, params)
    values = lossreg.get_loss_fn(name, **params)(
        keras.ops.convert_to_tensor(y_true), keras.ops.convert_to_tensor(y_pred)
    )
    assert_same_bits(values, lossreg.get_loss(name, **params, reduction=None)(y_true, y_pred))


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        pytest.param([1, 1], [1, 0], 1 - 1 / (1 + 0.7), id="a miss costs beta"),
        pytest.param([1, 0], [1, 1], 1 - 1 / (1 + 0.3), id="a false alarm costs alpha"),
        pytest.param(
            [1, 1, 0],
            [0.5, 1.0, 0.25],
            1 - 1.5 / (1.5 + 0.3 * 0.25 + 0.7 * 0.5),
            id="half a miss and a quarter of a false alarm",
        ),
    ],
)
def test_tversky_means_what_its_paper_says(y_true, y_pred, expected):
    loss = lossreg.get_loss("tversky", alpha=0.3, beta=0.7)
    value = float(loss(np.array([y_true]), np.array([y_pred])))
    assert value == pytest.approx(expected, rel=FLOAT32)


def test_keras_swaps_the_weights_of_tversky():
    value = float(keras.losses.Tversky(alpha=0.3, beta=0.7)(np.array([[1, 1]]), np.array([[1, 0]])))
    assert value == pytest.approx(1 - 1 / (1 + 0.3), rel=FLOAT32), (
        f"Keras {keras.__version__} no longer does; change the docstring of tversky."
    )
