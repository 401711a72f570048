import gc
import json
import math
import weakref

import keras
import numpy as np
import pytest
from keras import constraints, layers, ops, regularizers
from keras_version import IS_KERAS_3_12
from tolerances import EACH_OTHER, FLOAT32

import lossreg
from lossreg.errors import ParameterError, ShapeError
from lossreg.objectives import objective

tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="what TensorFlow's training calls"
)
# Keras divides an activity penalty by the batch's size since 3.13 or later, not in 3.12.
DIVIDED = not IS_KERAS_3_12

# There Keras counts the activity penalty of a layer's last call only, and forgets model.losses.
ON_JAX = keras.backend.backend() == "jax"


@pytest.fixture(autouse=True)
def _layers_are_counted_from_the_first():
    """Give layers the names that they have in a process of their own."""
    keras.utils.clear_session(free_memory=False)


def rng():
    return np.random.default_rng(11)


def inputs(count=70, features=4):
    return rng().normal(size=(count, features)).astype("float32")


def labels(count=70, outputs=3):
    return rng().integers(2, size=(count, outputs)).astype("float32")


def tutorial():
    """The regularized network of the tutorial, with weights far from where it begins."""
    keras.utils.set_random_seed(5)
    model = keras.Sequential(
        [
            keras.Input((64,)),
            layers.Dense(
                64,
                kernel_regularizer=regularizers.L2(0.01),
                activity_regularizer=regularizers.L1(0.01),
                kernel_constraint=constraints.MaxNorm(2, axis=0),
                bias_initializer="random_normal",
            ),
            layers.Dense(
                10, activation="sigmoid", kernel_regularizer=regularizers.L1L2(0.01, 0.01)
            ),
        ]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["AUC"])
    return model


def network(loss="mse", *, outputs=3, run_eagerly=True, **options):
    """Return a model of one layer; an eager one spares what compiling it takes."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(outputs, **options)])
    model.compile("sgd", loss, run_eagerly=run_eagerly)
    return model


def evaluated(model, x, y=None, batch_size=32):
    return model.evaluate(x, y, batch_size=batch_size, verbose=0, return_dict=True)["loss"]


def assert_as_evaluated(model, x, y=None, batch_size=32):
    """Return the objective, whose terms must add up to what Keras evaluates."""
    found = objective(model, x, y, batch_size=batch_size)
    size = None if y is None else batch_size
    assert found.total == pytest.approx(evaluated(model, x, y, size), rel=EACH_OTHER)
    assert math.fsum(term.value for term in found.terms) == pytest.approx(found.total, rel=FLOAT32)
    assert all(term.kind != "other" for term in found.terms)
    return found


def by_kind(found):
    return {term.kind: term.value for term in found.terms}


def test_every_term_of_the_tutorials_network_is_what_numpy_computes():
    model = tutorial()
    generator = np.random.default_rng(2)
    x = generator.random((1797, 64)).astype("float32")
    y = np.eye(10)[generator.integers(10, size=1797)]

    w1, b1, w2, b2 = (weights.astype("float64") for weights in model.get_weights())
    hidden = x.astype("float64") @ w1 + b1
    p = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
    sizes = [32] * 56 + [5]
    activity = [
        0.01 * np.abs(batch).sum() / (len(batch) if DIVIDED else 1)
        for batch in np.split(hidden, np.cumsum(sizes)[:-1])
    ]

    found = assert_as_evaluated(model, x, y)
    assert [term.kind for term in found.terms] == [
        "loss",
        "kernel penalty",
        "activity penalty",
        "kernel penalty",
    ]
    assert [term.layer for term in found.terms] == [None, "dense", "dense", "dense_1"]
    assert [term.value for term in found.terms] == pytest.approx(
        [
            -(y * np.log(p) + (1 - y) * np.log(1 - p)).mean(),
            0.01 * np.square(w1).sum(),
            np.average(activity, weights=sizes),
            0.01 * np.abs(w2).sum() + 0.01 * np.square(w2).sum(),
        ],
        rel=FLOAT32,
    )
    assert found.total == pytest.approx(evaluated(model, x, y), rel=EACH_OTHER)


def test_a_smaller_last_batch_counts_by_its_size():
    model = network(activity_regularizer=regularizers.L2(0.1))
    x, y = inputs(10), labels(10)
    out = x.astype("float64") @ model.get_weights()[0]
    penalty = [0.1 * np.square(part).sum() for part in (out[:8], out[8:])]
    if DIVIDED:
        penalty = [penalty[0] / 8, penalty[1] / 2]
    found = assert_as_evaluated(model, x, y, batch_size=8)
    expected = (8 * penalty[0] + 2 * penalty[1]) / 10
    assert by_kind(found)["activity penalty"] == pytest.approx(expected, rel=FLOAT32)


@pytest.mark.parametrize(
    ("loss", "name"),
    [
        pytest.param("mse", "mse", id="Keras' name"),
        pytest.param(keras.losses.Huber(delta=0.3), "huber_loss", id="Keras' object"),
        pytest.param(keras.losses.mean_absolute_error, "mean_absolute_error", id="Keras' function"),
        pytest.param(lambda t, p: ops.mean((t - p) ** 4, axis=-1), "lambda", id="a function"),
        pytest.param(lossreg.get_loss("huber", delta=0.3), "huber(delta=0.3)", id="ours"),
        pytest.param(keras.losses.MeanSquaredError(reduction="sum"), None, id="a sum over samples"),
        pytest.param(keras.losses.MeanSquaredError(reduction=None), None, id="unreduced"),
        pytest.param("crossentropy", "crossentropy", id="by the shapes of the data"),
        pytest.param(["mae", "mse"], "mae", id="several for one output: Keras takes the first"),
    ],
)
def test_a_loss_of_any_form_is_a_term(loss, name):
    found = assert_as_evaluated(network(loss), inputs(), labels())
    assert [term.kind for term in found.terms] == ["loss"]
    assert name in (None, found.terms[0].name)


class Clipped(keras.losses.Loss):
    """A loss of the user's own, whose `bound` is a number."""

    bound = 0.5

    def call(self, y_true, y_pred):
        return ops.mean(ops.minimum(ops.abs(y_true - y_pred), self.bound), axis=-1)


