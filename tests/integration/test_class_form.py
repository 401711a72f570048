import copy
import functools
import operator
import pickle

import keras
import numpy as np
import pytest
from core_losses import core_entries
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32

import lossreg
from lossreg import ConfigError, ParameterError
from lossreg.errors import LossregError, ShapeError, SpecError, WeightError

SPECS = {entry.qualified_name: entry.spec for entry in core_entries()}
# One number for the whole batch, or for a sample one that the whole batch decides.
UNWEIGHTED = {"keras/dice", "keras/tversky", "keras/circle"}
REDUCTIONS = ["sum_over_batch_size", "mean", "mean_with_sample_weight", "sum", "none", None]


class ScaledError(keras.losses.Loss):
    """Squared error times a factor, written as Keras' documentation teaches."""

    def __init__(self, factor=2.0, reduction="sum_over_batch_size", name="scaled", dtype=None):
        super().__init__(reduction=reduction, name=name, dtype=dtype)
        self.factor = factor

    def call(self, y_true, y_pred):
        return keras.ops.mean(self.factor * keras.ops.square(y_true - y_pred), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}


def absolute_fourth(y_true, y_pred, power=4):
    """An error to a power."""
    return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** power, axis=-1)


def numbers(tensor):
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float64"))


# What it is and what it says


def test_repr_shows_name_parameters_and_provider():
    loss = lossreg.get_loss("huber", delta=2)
    assert repr(loss) == f"<huber(delta=2.0) from keras {keras.__version__}>"


def test_a_loss_carries_name_parameters_and_provider():
    loss = lossreg.get_loss("focal", gamma=3)
    assert isinstance(loss, keras.losses.Loss)
    assert loss.name == "focal"
    assert loss.params["gamma"] == 3.0
    assert set(loss.params) == {"gamma", "alpha", "from_logits", "label_smoothing"}
    assert loss.provider.distribution == "lossreg-focal"
    assert loss.provider.version


# Every kind of identifier


@pytest.mark.parametrize(
    "name",
    ["huber", "Huber", "HUBER", "huber_loss", "HuberLoss", "huber-loss", "keras/huber"],
)
def test_every_spelling_of_a_name_gives_the_loss(name):
    assert (
        lossreg.get_loss(name, delta=3).get_config()
        == lossreg.get_loss("huber", delta=3).get_config()
    )


@pytest.mark.parametrize(
    ("name", "qualified"),
    [
        ("MSE", "keras/mean_squared_error"),
        ("BinaryCrossEntropy", "keras/binary_crossentropy"),
        ("scce", "keras/sparse_categorical_crossentropy"),
        ("FocalLoss", "lossreg-focal/focal"),
        ("binary_focal", "lossreg-focal/focal"),
        ("Lossreg_Focal/FocalLoss", "lossreg-focal/focal"),
    ],
)
def test_an_alias_gives_the_loss_that_it_stands_for(name, qualified):
    assert lossreg.get_loss(name).bound.qualified_name == qualified


def test_a_name_may_be_a_subclass_of_str():
    assert lossreg.get_loss(np.str_("huber"), delta=3) == lossreg.get_loss("huber", delta=3)


