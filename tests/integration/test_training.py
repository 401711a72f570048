from collections import Counter

import keras
import numpy as np
import pytest
from core_losses import core_entries
from tolerances import CANCELLATION, EACH_OTHER, TRAINED

import lossreg
from lossreg.errors import LossregError, WeightError

NAMES = [entry.qualified_name for entry in core_entries()]
# Their labels stay integers, where Keras casts them to float and back.
KEPT_LABELS = {
    f"keras/{name}"
    for name in (
        "sparse_categorical_crossentropy",
        "categorical_generalized_cross_entropy",
        "circle",
        "ctc",
    )
}
# Losses of scores that take minus infinity, where Keras returns NaN, for one pass over the scores.
RULE_OUT = {"keras/categorical_hinge", "keras/ctc"}
ONE_PASS = {"IsInf", "Sign", "SelectV2", "StopGradient", "Mul", "Sum", "ZerosLike"} | {
    *("Const", "Shape", "Reshape", "BroadcastGradientArgs"),
}
tensorflow_only = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="graphs and ragged attributes of TensorFlow"
)


def keras_class(name):
    wanted = lossreg.bind(name)
    return next(
        kind
        for kind in vars(keras.losses).values()
        if isinstance(kind, type)
        and kind is not keras.losses.Loss
        and lossreg.get_loss(kind).bound.entry == wanted.entry
    )


def dense_model(outputs=1, activation=None, seed=3):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="tanh"),
            keras.layers.Dense(outputs, activation=activation),
        ]
    )


def digits_like(classes=3, samples=48):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(samples, 4)).astype("float32")
    return (
        x,
        (x[:, 0] > 0.3).astype("float32"),
        np.digitize(x[:, 1], [-0.5, 0.5])[:, None] % classes,
    )


def history(model, x, y, epochs=4, **options):
    fitted = model.fit(x, y, epochs=epochs, batch_size=16, shuffle=False, verbose=0, **options)
    return fitted.history


def assert_same_history(first, second):
    assert first.keys() == second.keys()
    for key in first:
        near = {"rtol": TRAINED, "atol": CANCELLATION}
        np.testing.assert_allclose(first[key], second[key], **near, err_msg=key)


def both(make, ours, theirs, x, y, compiled=None, **options):
    """Return the histories of one model, compiled with our loss and with that of Keras."""
    # XLA has a test of its own below; compiling every step with it would take a minute.
    compiled = {"jit_compile": False, **(compiled or {})}
    histories = []
    for loss in (ours, theirs):
        model = make()
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, **compiled)
        histories.append(history(model, x, y, **options))
    return histories


# One output


@pytest.mark.parametrize("name", NAMES)
def test_a_model_learns_from_every_loss(name, draw):
    spec = lossreg.bind(name).spec
    y_true, y_pred = draw(spec, steps=3)
    keras.utils.set_random_seed(3)
    features = y_pred.shape[1:]
    x = np.random.default_rng(1).normal(size=(len(y_true), *features)).astype("float32")
    activation = {"probabilities": "softmax", "positive": "softplus"}.get(spec.y_pred)
    layers = [keras.Input(features), keras.layers.Dense(5, activation=activation)]
    if spec.y_pred == "embeddings":
        layers.append(keras.layers.UnitNormalization())
    model = keras.Sequential(layers)
    model.compile(optimizer=keras.optimizers.Adam(0.02), loss=lossreg.get_loss(name))
    losses = model.fit(x, y_true, epochs=8, batch_size=12, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("gamma", [0.5, 3])
def test_focal_losses_train_with_parameters(gamma):
    x, binary, classes = digits_like()
    for model, name, y in (
        (dense_model(), "focal", binary),
        (dense_model(3), "categorical_focal", keras.utils.to_categorical(classes, 3)),
        (dense_model(3), "sparse_focal", classes),
    ):
        model.compile("adam", loss=lossreg.get_loss(name, gamma=gamma, from_logits=True))
        losses = history(model, x, y, epochs=10)["loss"]
        assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("ours", "theirs", "outputs", "labels"),
    [
        pytest.param(
            lossreg.get_loss("huber", delta=0.3), keras.losses.Huber(0.3), 1, 1, id="huber"
        ),
        pytest.param(
            lossreg.get_loss("bce", from_logits=True, label_smoothing=0.1),
            keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
            1,
            1,
            id="binary_crossentropy",
        ),
        pytest.param(
            lossreg.get_loss("scce", from_logits=True),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            3,
            2,
            id="sparse_categorical_crossentropy",
        ),
        pytest.param(
            # Without a focus and a weight it is cross-entropy.
            lossreg.get_loss("sparse_focal", gamma=0, from_logits=True),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            3,
            2,
            id="sparse_focal",
        ),
    ],
)
@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="plain"),
        pytest.param({"sample_weight": np.linspace(0, 2, 48)}, id="sample_weight"),
        pytest.param({"class_weight": {0: 1.0, 1: 5.0, 2: 0.5}}, id="class_weight"),
    ],
)
def test_training_goes_as_with_the_loss_of_keras(ours, theirs, outputs, labels, options):
    data = digits_like()
    y = data[labels].reshape(-1, 1)
    first, second = both(lambda: dense_model(outputs), ours, theirs, data[0], y, **options)
    assert_same_history(first, second)
    assert first["loss"][-1] < first["loss"][0]