def test_a_loss_may_have_a_bound_of_its_own():
    found = assert_as_evaluated(network(Clipped(name="clipped")), inputs(), labels())
    assert [term.name for term in found.terms] == ["clipped"]


def test_each_term_of_a_sum_is_a_term():
    model = network(lossreg.get_loss("mse + 0.5 * huber(2) + 3 * mse"))
    x, y = inputs(), labels()
    out = x @ model.get_weights()[0]
    mse = np.square(y - out).mean()
    error = np.abs(y - out)
    huber = np.where(error <= 2, error**2 / 2, 2 * error - 2).mean()
    found = assert_as_evaluated(model, x, y)
    names = ["mean_squared_error", "0.5 * huber(delta=2.0)", "3 * mean_squared_error"]
    assert [term.name for term in found.terms] == names
    assert [term.value for term in found.terms] == pytest.approx(
        [mse, 0.5 * huber, 3 * mse], rel=EACH_OTHER
    )


def two_outputs(loss, loss_weights=None):
    keras.utils.set_random_seed(4)
    x = keras.Input((4,))
    mask = layers.Dense(3, activation="sigmoid", name="mask")(x)
    label = layers.Dense(2, name="label", bias_regularizer=regularizers.L1(0.5))(x)
    label_layer = label._keras_history.operation
    model = keras.Model(x, {"mask": mask, "label": label})
    label_layer.bias.assign([1.0, -2.0])
    model.compile("sgd", loss, loss_weights=loss_weights)
    return model