@pytest.mark.parametrize(
    ("written", "qualified", "params"),
    [
        pytest.param(
            keras.losses.Tversky(alpha=0.2, beta=0.9),
            "keras/tversky",
            {"alpha": 0.2, "beta": 0.9, "axis": None},
            id="a class with its parameters",
        ),
        pytest.param(
            keras.losses.Dice(axis=(1, 2)),
            "keras/dice",
            {"axis": (1, 2)},
            id="a class with a tuple",
        ),
        pytest.param(keras.losses.huber, "keras/huber", {"delta": 1.0}, id="a function"),
        pytest.param(
            lossreg.get_loss("huber", delta=3), "keras/huber", {"delta": 3.0}, id="one of ours"
        ),
        pytest.param(
            lossreg.get_loss("sparse_focal", gamma=3, alpha=[1, 2], ignore_class=7),
            "lossreg-focal/sparse_focal",
            {
                "gamma": 3.0,
                "alpha": (1.0, 2.0),
                "from_logits": False,
                "ignore_class": 7,
                "axis": -1,
            },
            id="one of a plugin's",
        ),
    ],
)
def test_what_keras_serializes_gives_the_loss_again(written, qualified, params):
    loss = lossreg.get_loss(keras.losses.serialize(written))
    assert loss.bound.qualified_name == qualified
    assert loss.params == params


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name in dir(keras.losses)
        if isinstance(getattr(keras.losses, name), type) and name != "Loss"
    ),
)
def test_every_class_of_keras_is_taken_as_class_and_as_what_keras_writes(name):
    kind = getattr(keras.losses, name)
    from_class = lossreg.get_loss(kind)
    assert lossreg.get_loss(keras.losses.serialize(kind())).bound == from_class.bound
    assert lossreg.get_loss(name).bound == from_class.bound
    assert from_class.provider.distribution == "keras"


def test_what_keras_serializes_keeps_its_options():
    written = keras.losses.serialize(keras.losses.Dice(name="overlap", reduction="sum"))
    loss = lossreg.get_loss(written)
    assert (loss.name, loss.reduction) == ("overlap", "sum")


def test_options_in_the_call_win_over_those_in_a_mapping():
    written = keras.losses.serialize(lossreg.get_loss("huber", delta=3, dtype="float16"))
    loss = lossreg.get_loss(written, delta=4, dtype="bfloat16", reduction="sum")
    assert (loss.params, loss.dtype, loss.reduction) == ({"delta": 4.0}, "bfloat16", "sum")


def test_a_mapping_needs_no_more_than_a_class_name():
    assert lossreg.get_loss({"class_name": "Huber"}).params == {"delta": 1.0}
    assert lossreg.get_loss({"class_name": "Huber", "config": {"delta": 2}}).params["delta"] == 2.0


@pytest.mark.parametrize("target", [keras.losses.Huber, keras.losses.huber])
def test_a_class_or_function_of_keras_is_the_builtin(target):
    loss = lossreg.get_loss(target, delta=3)
    assert loss == lossreg.get_loss("huber", delta=3)


@pytest.mark.parametrize("target", [ScaledError, lambda factor=2.0: ScaledError(factor)])
def test_a_class_or_factory_of_a_user_is_built_with_its_parameters(target):
    loss = lossreg.get_loss(target, factor=3)
    assert isinstance(loss, lossreg.get_loss("mse").__class__)
    # Errors 1 and 2, squared, times 3: (3 + 12) / 2.
    assert float(loss(np.zeros((2, 1)), np.array([[1.0], [2.0]]))) == pytest.approx(
        7.5, rel=FLOAT32
    )
    with pytest.raises(ParameterError, match="Did you mean 'factor'"):
        lossreg.get_loss(target, facto=3)


def test_a_function_of_a_user_is_wrapped_with_its_parameters():
    loss = lossreg.get_loss(absolute_fourth, power=3)
    assert (loss.name, loss.params) == ("absolute_fourth", {"power": 3})
    assert float(loss(np.zeros((2, 1)), np.array([[1.0], [2.0]]))) == pytest.approx(
        (1 + 8) / 2, rel=FLOAT32
    )


def test_a_lambda_is_wrapped():
    loss = lossreg.get_loss(lambda labels, scores: keras.ops.sum(scores - labels, axis=-1))
    assert float(loss(np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]]))) == pytest.approx(
        5, rel=FLOAT32
    )


def test_a_loss_that_is_built_is_returned_as_it_is():
    for loss in (keras.losses.Huber(delta=3), ScaledError(3), lossreg.get_loss("huber", delta=3)):
        assert lossreg.get_loss(loss) is loss


def test_none_gives_none():
    assert lossreg.get_loss(None) is None


