"""`DataCheck` stops bad data, and leaves no trace on good ones."""

import contextlib
import itertools

import keras
import numpy as np
import pytest

import lossreg
from lossreg.checks import DataCheck, data_check
from lossreg.errors import DataError

pytestmark = pytest.mark.slow

SAMPLES = 40
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="tests tf.data or what TensorFlow compiles"
)


def samples():
    rng = np.random.default_rng(5)
    x = rng.normal(size=(SAMPLES, 4)).astype("float32")
    return x, (x.sum(axis=1) > 0).astype("float32").reshape(-1, 1)


def dense_model(activation="sigmoid", outputs=1, noise=None):
    """Return a model with every kind of state: dropout's seed, moving means, sampled noise."""
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.3),
            noise or Noise(),
            keras.layers.Dense(outputs, activation=activation),
        ]
    )


class Noise(keras.layers.Layer):
    """Adds noise, at inference too, and a penalty."""

    def __init__(self, shared=False):
        super().__init__()
        self.seed = None if shared else keras.random.SeedGenerator(9)

    def call(self, inputs):
        self.add_loss(1e-3 * keras.ops.mean(keras.ops.square(inputs)))
        return inputs + 0.1 * keras.random.normal(keras.ops.shape(inputs), seed=self.seed)


class Batches(keras.utils.PyDataset):
    """Batches of five by index."""

    def __init__(self, x, y):
        super().__init__()
        self.data = x, y

    def __len__(self):
        return SAMPLES // 5

    def __getitem__(self, index):
        return tuple(values[5 * index : 5 * index + 5] for values in self.data)


def forever(x, y):
    for start in itertools.cycle(range(0, SAMPLES, 8)):
        yield x[start : start + 8], y[start : start + 8]


def trained(make, options, fits, *, check):
    """Return histories and final variables of some fits of one model, with and without."""
    model = make()
    if not model.compiled:
        model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": "bce", **options})
    seen = []
    for fit in fits:
        callbacks = [DataCheck()] if check else []
        arguments = fit() if callable(fit) else fit
        seen.append(model.fit(**arguments, callbacks=callbacks, verbose=0).history)
    state = [keras.ops.convert_to_numpy(variable.value) for variable in model.variables]
    return seen, state, getattr(model, "body", model).input_shape


def assert_no_trace(make=dense_model, options=None, fits=()):
    plain, checked = (trained(make, options or {}, fits, check=check) for check in (False, True))
    # The same program runs twice: not a bit differs.
    assert plain[0] == checked[0]
    assert plain[2] == checked[2]
    for first, second in zip(plain[1], checked[1], strict=True):
        np.testing.assert_array_equal(first, second)


X, Y = samples()
ARRAYS = {"x": X, "y": Y, "batch_size": 8, "epochs": 3}


FITS = {
    "a short last batch": {**ARRAYS, "batch_size": 7, "validation_split": 0.25},
    "sample_weight": {**ARRAYS, "sample_weight": np.linspace(0, 2, SAMPLES)},
    "class_weight": {**ARRAYS, "class_weight": {0: 1.0, 1: 7.0}, "epochs": 2, "steps_per_epoch": 2},
    "PyDataset": lambda: {"x": Batches(X, Y), "epochs": 2},
    "generator": lambda: {
        "x": forever(X, Y), "epochs": 3, "steps_per_epoch": 4, "shuffle": False,
    },
}  # fmt: skip


@pytest.mark.parametrize("fit", FITS.values(), ids=FITS)
def test_training_goes_as_without_the_check(fit):
    assert_no_trace(fits=[fit])


@pytest.mark.parametrize("fit", ["a short last batch", "PyDataset", "generator"])
def test_several_steps_per_execution_go_as_without_the_check(fit):
    assert_no_trace(options={"steps_per_execution": 3, "metrics": ["mae"]}, fits=[FITS[fit]])


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"run_eagerly": True}])
def test_every_way_to_run_a_step_goes_as_without_the_check(options):
    assert_no_trace(options=options, fits=[{**ARRAYS, "epochs": 2}])


def test_a_second_fit_goes_on_as_without_the_check():
    assert_no_trace(fits=[ARRAYS, {**ARRAYS, "initial_epoch": 3, "epochs": 5}])


def test_a_fit_without_a_step_leaves_the_model_as_it_was():
    assert_no_trace(fits=[ARRAYS, {**ARRAYS, "initial_epoch": 3}, ARRAYS])