def test_weights_change_what_is_learnt():
    # Guards the test above: both sides might leave out the weights.
    x, y, _ = digits_like()
    plain, weighted = (
        both(dense_model, lossreg.get_loss("mse"), "mse", x, y, **options)[0]["loss"]
        for options in ({}, {"class_weight": {0: 1.0, 1: 5.0}})
    )
    assert abs(plain[0] - weighted[0]) > 0.01


@pytest.mark.parametrize("jit_compile", [True, False])
@pytest.mark.parametrize("name", ["mse", "scce", "focal", "sparse_focal", "tversky", "circle"])
def test_a_compiled_step_gives_what_an_eager_one_gives(name, jit_compile):
    x, binary, classes = digits_like()
    spec = lossreg.bind(name).spec
    y = classes[:, 0] if spec.y_true == "integer" else binary.reshape(-1, 1)
    outputs = 3 if spec.y_true == "integer" else 1
    activation = {"probabilities": "softmax" if outputs == 3 else "sigmoid"}.get(spec.y_pred)
    losses = []
    for options in ({"jit_compile": jit_compile}, {"run_eagerly": True}):
        model = dense_model(outputs, activation)
        model.compile(keras.optimizers.SGD(0.1), loss=lossreg.get_loss(name), **options)
        losses.append(history(model, x, y, epochs=2)["loss"])
    np.testing.assert_allclose(*losses, rtol=TRAINED)


def test_the_function_form_is_a_metric_and_a_loss():
    x, y, _ = digits_like()
    model = dense_model()
    metrics = [lossreg.get_loss_fn("mse"), lossreg.get_loss_fn("huber", delta=0.3)]
    model.compile("sgd", loss=lossreg.get_loss_fn("mse"), metrics=metrics)
    seen = history(model, x, y, epochs=2)
    assert set(seen) == {"loss", "mean_squared_error", "huber"}
    np.testing.assert_allclose(seen["loss"], seen["mean_squared_error"], rtol=EACH_OTHER)
    error = np.abs(model.predict(x, verbose=0)[:, 0] - y)
    huber = np.where(error <= 0.3, error**2 / 2, 0.3 * (error - 0.15)).mean()
    evaluated = model.evaluate(x, y, verbose=0, return_dict=True)
    assert evaluated["huber"] == pytest.approx(huber, rel=EACH_OTHER)


def test_evaluation_gives_the_loss_of_the_predictions():
    x, y, _ = digits_like()
    model = dense_model(activation="sigmoid")
    model.compile("sgd", loss=lossreg.get_loss("focal", gamma=1, alpha=0.25))
    p = model.predict(x, verbose=0)[:, 0].astype("float64")
    p_t, alpha_t = np.where(y == 1, p, 1 - p), np.where(y == 1, 0.25, 0.75)
    expected = (alpha_t * (1 - p_t) * -np.log(p_t)).mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=EACH_OTHER)


def test_a_loss_trains_a_model_in_half_precision():
    x, _, classes = digits_like()
    model = dense_model(3)
    loss = lossreg.get_loss("sparse_focal", from_logits=True, dtype="bfloat16")
    model.compile(keras.optimizers.Adam(0.02), loss=loss)
    losses = history(model, x, classes, epochs=8)["loss"]
    assert losses[-1] < losses[0]