@pytest.mark.parametrize(
    ("loss", "weights", "names"),
    [
        pytest.param(
            {"mask": "binary_crossentropy", "label": "mse"},
            {"mask": 2.0, "label": 0.25},
            {"mask: 2 * binary_crossentropy", "label: 0.25 * mse"},
            id="a dictionary with weights",
        ),
        pytest.param(
            {"mask": lossreg.get_loss("mse + 2 * mae"), "label": "mse"},
            {"mask": 0.5, "label": 1.0},
            {
                "mask: 0.5 * mean_squared_error",
                "mask: 0.5 * 2 * mean_absolute_error",
                "label: 1 * mse",
            },
            id="a sum of one output",
        ),
        pytest.param({"label": "mse"}, None, {"label: mse"}, id="an output without a loss"),
        pytest.param({"mask": None, "label": "mse"}, None, {"label: mse"}, id="None for an output"),
        pytest.param("mse", None, {"mask: mse", "label: mse"}, id="one loss for all"),
    ],
)
def test_each_output_has_its_loss_with_its_weight(loss, weights, names):
    model = two_outputs(loss, weights)
    y = {"mask": labels(), "label": labels(outputs=2)}
    found = assert_as_evaluated(model, inputs(), y)
    losses = [term for term in found.terms if term.kind == "loss"]
    assert {term.name for term in losses} == names
    assert {term.output for term in losses} == {name.partition(":")[0] for name in names}
    assert by_kind(found)["bias penalty"] == pytest.approx(0.5 * (1 + 2), rel=FLOAT32)


def test_the_value_of_an_output_is_weighted():
    y = {"mask": labels(), "label": labels(outputs=2)}
    plain, weighted = (
        objective(two_outputs({"mask": "mae", "label": "mse"}, weights), inputs(), y)
        for weights in (None, {"mask": 3.0, "label": 1.0})
    )
    values = [
        next(term.value for term in found.terms if term.output == "mask")
        for found in (plain, weighted)
    ]
    assert values[1] == pytest.approx(3 * values[0], rel=EACH_OTHER)


def test_outputs_in_a_list_have_the_models_names():
    x = keras.Input((4,))
    heads = [layers.Dense(3, name="first")(x), layers.Dense(2, name="second")(x)]
    model = keras.Model(x, heads)
    model.compile("sgd", ["mse", "mae"], loss_weights=[1.0, 2.0])
    found = assert_as_evaluated(model, inputs(), [labels(), labels(outputs=2)])
    assert [term.name for term in found.terms] == ["first: 1 * mse", "second: 2 * mae"]


class Branches(keras.Model):
    """A model without names for its outputs."""

    def __init__(self):
        super().__init__()
        self.left, self.right = layers.Dense(3), layers.Dense(3)

    def call(self, x):
        return [self.left(x), self.right(x)]


def test_outputs_without_names_are_numbered():
    model = Branches()
    model(inputs())
    model.compile("sgd", ["mse", "mse"])
    found = assert_as_evaluated(model, inputs(), [labels(), labels()])
    assert [term.name for term in found.terms] == ["0: mse", "1: mse"]


def test_several_inputs_in_a_dictionary():
    left, right = keras.Input((4,), name="left"), keras.Input((2,), name="right")
    joined = layers.Concatenate()([left, right])
    model = keras.Model({"left": left, "right": right}, layers.Dense(3)(joined))
    model.compile("sgd", "mse")
    assert_as_evaluated(model, {"left": inputs(), "right": inputs(features=2)}, labels())


def test_layers_within_models_are_named_by_their_paths():
    keras.utils.set_random_seed(1)
    inner = keras.Sequential(
        [keras.Input((4,)), layers.Dense(4, name="hidden", kernel_regularizer="l1")], name="encoder"
    )
    x = keras.Input((4,))
    hidden = layers.Dense(4, name="hidden", activity_regularizer="l2")(inner(x))
    lstm = layers.Bidirectional(
        layers.LSTM(2, recurrent_regularizer="l2", name="lstm"), name="both"
    )(layers.Reshape((2, 2))(hidden))
    model = keras.Model(x, layers.Dense(3, kernel_regularizer="l2", name="head")(lstm))
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels())
    assert [(term.layer, term.kind) for term in found.terms[1:]] == [
        ("encoder/hidden", "kernel penalty"),
        ("hidden", "activity penalty"),
        ("both/forward_lstm/lstm_cell", "weight penalty"),
        ("both/backward_lstm/lstm_cell", "weight penalty"),
        ("head", "kernel penalty"),
    ]