def two_headed(as_dict):
    keras.utils.set_random_seed(3)
    inputs = {"a": keras.Input((4,), name="a"), "b": keras.Input((4,), name="b")}
    hidden = keras.layers.Dropout(0.3)(keras.layers.Concatenate()(list(inputs.values())))
    heads = {
        "is_object": keras.layers.Dense(1, activation="sigmoid", name="is_object")(hidden),
        "kind": keras.layers.Dense(3, name="kind")(hidden),
    }
    return keras.Model(inputs, heads if as_dict else list(heads.values()))


KINDS = np.argmax(X[:, :3], axis=1)
LOSSES = {"is_object": "bce", "kind": lossreg.get_loss("scce", from_logits=True)}


@pytest.mark.parametrize("as_dict", [True, False])
def test_several_inputs_and_outputs_go_as_without_the_check(as_dict):
    labels = {"is_object": Y, "kind": KINDS}
    assert_no_trace(
        make=lambda: two_headed(as_dict),
        options={"loss": LOSSES if as_dict else list(LOSSES.values())},
        fits=[{**ARRAYS, "x": {"a": X, "b": -X}, "y": labels if as_dict else [*labels.values()]}],
    )


def unbuilt():
    keras.utils.set_random_seed(3)
    layers = [keras.layers.Dense(8), keras.layers.Dropout(0.3), Noise()]
    return keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid")])


class OfOnesOwn(keras.Model):
    """A model whose call says nothing of training, and whose layers are built when called."""

    def __init__(self):
        super().__init__()
        self.body = unbuilt()

    def call(self, inputs):
        return self.body(inputs)


def of_ones_own():
    keras.utils.set_random_seed(3)
    return OfOnesOwn()


@pytest.mark.parametrize("make", [unbuilt, of_ones_own])
@pytest.mark.parametrize("eagerly", [True, False])
def test_a_model_without_an_input_is_built_as_without_the_check(make, eagerly):
    fits = [{**ARRAYS, "epochs": 2, "batch_size": 7}]
    assert_no_trace(make, {"run_eagerly": eagerly}, fits)


@tensorflow_only
@pytest.mark.parametrize("steps", [1, 3])
def test_datasets_of_tensorflow_go_as_without_the_check(steps):
    import tensorflow as tf

    def fit():
        data = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(SAMPLES, seed=4).batch(7)
        return {"x": data.prefetch(2), "epochs": 2, "shuffle": False}

    assert_no_trace(options={"steps_per_execution": steps}, fits=[fit, fit])


@tensorflow_only
def test_the_seed_that_all_layers_share_goes_on_as_without_the_check():
    # JAX refuses it.
    def make():
        # Keras 3.12 seeds it again only where it is new.
        keras.utils.clear_session()
        return dense_model(noise=Noise(shared=True))

    assert_no_trace(make, fits=[ARRAYS])


@tensorflow_only
def test_a_distribution_strategy_goes_as_without_the_check():
    import tensorflow as tf

    def make():
        with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
            model = dense_model()
            model.compile(keras.optimizers.Adam(0.01), "bce")
        return model

    assert_no_trace(make, fits=[ARRAYS])


# What it says


def fit(model, y, x=X, **options):
    return model.fit(x, y, batch_size=8, callbacks=[DataCheck()], verbose=0, **options)