def test_a_bound_loss_gives_its_class_form():
    bound = lossreg.bind("huber", delta=3)
    assert lossreg.get_loss(bound, reduction="sum") == lossreg.get_loss(
        "huber", delta=3, reduction="sum"
    )
    assert lossreg.get_loss(bound, delta=4).params == {"delta": 4.0}


@pytest.mark.parametrize("identifier", [keras.losses.Huber(), None])
@pytest.mark.parametrize("params", [{"delta": 3}, {"name": "mine"}, {"dtype": "float16"}])
def test_what_is_built_takes_no_parameters(identifier, params):
    with pytest.raises(ParameterError, match=f"takes no parameters, got {next(iter(params))}"):
        lossreg.get_loss(identifier, **params)


@pytest.mark.parametrize("identifier", [3, 2.5, True, b"mse", {"mse"}, object()])
def test_an_identifier_of_another_kind_is_refused(identifier):
    with pytest.raises(ConfigError, match="doesn't describe a loss. Give a name, such as 'huber'"):
        lossreg.get_loss(identifier)


@pytest.mark.parametrize(
    "loss", [keras.losses.Huber(delta=3), ScaledError(), lossreg.get_loss("huber", delta=3)]
)
@pytest.mark.parametrize("use", [lossreg.get_loss_fn, lossreg.bind])
def test_a_loss_that_is_built_has_no_function_form(use, loss):
    # It would give one number for the batch, where a function gives one for each sample.
    with pytest.raises(ConfigError, match="is already built"):
        use(loss)


# Keras' options


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", SPECS)
def test_every_loss_takes_the_options_of_keras(name, dtype, draw):
    y_true, y_pred = draw(SPECS[name])
    loss = lossreg.get_loss(name, name="mine", reduction="sum", dtype=dtype)
    assert (loss.name, loss.reduction, loss.dtype) == ("mine", "sum", dtype)
    value = loss(y_true, y_pred)
    assert keras.backend.standardize_dtype(value.dtype) == dtype
    assert value.shape == ()
    assert np.isfinite(numbers(value))


@pytest.mark.parametrize(
    ("dtype", "computed"),
    [
        (keras.DTypePolicy("mixed_float16"), "float16"),
        (keras.DTypePolicy("bfloat16"), "bfloat16"),
        ("mixed_bfloat16", "bfloat16"),
        (np.float16, "float16"),
        (None, "float32"),
    ],
)
def test_dtype_takes_all_that_keras_takes(dtype, computed):
    loss = lossreg.get_loss("huber", dtype=dtype)
    assert loss.dtype == keras.losses.Huber(dtype=dtype).dtype == computed
    assert pickle.loads(pickle.dumps(loss)).dtype == computed


def test_the_default_dtype_follows_floatx():
    before = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        assert lossreg.get_loss("huber").dtype == "float64"
    finally:
        keras.config.set_floatx(before)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"reduction": "average"}, "reduction.*average"),
        ({"reduction": ["sum"]}, "reduction.*'sum'"),
        ({"dtype": "float31"}, "float31"),
        ({"dtype": 32}, "dtype.*32"),
        ({"dtype": {"class_name": "Dense", "config": {"units": 1}}}, "dtype.*name.*Dense"),
        ({"name": 3}, "name.*3"),
        ({"name": ["mine"]}, "name.*mine"),
    ],
)
def test_an_option_that_keras_does_not_know_is_refused_before_the_first_batch(options, message):
    with pytest.raises(ParameterError, match=f"Loss 'huber': .*{message}"):
        lossreg.get_loss("huber", **options)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["huber", "focal", "sparse_focal"])