def test_a_shared_layer_has_one_kernel_and_an_activity_for_each_call():
    x = keras.Input((4,))
    shared = layers.Dense(4, kernel_regularizer="l2", activity_regularizer="l1", name="shared")
    model = keras.Model(x, layers.Dense(3)(shared(shared(x))))
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels())
    kernel = shared.kernel.numpy() if hasattr(shared.kernel, "numpy") else np.array(shared.kernel)
    once = inputs() @ kernel
    sums = 0.01 * (np.abs(once).sum() * (not ON_JAX) + np.abs(once @ kernel).sum())
    if DIVIDED:
        assert by_kind(found)["activity penalty"] == pytest.approx(sums / 70, rel=EACH_OTHER)
    assert by_kind(found)["kernel penalty"] == pytest.approx(
        0.01 * np.square(kernel).sum(), rel=EACH_OTHER
    )
    assert len(found.terms) == 3


def test_two_layers_of_one_name_are_told_apart():
    class Twins(layers.Layer):
        def __init__(self):
            super().__init__(name="twins")
            self.first = layers.Dense(4, name="dense", kernel_regularizer="l2")
            self.second = layers.Dense(4, name="dense", kernel_regularizer="l2")

        def call(self, x):
            return self.second(self.first(x))

    model = keras.Sequential([keras.Input((4,)), Twins(), layers.Dense(3)])
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels())
    assert [term.layer for term in found.terms[1:]] == ["twins/dense", "twins/dense (2)"]


def test_frozen_weights_have_no_penalty():
    model = network(kernel_regularizer="l2", activity_regularizer="l2")
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels())
    assert [term.kind for term in found.terms] == ["loss", "activity penalty"]


def test_the_models_own_activity_penalty_counts_where_keras_counts_it():
    class Penalized(keras.Model):
        def __init__(self):
            super().__init__(activity_regularizer=regularizers.L2(1.0))
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    model = Penalized()
    model(inputs())
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels())
    assert ("activity penalty" in by_kind(found)) is not ON_JAX


class Adding(layers.Layer):
    """Adds two losses, and may have an activity penalty too."""

    def call(self, x):
        self.add_loss(ops.mean(x**2))
        self.add_loss(3.0 * ops.mean(ops.abs(x)))
        return 2.0 * x


def test_what_a_layer_adds_is_told_from_its_activity_penalty():
    x, y = inputs(32), labels(32, outputs=4)
    model = keras.Sequential([keras.Input((4,)), Adding(activity_regularizer="l1", name="adding")])
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, x, y)
    added, activity = found.terms[1:]
    assert (added.name, added.kind) == ("adding: add_loss", "added penalty")
    assert (activity.name, activity.kind) == ("adding/activity: L1(l1=0.01)", "activity penalty")
    assert added.value == pytest.approx((x**2).mean() + 3 * np.abs(x).mean(), rel=EACH_OTHER)
    assert activity.value == pytest.approx(
        0.01 * np.abs(2 * x).sum() / (32 if DIVIDED else 1), rel=EACH_OTHER
    )


def test_a_layer_may_wrap_add_loss():
    class Halving(Adding):
        def add_loss(self, loss):
            super().add_loss(loss / 2)

    model = keras.Sequential([keras.Input((4,)), Halving(activity_regularizer="l1")])
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels(outputs=4))
    assert {"added penalty", "activity penalty"} <= set(by_kind(found))


def test_a_model_without_a_loss_needs_no_labels():
    model = keras.Sequential([keras.Input((4,)), Adding(name="adding")])
    model.compile("sgd")
    found = objective(model, inputs())
    assert found.total == pytest.approx(evaluated(model, inputs(), batch_size=32), rel=EACH_OTHER)
    assert [term.kind for term in found.terms] == ["added penalty"]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
def test_mixed_precision(policy):
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, kernel_regularizer="l2", dtype=policy),
            layers.Dense(3, dtype=policy),
        ]
    )
    model.compile("sgd", "mse")
    assert_as_evaluated(model, inputs(), labels())


def test_dropout_and_batch_normalization_are_in_inference_mode():
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8),
            layers.BatchNormalization(gamma_regularizer="l2", beta_regularizer="l1"),
            layers.Dropout(0.5, seed=3),
            layers.Dense(3),
        ]
    )
    model.compile("sgd", "mse")
    model.fit(inputs(), labels(), epochs=1, verbose=0)
    found = assert_as_evaluated(model, inputs(), labels())
    assert [term.name.partition(":")[0] for term in found.terms[1:]] == [
        "batch_normalization/gamma",
        "batch_normalization/beta",
    ]
    assert {term.kind for term in found.terms[1:]} == {"weight penalty"}