@pytest.mark.parametrize(
    ("loss", "activation", "outputs", "labels", "fits"),
    [
        pytest.param("categorical_crossentropy", "softmax", 3, KINDS,
                     ["sparse_categorical_crossentropy"], id="a name",
                     # On JAX Keras itself stops here, before it calls any callback.
                     marks=tensorflow_only),
        pytest.param(keras.losses.BinaryCrossentropy(), None, 1, Y,
                     ["binary_crossentropy(from_logits=True)"], id="a loss of Keras"),
        pytest.param(lossreg.get_loss("focal", gamma=1.5), None, 1, Y,
                     ["focal(gamma=1.5, from_logits=True)"], id="a registered loss"),
        pytest.param(keras.losses.hinge, None, 1, Y / 2,
                     ["binary_crossentropy(from_logits=True)"], id="a function"),
        pytest.param(lossreg.get_loss_fn("bce"), "sigmoid", 1, 2 * Y - 1, ["hinge"],
                     id="a function form"),
        pytest.param("mse + 2 * bce", "sigmoid", 1, 2 * Y - 1, ["hinge"], id="a sum"),
        pytest.param(["mse", "bce"], "sigmoid", 1, 2 * Y - 1, ["mse + bce", "hinge"],
                     id="two losses"),
        pytest.param([["mse", "mae"]], None, 1, Y, ["mse + mae"], id="two losses in a list"),
        pytest.param(["mse", keras.losses.Huber(2.0)], None, 1, Y, ["mse + huber(delta=2.0)"],
                     id="a name and a loss"),
        pytest.param(["mse", lambda y_true, y_pred: y_pred[:, 0]], None, 1, Y, [None],
                     id="a loss of somebody's own"),
        pytest.param("sparse_categorical_crossentropy", "softmax", 3, KINDS + 1, [None],
                     id="classes from 1"),
    ],
)  # fmt: skip
def test_a_fit_stops_before_its_first_step_and_names_the_loss_that_fits(
    loss, activation, outputs, labels, fits
):
    model = dense_model(activation, outputs)
    model.compile("sgd", lossreg.get_loss(loss) if loss == "mse + 2 * bce" else loss)
    before = model.get_weights()
    with pytest.raises(DataError, match="The first batch doesn't fit the loss") as caught:
        fit(model, labels)
    assert [finding.fits for finding in caught.value.findings] == fits
    for first, second in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_the_model_trains_after_it_was_stopped():
    histories = []
    for stopped in (False, True):
        model = dense_model()
        model.compile(keras.optimizers.Adam(0.01), "bce")
        if stopped:
            with pytest.raises(DataError, match="divide them by 255"):
                fit(model, 255 * Y)
        keras.utils.set_random_seed(4)
        histories.append(fit(model, Y, shuffle=False).history)
    assert histories[0] == histories[1]


def test_all_findings_are_in_the_error():
    model = two_headed(as_dict=True)
    model.compile("sgd", LOSSES)
    with pytest.raises(DataError, match="for 2 reasons:\n- Output 'is_object': .*\n- ") as caught:
        fit(model, {"is_object": 2 * Y - 1, "kind": KINDS + 1}, {"a": X, "b": X})
    assert [finding.output for finding in caught.value.findings] == ["is_object", "kind"]


def test_an_output_without_labels_or_loss_is_left_out():
    model = two_headed(as_dict=False)
    model.compile("sgd", [None, LOSSES["kind"]])
    with pytest.raises(DataError, match="^The first batch doesn't fit the loss. Output 'kind'"):
        fit(model, [255 * Y, KINDS + 1], {"a": X, "b": X})
    assert fit(model, [255 * Y, KINDS], {"a": X, "b": X})


@pytest.mark.parametrize(
    ("activation", "loss", "message"),
    [
        (None, "bce", "the last layer has no activation"),
        ("sigmoid", lossreg.get_loss("bce", from_logits=True), "look like probabilities"),
        ("softmax", "bce", "a softmax over one output always gives 1"),
    ],
)
def test_the_last_activation_is_known_whatever_the_first_batch_is(activation, loss, message):
    # Every output is 0.5, and 1 where the softmax is: no numbers tell that anything is wrong.
    model = keras.Sequential([
        keras.Input((4,)),
        keras.layers.Dense(
            1, activation, kernel_initializer="zeros",
            bias_initializer=keras.initializers.Constant(0.0 if activation else 0.5),
        ),
    ])  # fmt: skip
    model.compile("sgd", loss)
    with pytest.raises(DataError, match=message):
        fit(model, Y)


@pytest.mark.parametrize(
    "last",
    [
        # Mixed precision's last layer casts what is activated already.
        lambda: [keras.layers.Dense(1, "sigmoid"), keras.layers.Activation("linear")],
        lambda: [
            keras.layers.Dense(4, "sigmoid"),
            keras.layers.Dense(
                1,
                use_bias=False,
                kernel_initializer=keras.initializers.Constant(0.25),
                kernel_constraint="non_neg",
            ),
        ],
        lambda: [keras.layers.Dense(1), keras.layers.Activation("sigmoid")],
        lambda: [keras.layers.Dense(1), keras.layers.Lambda(keras.ops.sigmoid)],
    ],
)
def test_probabilities_that_no_last_activation_shows_are_no_finding(last):
    model = keras.Sequential([keras.Input((4,)), *last()])
    model.compile("sgd", "bce")
    assert fit(model, Y)