def test_a_reduction_sums_or_averages_the_values_of_the_function_form(name, reduction, draw):
    y_true, y_pred = draw(lossreg.bind(name).spec)
    each = numbers(lossreg.get_loss_fn(name)(y_true, y_pred))
    expected = {"sum": each.sum(), "none": each, None: each}.get(reduction, each.mean())
    value = lossreg.get_loss(name, reduction=reduction)(y_true, y_pred)
    np.testing.assert_allclose(numbers(value), expected, rtol=EACH_OTHER)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_a_reduction_uses_the_weights_as_it_does_for_a_loss_of_keras(reduction, draw):
    y_true, y_pred = draw(SPECS["lossreg-focal/focal"], from_logits=True)
    weights = np.array([0.5, 0.0, 2.0] * 4)[:, None]
    ours = lossreg.get_loss("focal", gamma=0, alpha=None, from_logits=True, reduction=reduction)
    # Without a focus and a weight for the labels it is cross-entropy.
    theirs = keras.losses.BinaryCrossentropy(from_logits=True, reduction=reduction)
    np.testing.assert_allclose(
        numbers(ours(y_true, y_pred, sample_weight=weights)),
        numbers(theirs(y_true, y_pred, sample_weight=weights)),
        rtol=EACH_OTHER,
        atol=2 * CANCELLATION,
    )


# The two forms


@pytest.mark.parametrize("name", SPECS)
def test_both_forms_have_the_same_values_with_every_parameter_changed(name, draw, changed):
    params = changed(name)
    y_true, y_pred = draw(SPECS[name], from_logits=params.get("from_logits", False))
    function, loss = lossreg.get_loss_fn(name, **params), lossreg.get_loss(name, **params)
    loss.reduction = None
    values = numbers(function(y_true, y_pred))
    # The class calls the function: not a bit differs.
    np.testing.assert_array_equal(values, numbers(loss(y_true, y_pred)))
    if params:
        assert not np.array_equal(values, numbers(lossreg.get_loss_fn(name)(y_true, y_pred)))


@pytest.mark.parametrize("name", SPECS)
def test_every_parameter_is_changed_in_these_tests(name, changed):
    defaults, params = lossreg.bind(name).params, lossreg.bind(name, **changed(name)).params
    assert [key for key in params if params[key] == defaults[key]] == []


def test_python_lists_are_labels_and_predictions_in_both_forms():
    y_true, y_pred = [[1.0], [2.0]], [[2.0], [4.0]]
    assert float(lossreg.get_loss("mse")(y_true, y_pred)) == pytest.approx((1 + 4) / 2, rel=FLOAT32)
    values = lossreg.get_loss_fn("mse")(y_true, y_pred)
    assert numbers(values).tolist() == [1, 4]
    theirs = keras.losses.mean_squared_error(y_true, y_pred)
    assert values.dtype == theirs.dtype


def test_lists_of_class_numbers_and_of_weights_are_taken():
    y_pred = [[0.1, 0.9], [0.6, 0.4]]
    loss = lossreg.get_loss("scce", reduction="sum")
    value = float(loss([1, 0], y_pred, sample_weight=[1.0, 3.0]))
    assert value == pytest.approx(-np.log(0.9) - 3 * np.log(0.6), rel=FLOAT32)


def test_the_function_form_has_the_name_and_documentation_of_the_loss():
    function = lossreg.get_loss_fn("huber", delta=3)
    assert function.__name__ == "huber"
    assert function.__doc__.startswith("Squared for small errors, absolute for large")


@pytest.mark.parametrize("options", [{"reduction": "sum"}, {"dtype": "float16"}, {"name": "mine"}])
@pytest.mark.parametrize("name", ["mse", "huber"])
def test_the_function_form_sends_the_options_of_keras_to_the_class_form(name, options):
    with pytest.raises(ParameterError, match=f"{next(iter(options))!r} is.*get_loss") as caught:
        lossreg.get_loss_fn(name, **options)
    assert f"Did you mean {next(iter(options))!r}" not in str(caught.value)