def test_a_loss_is_used_in_a_training_loop_of_its_own():
    # Keras' add_loss takes a tensor that a layer computes in its call.
    class Reconstructed(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = keras.layers.Dense(4)
            self.loss = lossreg.get_loss("huber", delta=0.3)

        def call(self, inputs):
            outputs = self.dense(inputs)
            self.add_loss(self.loss(inputs, outputs))
            return outputs

    x, _, _ = digits_like()
    model = keras.Sequential([keras.Input((4,)), Reconstructed()])
    model.compile(keras.optimizers.Adam(0.05))
    losses = history(model, x, None, epochs=8)["loss"]
    assert losses[-1] < losses[0]


# Several outputs


def two_headed():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(8, activation="tanh")(inputs)
    heads = [
        keras.layers.Dense(1, name="is_object")(hidden),
        keras.layers.Dense(3, name="kind")(hidden),
    ]
    return keras.Model(inputs, heads)


def two_headed_by_name():
    model = two_headed()
    return keras.Model(model.inputs, dict(zip(("is_object", "kind"), model.outputs, strict=True)))


LOSSES = {
    "ours": {
        "is_object": lambda: lossreg.get_loss("bce", from_logits=True, label_smoothing=0.1),
        "kind": lambda: lossreg.get_loss("sparse_focal", gamma=0, from_logits=True),
    },
    "theirs": {
        "is_object": lambda: keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        "kind": lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    },
}


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    ("make", "named"),
    [
        pytest.param(two_headed, False, id="a list of losses"),
        pytest.param(two_headed, True, id="a dict of losses for a list of outputs"),
        pytest.param(two_headed_by_name, True, id="a dict of losses"),
    ],
)
def test_each_output_has_its_loss(make, named, weighted):
    x, binary, classes = digits_like()
    y = {"is_object": binary.reshape(-1, 1), "kind": classes}
    ours, theirs = (
        {key: loss() for key, loss in LOSSES[side].items()} for side in ("ours", "theirs")
    )
    compiled = {"loss_weights": {"is_object": 0.25, "kind": 3.0}} if weighted else {}
    if not named:
        y, ours, theirs = (list(values.values()) for values in (y, ours, theirs))
        compiled = {key: list(values.values()) for key, values in compiled.items()}
    first, second = both(make, ours, theirs, x, y, compiled)
    assert_same_history(first, second)
    assert {"loss", "is_object_loss", "kind_loss"} <= set(first)
    factors = (0.25, 3.0) if weighted else (1, 1)
    total = sum(
        factor * np.array(first[f"{name}_loss"])
        for factor, name in zip(factors, ("is_object", "kind"), strict=True)
    )
    np.testing.assert_allclose(first["loss"], total, rtol=EACH_OTHER)


def test_one_object_may_be_the_loss_of_several_outputs():
    x, binary, _ = digits_like()
    y = [binary.reshape(-1, 1), np.tile(binary.reshape(-1, 1), 3)]
    first, second = both(two_headed, lossreg.get_loss("mse"), keras.losses.MeanSquaredError(), x, y)
    assert_same_history(first, second)


def test_an_output_may_have_no_loss():
    x, binary, _ = digits_like()
    model = two_headed()
    model.compile("sgd", loss=[lossreg.get_loss("bce", from_logits=True), None])
    assert np.isfinite(history(model, x, [binary.reshape(-1, 1), binary], epochs=1)["loss"]).all()


# Masks


def tokens():
    rng = np.random.default_rng(2)
    x = rng.integers(1, 10, size=(24, 6))
    x[:, 4:] = 0
    x[::3, 2:] = 0
    return x


def tagger(outputs):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            keras.layers.Embedding(10, 4, mask_zero=True),
            keras.layers.Dense(outputs),
        ]
    )


@pytest.mark.parametrize(
    ("ours", "theirs", "outputs"),
    [
        pytest.param(lambda **o: lossreg.get_loss("mse", **o), keras.losses.MeanSquaredError, 1),
        pytest.param(
            lambda **o: lossreg.get_loss("scce", from_logits=True, **o),
            lambda **o: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **o),
            3,
        ),
        pytest.param(
            lambda **o: lossreg.get_loss("sparse_focal", gamma=0, from_logits=True, **o),
            lambda **o: keras.losses.SparseCategoricalCrossentropy(from_logits=True, **o),
            3,
        ),
        pytest.param(
            lambda **o: lossreg.get_loss("scce", from_logits=True, ignore_class=2, **o),
            lambda **o: keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, ignore_class=2, **o
            ),
            3,
        ),
        pytest.param(
            lambda **o: lossreg.get_loss(
                "sparse_focal", gamma=0, from_logits=True, ignore_class=2, **o
            ),
            lambda **o: keras.losses.SparseCategoricalCrossentropy(
                from_logits=True, ignore_class=2, **o
            ),
            3,
        ),
    ],
)
@pytest.mark.parametrize("options", [{}, {"sample_weight": np.linspace(0, 2, 24)[:, None]}])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_masked_steps_count_as_they_do_for_the_loss_of_keras(
    ours, theirs, outputs, options, reduction
):
    x = tokens()
    y = (x % 3)[..., None]
    losses = ours(reduction=reduction), theirs(reduction=reduction)
    first, second = both(lambda: tagger(outputs), *losses, x, y, epochs=2, **options)
    assert_same_history(first, second)