@pytest.mark.parametrize("loss", ["mse", lossreg.get_loss("mse + 2 * mae")])
def test_masked_steps_count_for_nothing(loss):
    keras.utils.set_random_seed(8)
    tokens = rng().integers(1, 6, size=(40, 5))
    tokens[:, 3:] = 0
    model = keras.Sequential(
        [
            keras.Input((5,), dtype="int32"),
            layers.Embedding(6, 3, mask_zero=True, embeddings_regularizer="l2"),
            layers.LSTM(3, return_sequences=True),
        ]
    )
    model.compile("sgd", loss)
    y = rng().normal(size=(40, 5, 3)).astype("float32")
    found = assert_as_evaluated(model, tokens, y)
    y[:, 3:] = 1e6
    assert objective(model, tokens, y).total == pytest.approx(found.total, rel=EACH_OTHER)


class Weighted(keras.Model):
    """Computes its loss in a way of its own."""

    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(3, kernel_regularizer=regularizers.L2(0.5))

    def call(self, x):
        return self.dense(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return super().compute_loss(x, y, y_pred, sample_weight) + 7.0


def test_what_a_model_of_its_own_adds_is_a_term_of_its_own():
    model = Weighted()
    model(inputs())
    model.compile("sgd", "mse", metrics=["mae"])
    model.evaluate(inputs()[:10], labels()[:10], verbose=0)
    before = [np.array(metric.result()) for metric in model.metrics if metric.name == "loss"]
    found = objective(model, inputs(), labels())
    after = [np.array(metric.result()) for metric in model.metrics if metric.name == "loss"]
    assert found.terms[-1].name == "what Weighted.compute_loss changes"
    assert found.terms[-1].kind == "other"
    assert found.terms[-1].value == pytest.approx(7.0, rel=EACH_OTHER)
    assert found.total == pytest.approx(evaluated(model, inputs(), labels()), rel=EACH_OTHER)
    assert after == before


def test_a_model_may_compute_all_of_its_loss():
    class Alone(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x)

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return ops.mean((y - y_pred) ** 2)

    model = Alone()
    model(inputs())
    model.compile("sgd")
    found = objective(model, inputs(), labels())
    assert [term.name for term in found.terms] == ["what Alone.compute_loss changes"]
    assert found.total == pytest.approx(evaluated(model, inputs(), labels()), rel=EACH_OTHER)


@tensorflow_only
def test_a_test_step_that_draws_leaves_the_models_seed_alone():
    class Noisy(keras.Model):
        def __init__(self):
            super().__init__()
            self.seed = keras.random.SeedGenerator(7)
            self.dense = layers.Dense(3)

        def call(self, x):
            return self.dense(x + keras.random.normal(ops.shape(x), seed=self.seed))

        def test_step(self, data):
            return super().test_step(data)

    model = Noisy()
    model(inputs())
    model.compile("sgd", "mse")
    before = np.array(model.seed.state)
    found = objective(model, inputs(), labels())
    assert np.array_equal(np.array(model.seed.state), before)
    assert found.total == pytest.approx(evaluated(model, inputs(), labels()), rel=EACH_OTHER)


def test_a_model_that_evaluates_no_loss_is_told_so():
    class Nameless(keras.Model):
        def call(self, x):
            self.add_loss(ops.mean(x))
            return x

        def evaluate(self, *args, **options):
            return {"total_loss": 1.0}

    model = Nameless()
    model(inputs())
    model.compile("sgd")
    with pytest.raises(ParameterError, match="returns no 'loss', only total_loss"):
        objective(model, inputs())


@pytest.mark.parametrize("with_weights", [False, True])
def test_a_dataset_brings_its_labels_batches_and_weights(with_weights):
    tf = pytest.importorskip("tensorflow")
    model = network(kernel_regularizer="l2", activity_regularizer="l2")
    arrays = (inputs(), labels(), *([rng().random(70)] if with_weights else []))
    data = tf.data.Dataset.from_tensor_slices(arrays).batch(16)
    found = assert_as_evaluated(model, data)
    if not with_weights:
        assert found.total == pytest.approx(
            objective(model, inputs(), labels(), batch_size=16).total, rel=EACH_OTHER
        )


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        part = slice(16 * index, 16 * (index + 1))
        return inputs()[part], labels()[part]


def test_a_pydataset_brings_its_labels_and_batches():
    model = network(kernel_regularizer="l2", activity_regularizer="l2")
    found = assert_as_evaluated(model, Batches())
    assert found.total == pytest.approx(
        objective(model, inputs(), labels(), batch_size=16).total, rel=EACH_OTHER
    )


def test_layers_that_are_built_by_the_first_call_count():
    class Late(Branches):
        def __init__(self):
            super().__init__()
            self.left = layers.Dense(3, kernel_regularizer="l2", name="left")

        def build(self, input_shape):
            self.built = True

        def call(self, x):
            return self.left(x)

    model = Late()
    model.build((None, 4))
    model.compile("sgd", "mse")
    found = assert_as_evaluated(model, inputs(), labels())
    assert [term.layer for term in found.terms] == [None, "left"]


def test_data_frames_are_arrays():
    pandas = pytest.importorskip("pandas")
    model = network()
    x, y = pandas.DataFrame(inputs()), pandas.DataFrame(labels())
    assert objective(model, x, y) == objective(model, inputs(), labels())
    x["kind"] = "wine"
    with pytest.raises(ParameterError, match="'x' must hold numbers, got object features"):
        objective(model, x, y)


def test_tensors_are_arrays():
    model = network()
    x, y = ops.convert_to_tensor(inputs()), ops.convert_to_tensor(labels())
    assert objective(model, x, y) == objective(model, inputs(), labels())


class Clip(constraints.Constraint):
    def __call__(self, w):
        return ops.clip(w, -1, 1)


@pytest.mark.parametrize(
    ("constraint", "weights", "violation"),
    [
        pytest.param(
            constraints.MaxNorm(2, axis=0),
            [[3.0, 0.0], [4.0, 1.0]],
            4 - 4 * 2 / 5,
            id="a norm of 5",
        ),
        pytest.param(constraints.MaxNorm(2, axis=0), [[1.2, 0.0], [1.6, 1.0]], None, id="norm 2"),
        pytest.param(
            constraints.MaxNorm(2, axis=1), [[3.0, 0.0], [4.0, 0.0]], 4 - 2, id="the other axis"
        ),
        pytest.param(constraints.NonNeg(), [[1.0, -0.25], [0.0, 2.0]], 0.25, id="a negative"),
        pytest.param(constraints.NonNeg(), [[1.0, 0.0], [0.0, 2.0]], None, id="no negative"),
        pytest.param(constraints.UnitNorm(), [[0.6, 0.0], [0.8, 3.0]], 2.0, id="a norm of 3"),
        pytest.param(constraints.UnitNorm(), [[0.6, 0.0], [0.8, 1.0]], None, id="unit norms"),
        pytest.param(
            constraints.MinMaxNorm(1.0, 2.0), [[0.5, 0.0], [0.0, 2.0]], 0.5, id="too short"
        ),
        pytest.param(
            constraints.MinMaxNorm(1.0, 2.0), [[1.5, 0.0], [0.0, 2.0]], None, id="between"
        ),
        pytest.param(Clip(), [[1.5, 0.0], [0.0, 2.0]], 1.0, id="the user's own"),
        pytest.param(constraints.NonNeg(), [[np.nan, 0.0], [0.0, 2.0]], np.nan, id="NaN"),
    ],
)
def test_constraints_are_satisfied_or_violated_by_how_much(constraint, weights, violation):
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(2, name="dense", kernel_constraint=constraint)]
    )
    model.compile("sgd", "mse", run_eagerly=True)
    model.layers[0].set_weights([np.array(weights), np.zeros(2)])
    (state,) = objective(model, inputs(8, 2), labels(8, 2)).constraints
    assert state.layer == "dense"
    assert state.name.startswith("dense/kernel: ")
    assert state.satisfied is (violation is None)
    assert state.violation == pytest.approx(violation or 0.0, abs=FLOAT32, nan_ok=True)