# Labels


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float32"])
def test_integer_labels_reach_the_loss_as_they_are(dtype):
    seen = []

    @lossreg.register(name="spy", y_true="integer")
    def spy(y_true, y_pred):
        seen.append(y_true)
        return keras.ops.take_along_axis(y_pred, y_true[:, None], axis=-1)[:, 0]

    # bfloat16 has no 257 and float16 no 2049: a cast would give 256 and 2048.
    labels, y_pred = np.array([257, 2049], "int32"), np.zeros((2, 3000))
    y_pred[0, 257], y_pred[1, 2049] = 1, 2
    assert float(lossreg.get_loss("spy", dtype=dtype, reduction="sum")(labels, y_pred)) == 3
    assert keras.backend.standardize_dtype(seen[0].dtype) == "int32"
    assert numbers(seen[0]).tolist() == [257, 2049]


@pytest.mark.parametrize("name", ["sparse_categorical_crossentropy", "sparse_focal"])
def test_class_257_is_not_class_256_in_bfloat16(name):
    y_pred = np.full((1, 300), -20.0, "float32")
    y_pred[0, 257] = 20
    loss = lossreg.get_loss(name, from_logits=True, dtype="bfloat16")
    assert float(loss(np.array([257]), y_pred)) == pytest.approx(0, abs=CANCELLATION)
    assert float(loss(np.array([256]), y_pred)) > 30


def test_other_labels_are_cast_to_the_dtype_of_the_loss():
    seen = []

    @lossreg.register(name="spy")
    def spy(y_true, y_pred):
        seen.append(y_true)
        return keras.ops.mean(y_pred - y_true, axis=-1)

    lossreg.get_loss("spy", dtype="float16")(np.zeros((2, 1), "int64"), np.zeros((2, 1)))
    assert keras.backend.standardize_dtype(seen[0].dtype) == "float16"


@pytest.mark.parametrize(
    ("name", "labels", "sibling"),
    [
        ("categorical_crossentropy", "integer", "sparse_categorical_crossentropy"),
        ("categorical_focal", "integer", "sparse_focal"),
        ("focal", "integer", "sparse_focal"),
        ("sparse_categorical_crossentropy", "one_hot", "categorical_crossentropy"),
        ("sparse_focal", "one_hot", "categorical_focal"),
    ],
)
def test_labels_of_another_form_name_the_loss_that_takes_them(name, labels, sibling):
    y_true = np.array([0, 2, 1]) if labels == "integer" else np.eye(3)
    looks = {"integer": "like class indices", "one_hot": "one-hot"}[labels]
    for use in (lossreg.get_loss(name), lossreg.get_loss_fn(name)):
        with pytest.raises(ShapeError, match=f"look {looks}: '{sibling}' takes them."):
            use(y_true, np.full((3, 3), 1 / 3))


def test_labels_of_another_form_are_named_where_no_loss_takes_them():
    with pytest.raises(ShapeError, match=r"got y_true \(3,\) and y_pred \(3, 4\)\..*indices\.$"):
        lossreg.get_loss("kl_divergence")(np.array([0, 2, 1]), np.full((3, 4), 0.25))


@pytest.mark.parametrize(
    ("true_shape", "pred_shape"),
    [((4,), (4, 2)), ((4, 1), (4, 2)), ((4, 2), (4, 1)), ((4, 3, 1), (4, 3, 2)), ((4,), (3,))],
)
@pytest.mark.parametrize("name", ["mse", "huber", "bce", "focal"])
def test_labels_that_would_broadcast_are_refused(name, true_shape, pred_shape):
    for use in (lossreg.get_loss(name), lossreg.get_loss_fn(name)):
        with pytest.raises(ShapeError, match="same shape, got y_true .* and y_pred"):
            use(np.ones(true_shape), np.full(pred_shape, 0.5))


@pytest.mark.parametrize("name", ["scce", "sparse_focal"])
def test_a_class_that_the_predictions_lack_is_named(name):
    with pytest.raises(ShapeError, match="classes from 0 to 2, since y_pred has 3, got 0 to 3"):
        lossreg.get_loss(name)(np.array([0, 3]), np.full((2, 3), 1 / 3))