def test_a_masked_step_costs_nothing():
    x = tokens()
    y = np.where(x == 0, 1e6, 0.5)[..., None]
    model = tagger(1)
    model.compile("sgd", loss=lossreg.get_loss("mse"))
    predicted = model.predict(x, verbose=0)
    expected = ((predicted - 0.5) ** 2)[x != 0].mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=EACH_OTHER)


# Weights where a sample has no value of its own


@pytest.mark.parametrize("name", ["dice", "tversky", "circle"])
@pytest.mark.parametrize(
    "options", [{"class_weight": {0: 1.0, 1: 10.0}}, {"sample_weight": np.ones(48)}]
)
def test_fit_refuses_weights_that_mean_nothing(name, options):
    x, y, _ = digits_like()
    model = dense_model(1 if name != "circle" else 3, "sigmoid")
    model.compile("sgd", loss=lossreg.get_loss(name))
    labels = y.astype("int32") if name == "circle" else y.reshape(-1, 1)
    with pytest.raises(WeightError, match="loss_weights, which weigh a whole output, do work"):
        model.fit(x, labels, verbose=0, **options)


def test_fit_refuses_a_mask_that_means_nothing():
    x = tokens()
    model = tagger(1)
    model.compile("sgd", loss=lossreg.get_loss("dice"))
    with pytest.raises(WeightError, match="'dice' takes no sample_weight, class_weight or mask"):
        model.fit(x, np.ones((24, 6, 1)), verbose=0)


def test_a_loss_weight_works_where_a_sample_has_no_value_of_its_own():
    x, y, _ = digits_like()
    histories = []
    for weight in (1.0, 10.0):
        model = dense_model(activation="sigmoid")
        model.compile(keras.optimizers.SGD(0.0), loss=lossreg.get_loss("dice"), loss_weights=weight)
        histories.append(history(model, x, y.reshape(-1, 1), epochs=1)["loss"][0])
    assert histories[1] == pytest.approx(10 * histories[0], rel=EACH_OTHER)


@pytest.mark.parametrize(
    ("name", "outputs", "message"),
    [
        ("categorical_crossentropy", 3, "'sparse_categorical_crossentropy' takes them"),
        ("categorical_focal", 3, "'sparse_focal' takes them"),
        ("mse", 3, "same shape"),
        ("scce", 1, "classes"),
    ],
)
def test_fit_says_which_labels_a_loss_takes(name, outputs, message):
    x, _, classes = digits_like()
    model = dense_model(outputs)
    model.compile("sgd", loss=lossreg.get_loss(name), run_eagerly=name == "scce")
    with pytest.raises(LossregError, match=message):
        model.fit(x, classes, verbose=0)


# What it costs


def operations(loss, y_true, y_pred):
    """Return how often each operation is in the graph of a loss and its gradient."""
    import tensorflow as tf

    def step(labels, predictions):
        with tf.GradientTape() as tape:
            tape.watch(predictions)
            value = loss(labels, predictions)
        return value, tape.gradient(value, predictions)

    arguments = [
        tf.TensorSpec((None, *value.shape[1:]), tf.as_dtype(value.dtype))
        for value in (y_true, y_pred)
    ]
    return counted(tf.function(step).get_concrete_function(*arguments).graph)


def counted(graph):
    found = Counter(operation.type for operation in graph.get_operations())
    for function in graph.as_graph_def().library.function:
        found.update(node.op for node in function.node_def)
    return found


@tensorflow_only
@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("keras/")])
def test_a_loss_has_no_operation_that_keras_lacks(name, draw):
    y_true, y_pred = draw(lossreg.bind(name).spec)
    ours = operations(lossreg.get_loss(name), y_true, y_pred)
    theirs = operations(keras_class(name)(), y_true, y_pred)
    if name in RULE_OUT:
        assert set(ours - theirs) <= ONE_PASS
    elif name in KEPT_LABELS:
        assert ours - theirs == Counter()
        assert ours["Cast"] < theirs["Cast"]
    else:
        assert ours == theirs


@tensorflow_only
def test_a_training_step_has_the_operations_of_one_with_the_loss_of_keras():
    import tensorflow as tf

    x, y, _ = digits_like()
    counts = []
    for loss in (lossreg.get_loss("mse"), keras.losses.MeanSquaredError()):
        model = dense_model()
        model.compile("sgd", loss=loss, jit_compile=False)
        model.train_on_batch(x, y)
        step = tf.function(lambda x, y, model=model: model.train_step((x, y)))
        arguments = tf.TensorSpec((None, 4), tf.float32), tf.TensorSpec((None,), tf.float32)
        counts.append(counted(step.get_concrete_function(*arguments).graph))
    assert counts[0] == counts[1]
    assert counts[0]["MatMul"] > 0