def test_a_constraint_that_training_has_just_applied_is_satisfied():
    model = network(kernel_constraint=constraints.MaxNorm(0.5), outputs=64, run_eagerly=False)
    model.fit(inputs(), labels(outputs=64), epochs=2, verbose=0)
    (state,) = objective(model, inputs(), labels(outputs=64)).constraints
    assert state.satisfied
    assert state.name == "dense/kernel: MaxNorm(max_value=0.5, axis=0)".replace(
        "dense", model.layers[0].name
    )


def snapshot(model):
    return [
        np.array(ops.convert_to_numpy(variable))
        for variable in [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    ]


def test_the_model_stays_as_it_was():
    keras.utils.set_random_seed(8)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(8, kernel_regularizer="l2", activity_regularizer="l1"),
            layers.BatchNormalization(),
            layers.GaussianNoise(0.1),
            layers.Dense(3),
        ]
    )
    loss = lossreg.get_loss("mse + mae")
    model.compile("adam", loss, metrics=["mae"])
    model.fit(inputs(), labels(), epochs=1, verbose=0)
    metrics, attributes, before = model.metrics_names, set(vars(model)), snapshot(model)
    functions = model.test_function, model.predict_function, model.train_function
    draw = keras.random.SeedGenerator(1).state
    for batch_size in (32, 7):
        objective(model, inputs(), labels(), batch_size=batch_size)
    assert [np.array_equal(*pair) for pair in zip(before, snapshot(model), strict=True)] == [
        True
    ] * len(before)
    assert (model.metrics_names, set(vars(model)), model.loss) == (metrics, attributes, loss)
    assert (model.test_function, model.predict_function, model.train_function) == functions
    assert np.array_equal(np.array(draw), np.array(keras.random.SeedGenerator(1).state))