# Weights and masks


@pytest.mark.parametrize("name", sorted(UNWEIGHTED))
def test_weights_are_refused_where_a_sample_has_no_value_of_its_own(name, draw):
    y_true, y_pred = draw(SPECS[name])
    with pytest.raises(WeightError, match="takes no sample_weight, class_weight or mask"):
        lossreg.get_loss(name)(y_true, y_pred, sample_weight=np.ones(12))
    assert np.isfinite(float(lossreg.get_loss(name)(y_true, y_pred)))


@pytest.mark.parametrize("name", sorted(UNWEIGHTED))
def test_a_mask_is_refused_where_a_sample_has_no_value_of_its_own(name, draw):
    y_true, y_pred = draw(SPECS[name])
    y_pred = keras.ops.convert_to_tensor(y_pred)
    # What a layer with a mask leaves on its output.
    y_pred._keras_mask = keras.ops.ones(y_pred.shape[:-1], dtype="bool")
    with pytest.raises(WeightError, match="Leave them out"):
        lossreg.get_loss(name)(y_true, y_pred)


@pytest.mark.parametrize("name", sorted(SPECS.keys() - UNWEIGHTED))
def test_weights_are_taken_where_a_sample_has_a_value(name, draw):
    y_true, y_pred = draw(SPECS[name])
    each = numbers(lossreg.get_loss_fn(name)(y_true, y_pred))
    weights = np.arange(12.0).reshape((12,) + (1,) * (each.ndim - 1))
    value = lossreg.get_loss(name, reduction="sum")(y_true, y_pred, sample_weight=weights)
    assert float(value) == pytest.approx((each * weights).sum(), rel=EACH_OTHER)


@pytest.mark.parametrize("name", ["dice", "tversky"])
def test_dice_per_image_takes_weights(name):
    y_true = np.array([[1.0, 1.0], [1.0, 0.0]])
    loss = lossreg.get_loss(name, axis=1, reduction="sum")
    # The second image has a Dice of 2 * 1 / (1 + 2).
    value = loss(y_true, np.ones((2, 2)), sample_weight=[5.0, 3.0])
    assert float(value) == pytest.approx(3 * (1 - 2 / 3), rel=FLOAT32)


# Copies


@pytest.mark.parametrize(
    "again",
    [
        pytest.param(lambda loss: pickle.loads(pickle.dumps(loss)), id="pickle"),
        pytest.param(copy.deepcopy, id="deepcopy"),
        pytest.param(copy.copy, id="copy"),
        pytest.param(lambda loss: keras.losses.get(keras.losses.serialize(loss)), id="serialize"),
        pytest.param(lambda loss: loss.from_config(loss.get_config()), id="from_config"),
    ],
)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
@pytest.mark.parametrize("name", SPECS)
def test_a_copy_has_every_parameter_and_option(name, dtype, again, changed):
    params = changed(name)
    loss = lossreg.get_loss(name, **params, name="mine", reduction="sum", dtype=dtype)
    copied = again(loss)
    assert copied is not loss
    assert copied == loss
    assert hash(copied) == hash(loss)
    # Not by equality alone, which compares what get_config returns.
    assert copied.params == lossreg.bind(name, **params).params
    assert (copied.name, copied.reduction, copied.dtype) == ("mine", "sum", dtype)
    assert copied.bound.qualified_name == name
    assert repr(copied) == repr(loss)


@pytest.mark.parametrize("name", ["lossreg-focal/sparse_focal", "keras/tversky"])
def test_a_copy_has_the_values_of_the_loss(name, draw, changed):
    params = changed(name)
    loss = lossreg.get_loss(name, **params, dtype="float64")
    y_true, y_pred = draw(SPECS[name], from_logits=True)
    if name == "keras/tversky":
        y_pred = 1 / (1 + np.exp(-y_pred))
    for copied in (pickle.loads(pickle.dumps(loss)), copy.deepcopy(loss)):
        assert float(copied(y_true, y_pred)) == float(loss(y_true, y_pred))