def test_small_positive_logits_are_no_finding():
    # 32 or more numbers on both sides of a half: check_data would say what they look like.
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    model.compile("sgd", lossreg.get_loss("bce", from_logits=True))
    x = np.linspace(0.1, 0.9, SAMPLES)[:, None]
    assert lossreg.bind("bce").name == "binary_crossentropy"
    assert model.fit(x, Y, batch_size=SAMPLES, callbacks=[DataCheck()], verbose=0)


def test_labels_without_a_weight_may_be_anything():
    labels, weights = Y.copy(), np.ones(SAMPLES)
    labels[3], weights[3] = -1, 0
    model = dense_model()
    model.compile("sgd", "bce")
    assert fit(model, labels, sample_weight=weights, shuffle=False)
    with pytest.raises(DataError, match="must be in \\[0, 1\\], got -1 to 1"):
        fit(model, labels, shuffle=False)


def test_masked_steps_may_have_any_label():
    x = np.tile([[3, 1, 0, 0]], (16, 1))
    labels = np.where(x == 0, 9.0, 1.0)[..., None]
    layers = [keras.layers.Embedding(5, 4, mask_zero=True), keras.layers.Dense(1, "sigmoid")]
    model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
    model.compile("sgd", "bce")
    assert fit(model, labels, x)
    with pytest.raises(DataError, match="got 1 to 9"):
        fit(model, labels, np.maximum(x, 1))


class Balanced(keras.losses.Loss):
    """A loss of someone's own, in which NaN marks what isn't known."""

    def call(self, y_true, y_pred):
        there = keras.ops.logical_not(keras.ops.isnan(y_true))
        return keras.ops.where(there, keras.ops.abs(y_true - y_pred), 0.0)


@pytest.mark.parametrize(
    "loss", [Balanced(), lambda y_true, y_pred: Balanced()(y_true, y_pred)], ids=["class", "lambda"]
)
def test_a_loss_of_ones_own_takes_what_it_takes(loss):
    labels = np.where(Y == 1, np.nan, 5.0)
    model = dense_model(None)
    model.compile("sgd", loss)
    assert fit(model, labels)


def test_a_model_without_a_loss_is_left_alone():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), Noise()])
    model.compile("sgd")
    assert model.fit(X, callbacks=[DataCheck()], verbose=0)


# What it costs


@pytest.fixture
def checked(monkeypatch):
    """Return a list with an entry for each output that was checked."""
    seen = []
    check = data_check.check_output
    monkeypatch.setattr(
        data_check, "check_output", lambda *arguments: seen.append(1) or check(*arguments)
    )
    return seen


def test_each_fit_is_checked_once(checked):
    model = dense_model()
    model.compile("sgd", "bce")
    for times in (1, 2):
        fit(model, Y, epochs=3)
        assert len(checked) == times


def test_a_step_that_no_fit_takes_is_not_checked(checked):
    model = dense_model()
    model.compile("sgd", "bce")
    fit(model, Y, initial_epoch=1)
    model.train_on_batch(X, 255 * Y)
    assert checked == []


class Traced(keras.Model):
    """A model that counts how often Keras traces its step."""

    count = 0

    def train_step(self, *arguments):
        self.count += 1
        return super().train_step(*arguments)


@pytest.mark.parametrize("steps", [1, 3])
def test_the_step_is_compiled_no_more_often(steps):
    counts = []
    for callbacks in ([], [DataCheck()]):
        inputs = keras.Input((4,))
        model = Traced(inputs, keras.layers.Dense(1, "sigmoid")(inputs))
        model.compile("sgd", "bce", steps_per_execution=steps)
        model.fit(X, Y, batch_size=7, epochs=2, callbacks=callbacks, verbose=0)
        counts.append(model.count)
    assert counts[0] == counts[1] > 0


class Interrupted(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        raise KeyboardInterrupt


def test_a_fit_that_ends_before_its_first_step_leaves_a_model_that_trains(checked):
    histories = []
    for times in (0, 2):
        checked.clear()
        model = dense_model()
        model.compile("sgd", "bce")
        for _ in range(times):
            with contextlib.suppress(KeyboardInterrupt):
                model.fit(X, Y, callbacks=[DataCheck(), Interrupted()], verbose=0)
        keras.utils.set_random_seed(4)
        histories.append(fit(model, Y, shuffle=False).history)
        assert len(checked) == 1
    assert histories[0] == histories[1]