@pytest.mark.skipif(ON_JAX, reason="Keras forgets them whenever it evaluates")
def test_losses_of_the_last_call_stay():
    model = network(activity_regularizer=regularizers.L2(1.0))
    model(inputs())
    before = [float(np.array(ops.convert_to_numpy(value))) for value in model.losses]
    objective(model, inputs(8), labels(8))
    after = [float(np.array(ops.convert_to_numpy(value))) for value in model.losses]
    assert after == before
    assert len(after) == 1


def test_training_goes_on_as_if_nobody_had_asked():
    def train(*callbacks):
        model = tutorial()
        x, y = rng().random((100, 64)), labels(100, 10)
        return model.fit(x, y, epochs=3, verbose=0, callbacks=list(callbacks)).history

    totals = []

    class Ask(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            x, y = rng().random((100, 64)), labels(100, 10)
            totals.append(objective(self.model, x, y).total)

    assert train(Ask()) == train()
    assert len(totals) == 3
    assert totals[2] < totals[0]


def counting(seen):
    def loss(y_true, y_pred):
        seen.append(1)
        return ops.mean((y_true - y_pred) ** 2, axis=-1)

    return loss


def test_asking_again_compiles_nothing():
    seen = []
    model = network(counting(seen), run_eagerly=False)
    first = objective(model, inputs(), labels())
    count = len(seen)
    model.layers[0].set_weights([weights + 1 for weights in model.get_weights()])
    second = objective(model, inputs(), labels())
    assert len(seen) == count
    assert second.total == pytest.approx(evaluated(model, inputs(), labels()), rel=EACH_OTHER)
    assert second.total != pytest.approx(first.total, rel=1e-2)


def test_compiling_the_model_again_is_noticed():
    model = network("mse", run_eagerly=False)
    before = objective(model, inputs(), labels())
    model.compile("sgd", "mae")
    after = assert_as_evaluated(model, inputs(), labels())
    assert (before.terms[0].name, after.terms[0].name) == ("mse", "mae")


def test_a_model_that_nobody_needs_is_freed():
    loss = lossreg.get_loss("mse + mae")
    model = network(loss, activity_regularizer="l2", run_eagerly=False)
    objective(model, inputs(), labels())
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


@pytest.mark.skipif(ON_JAX, reason="Keras traces eager models too, to build them")
def test_an_eager_model_stays_eager():
    class Untraceable(layers.Layer):
        def call(self, x):
            assert float(ops.convert_to_numpy(ops.sum(x * 0))) == 0.0
            return x

    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    inner = Untraceable()

    class Eager(keras.Model):
        def __init__(self):
            super().__init__()
            self.net, self.check = model, inner

        def call(self, x):
            return self.check(self.net(x))

    eager = Eager()
    eager(inputs())
    eager.compile("sgd", "mse", run_eagerly=True)
    assert_as_evaluated(eager, inputs(), labels())


def test_a_loss_that_isnt_finite_is_shown_as_it_is():
    model = network(kernel_regularizer="l2")
    x = inputs()
    x[3, 0] = np.nan
    found = objective(model, x, labels())
    assert math.isnan(found.total)
    assert found.share(found.terms[1]) is None
    assert "nan" in str(found)
    assert json.loads(json.dumps(found.as_dict(), allow_nan=False))["total"] is None


def uncompiled():
    return keras.Sequential([keras.Input((4,)), layers.Dense(3)])


def unbuilt():
    model = keras.Sequential([layers.Dense(3)])
    model.compile("sgd", "mse")
    return model


def lossless():
    model = uncompiled()
    model.compile("sgd")
    return model


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        pytest.param(lambda: "model", {}, r"keras.Model, got 'model' \(str\)", id="no model"),
        pytest.param(uncompiled, {}, r"isn't compiled.*model\.compile\(optimizer", id="uncompiled"),
        pytest.param(unbuilt, {}, r"has no weights yet.*model\.build\(", id="unbuilt"),
        pytest.param(lossless, {}, r"without a loss.*model\.compile\('adam'", id="no loss"),
        pytest.param(network, {"batch_size": 0}, "from 1, got 0", id="batch size 0"),
        pytest.param(network, {"batch_size": True}, "from 1, got True", id="batch size True"),
        pytest.param(network, {"y": None}, "needs labels. Give y", id="no labels"),
        pytest.param(network, {"y": [[1, 0, 1]] * 70}, "np.asarray", id="labels in lists"),
        pytest.param(network, {"x": 3.0}, r"'x' must be an array.*got 3.0", id="a number"),
        pytest.param(network, {"x": Batches()}, "contains its labels. Leave y", id="labels twice"),
    ],
)
def test_what_cant_be_evaluated_is_told_with_what_to_do(model, options, message):
    given = {"x": inputs(), "y": labels(), **options}
    with pytest.raises(ParameterError, match=message):
        objective(model(), **given)