def test_a_class_of_a_user_pickles_with_its_parameters():
    loss = pickle.loads(pickle.dumps(lossreg.get_loss(ScaledError, factor=3, dtype="float16")))
    assert (loss.params, loss.dtype) == ({"factor": 3}, "float16")
    assert float(loss([[0.0]], [[2.0]])) == 12


@pytest.mark.parametrize(
    ("first", "second", "compare"),
    [
        pytest.param({}, {}, operator.eq, id="nothing"),
        pytest.param({"delta": 2}, {"delta": 2.0}, operator.eq, id="2 and 2.0"),
        pytest.param({"delta": 2}, {"delta": 3}, operator.ne, id="a parameter"),
        pytest.param({}, {"dtype": "float16"}, operator.ne, id="dtype"),
        pytest.param({}, {"reduction": "sum"}, operator.ne, id="reduction"),
        pytest.param({}, {"name": "mine"}, operator.ne, id="name"),
    ],
)
def test_losses_are_equal_where_all_that_makes_them_is(first, second, compare):
    assert compare(lossreg.get_loss("huber", **first), lossreg.get_loss("huber", **second))


def test_a_loss_equals_no_other_kind_of_object():
    assert lossreg.get_loss("huber") != keras.losses.Huber()
    assert lossreg.get_loss("huber") != "huber"


# Configs that someone else wrote


@pytest.fixture
def sentinel(tmp_path, monkeypatch):
    """A module that leaves a file when anything imports it."""
    (tmp_path / "sentinel_of_attack.py").write_text(
        f"open({str(tmp_path / 'imported')!r}, 'w').close()\ndef run(y_true, y_pred): return 0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "sentinel_of_attack"
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {"command": "true"}},
        {"module": "sentinel_of_attack", "class_name": "run", "config": {}},
        {"module": "sentinel_of_attack", "class_name": "function", "config": "run"},
        {"module": "sentinel_of_attack", "class_name": "RegisteredLoss", "config": {"loss": "mse"}},
        {"module": ["keras.losses"], "class_name": "Huber", "config": {}},
        {"module": "keras.src.losses", "class_name": "Lambda", "config": {}},
        {"module": "keras.layers", "class_name": "Lambda", "config": {"function": "x"}},
        {"module": None, "class_name": "__lambda__", "config": {"value": "x"}},
        {"class_name": "sentinel_of_attack:run", "config": {}},
        {"class_name": "sentinel_of_attack.run", "config": {}},
        {"class_name": "../sentinel_of_attack/run", "config": {}},
        {"class_name": "x" * 10_000, "config": {}},
        {"class_name": "Huber", "config": "delta"},
        {"class_name": ["Huber"], "config": {}},
        {"class_name": "function", "config": {"name": "huber"}},
        {"class_name": "Huber", "config": {"delta": {"module": "os", "class_name": "system"}}},
        {"class_name": "Huber", "config": {"delta": 1.0, "__class__": "x"}},
        {"class_name": "Huber", "config": {3: 1.0}},
        {},
        {"config": {"delta": 2}},
        {"loss": "mse"},
    ],
    ids=lambda config: str(config)[:60],
)
def test_a_mapping_names_registered_losses_only(config, sentinel):
    with pytest.raises(LossregError) as caught:
        lossreg.get_loss(config)
    assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    "change",
    [
        {"loss": "os.system"},
        {"loss": "os/system"},
        {"loss": "sentinel_of_attack:run"},
        {"loss": "local/sentinel_of_attack"},
        {"loss": "sentinel_of_attack/run"},
        {"loss": "../huber"},
        {"loss": "/etc/passwd"},
        {"loss": "x" * 10_000},
        {"loss": "keras/" + "x" * 10_000},
        {"loss": ""},
        {"loss": None},
        {"loss": ["keras/huber"]},
        {"loss": {"module": "sentinel_of_attack", "class_name": "run"}},
        {"params": [["delta", 2]]},
        {"params": {"delta": "2"}},
        {"params": {"self": 1}},
        {"params": {"delta": 2, "bound": 3}},
        {"params": {"delta": {"class_name": "run", "module": "sentinel_of_attack"}}},
        {"bound": "huber"},
        {"dtype": "sentinel_of_attack"},
        {"dtype": {"module": "sentinel_of_attack", "class_name": "run", "config": {}}},
        {"reduction": "sentinel_of_attack"},
        {"name": {"module": "sentinel_of_attack"}},
    ],
    ids=lambda change: str(change)[:60],
)
def test_a_config_of_ours_names_registered_losses_only(change, sentinel):
    config = {**lossreg.get_loss("huber", delta=2).get_config(), **change}
    kind = type(lossreg.get_loss("huber"))
    with pytest.raises(LossregError):
        kind.from_config(config)
    written = {**keras.losses.serialize(lossreg.get_loss("huber")), "config": config}
    with pytest.raises(LossregError):
        lossreg.get_loss(written)
    # Keras says some errors again, in words of its own.
    with pytest.raises((LossregError, TypeError, ValueError)):
        keras.losses.deserialize(written)


@pytest.mark.parametrize("kind", [keras.metrics.MeanSquaredError, keras.layers.ReLU])
def test_a_metric_or_a_layer_is_no_loss(kind):
    for given in (kind, kind()):
        with pytest.raises(
            SpecError, match="is a Keras class and not a loss. Give a function or a Loss"
        ):
            lossreg.get_loss(given)


def test_a_loss_that_is_built_cannot_be_registered():
    with pytest.raises(SpecError, match="is a loss that is already built; give its class"):
        lossreg.register(keras.losses.Huber(), name="built")


def test_labels_before_predictions_or_nothing():
    with pytest.raises(SpecError, match="it takes y_pred before y_true; Keras passes the labels"):
        lossreg.get_loss(lambda y_pred, y_true: y_pred)


@pytest.mark.parametrize("name", ["sparse_focal", "categorical_focal", "categorical_crossentropy"])
def test_one_output_is_no_choice_among_classes(name):
    labels = [0, 1] if name == "sparse_focal" else [[0.0], [1.0]]
    with pytest.raises(ShapeError, match=r"y_pred \(2, 1\) has one. Give the model an output"):
        lossreg.get_loss(name)(labels, np.array([[0.3], [0.6]], "float32"))


def test_labels_that_are_no_numbers_are_refused():
    with pytest.raises(ShapeError, match="y_true must hold numbers, got <U3 labels"):
        lossreg.get_loss_fn("focal")(np.array([["cat", "dog"]]), np.array([[0.3, 0.6]]))
    with pytest.raises(ShapeError, match="y_true holds NaN"):
        lossreg.get_loss("focal")([[np.nan, 1.0]], [[0.3, 0.6]])


def test_an_integer_dtype_is_refused():
    with pytest.raises(ParameterError, match="'dtype' must be 'float32', 'float64'"):
        lossreg.get_loss("mse", dtype="int32")


def test_integer_labels_between_two_classes_are_refused():
    with pytest.raises(ShapeError, match=r"y_true must hold whole numbers, got 0\.5"):
        lossreg.get_loss("sparse_focal")([0.0, 0.5], np.full((2, 3), 1 / 3))


def test_a_partial_is_a_loss_with_the_parameters_that_are_left():
    loss = lossreg.get_loss(functools.partial(scaled_difference, scale=3.0))
    assert float(loss([[1.0]], [[3.0]])) == 3.0 * (3.0 - 1.0)


def scaled_difference(y_true, y_pred, scale=2.0, shift=0.0):
    return scale * (y_pred - y_true) + shift