@pytest.mark.parametrize(
    ("loss", "options", "message"),
    [
        pytest.param("mse", {"x": inputs(60)}, "x 60 and y 70", id="fewer inputs"),
        pytest.param("mse", {"x": inputs(0), "y": labels(0)}, "no samples", id="none"),
        pytest.param(
            "mse", {"x": inputs(features=5)}, r"of shape \(4,\), .* \(5,", id="other features"
        ),
        pytest.param(
            "mse", {"y": labels(outputs=2)}, "can't be computed from y", id="other labels"
        ),
        pytest.param(
            lossreg.get_loss("mse"),
            {"y": labels(outputs=2)},
            r"^Loss 'mean_squared_error' takes y_true and y_pred of the same shape",
            id="the loss's own error",
        ),
        pytest.param(
            lossreg.get_loss("binary_crossentropy"),
            {"y": 5 * labels()},
            r"^Loss 'binary_crossentropy': y_true must be in \[0, 1\], got 0 to 5",
            id="labels that the loss gives no meaning",
        ),
    ],
)
def test_data_that_dont_fit_are_told(loss, options, message):
    model = network(loss)
    with pytest.raises(ShapeError, match=message):
        objective(model, **{"x": inputs(), "y": labels(), **options})
    # The next call, with data that fit, is not the worse for it.
    assert_as_evaluated(model, inputs(), labels())


def test_an_endless_dataset_is_refused():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((inputs(), labels())).batch(8).repeat()
    with pytest.raises(ParameterError, match=r"never ends.*take\(100\)"):
        objective(network(), data)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.ones((4, 7)), r"takes samples of shape \(4,\), and the samples of 'x' have \(7,\)"),
        (np.array([["a"] * 4] * 4), "'x' must hold numbers, got <U1 features"),
    ],
)
def test_features_that_the_model_does_not_take_are_told_in_our_words(x, message):
    with pytest.raises((ParameterError, ShapeError), match=message):
        objective(network(), x, labels(4))
