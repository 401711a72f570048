"""The fused cross-entropy: its values and gradients, and what reaches it in a model."""

import functools
import subprocess
import sys

import keras
import numpy as np
import pytest
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg.errors import ConfigError, ParameterError
from lossreg.testing import value_and_gradient
from lossreg_memory.fused import fused_linear_crossentropy

RANDOM = np.random.default_rng(5)
TOKENS, DIMENSIONS, CLASSES = 11, 6, 9
H = RANDOM.normal(size=(TOKENS, DIMENSIONS))
KERNEL = RANDOM.normal(size=(DIMENSIONS, CLASSES))
BIAS = RANDOM.normal(size=CLASSES)
LABELS = RANDOM.integers(CLASSES, size=TOKENS)
# One token doesn't count.
SHARES = RANDOM.uniform(0.1, 1, TOKENS) * (np.arange(TOKENS) != 3)

SETTINGS = [
    {},
    {"label_smoothing": 0.2},
    {"z_weight": 0.1},
    {"gamma": 2.0},
    {"gamma": 0.5, "label_smoothing": 0.1, "z_weight": 0.01},
]


def reference(h, kernel, bias, *, label_smoothing=0.0, z_weight=0.0, gamma=0.0):
    """The sum of the weighted values, from all logits at once, in float64."""
    total = 0.0
    for row, label, share in zip(h, LABELS, SHARES, strict=True):
        x = row @ kernel + bias
        divisor = np.log(np.exp(x - x.max()).sum()) + x.max()
        log_p = x - divisor
        y = (1 - label_smoothing) * np.eye(CLASSES)[label] + label_smoothing / CLASSES
        focus = (1 - np.exp(log_p[label])) ** gamma
        total += share * (focus * -(y @ log_p) + z_weight * divisor**2)
    return total


def slopes(function, array, step=1e-6):
    """The gradient by central differences, in float64."""
    found = np.zeros_like(array)
    for index in np.ndindex(array.shape):
        moved = [array.copy(), array.copy()]
        moved[0][index] += step
        moved[1][index] -= step
        found[index] = (function(moved[0]) - function(moved[1])) / (2 * step)
    return found


def fused(h, kernel, bias, *, base=None, **params):
    if base is not None:
        params["base"] = lossreg.get_loss_fn(base)
    return fused_linear_crossentropy(LABELS, h, kernel, bias, SHARES.astype("float32"), **params)


def reference_of(of_probability):
    """As `reference`, for any function of the true class's probability."""

    def total(h, kernel, bias):
        x = h @ kernel + bias
        p = np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)
        return SHARES @ of_probability(p[np.arange(TOKENS), LABELS])

    return total


BASES = {
    "sparse_categorical_crossentropy(from_logits=True)": lambda p: -np.log(p),
    "sparse_focal(gamma=2, alpha=0.25, from_logits=True)": lambda p: (
        -0.25 * (1 - p) ** 2 * np.log(p)
    ),
    # Zhang and Sabuncu, 2018, equation 6.
    "'lossreg-noise/generalized_crossentropy'(q=0.7, from_logits=True)": lambda p: (
        (1 - p**0.7) / 0.7
    ),
}


@pytest.mark.parametrize(
    ("params", "expected_total"),
    [
        *((params, functools.partial(reference, **params)) for params in SETTINGS),
        *(({"base": base}, reference_of(function)) for base, function in BASES.items()),
    ],
)
@pytest.mark.parametrize("chunk", [None, 4, 11])
def test_value_and_gradients_are_those_of_all_logits_at_once(params, expected_total, chunk):
    arrays = {"h": H, "kernel": KERNEL, "bias": BIAS}
    for name, array in arrays.items():
        fixed = {k: a.astype("float32") for k, a in arrays.items() if k != name}

        def of(_, x, name=name, fixed=fixed):
            return fused(**{**fixed, name: x}, **params, chunk=chunk)

        value, gradient = value_and_gradient(of, np.zeros(1), array.astype("float32"))

        def expected(x, name=name):
            return expected_total(**{**arrays, name: x})

        assert float(value) == pytest.approx(expected(array), rel=FLOAT32)
        by_hand = slopes(expected, array)
        found = keras.ops.convert_to_numpy(gradient)
        np.testing.assert_allclose(found, by_hand, rtol=FLOAT32, atol=20 * CANCELLATION)


def model_of(embedding=None):
    keras.utils.set_random_seed(2)
    inputs = keras.Input((5,), dtype="int32")
    table = keras.layers.Embedding(CLASSES, DIMENSIONS, mask_zero=True, name="table")
    hidden = keras.layers.Dense(DIMENSIONS, activation="tanh")(table(inputs))
    if embedding == "reversed":
        last = keras.layers.ReversibleEmbedding(CLASSES, DIMENSIONS, name="words")
        hidden = keras.layers.Dense(DIMENSIONS, activation="tanh")(last(inputs))
        return keras.Model(inputs, last(hidden, reverse=True))
    return keras.Model(inputs, keras.layers.Dense(CLASSES, name="logits")(hidden))


X = RANDOM.integers(CLASSES, size=(8, 5))
Y = RANDOM.integers(CLASSES, size=(8, 5))
WEIGHTS = RANDOM.uniform(0.1, 1, (8, 5)).astype("float32")


@pytest.mark.parametrize(
    ("kind", "ignored", "weights", "base"),
    [
        pytest.param(None, None, None, None, id="masked steps"),
        pytest.param(None, 4, WEIGHTS, None, id="an ignored class, and weights"),
        pytest.param("reversed", 4, None, None, id="an embedding used backwards"),
        pytest.param(None, 4, WEIGHTS, "sparse_focal(1.5, from_logits=True)", id="another base"),
    ],
)
def test_a_model_trains_as_with_the_loss_of_all_its_logits(kind, ignored, weights, base):
    if kind == "reversed" and not hasattr(keras.layers, "ReversibleEmbedding"):
        pytest.skip("this Keras has no such layer")
    losses = {
        "fused": f"fused_linear_crossentropy(base={base!r}, ignore_class={ignored}, chunk=3)",
        "full": f"sparse_categorical_crossentropy(from_logits=True, ignore_class={ignored})",
    }
    if base is not None:
        losses["full"] = base.replace(")", f", ignore_class={ignored})")
    values, models = {}, {}
    for name, loss in losses.items():
        model = lossreg.compile(model_of(kind), keras.optimizers.SGD(0.5), loss=loss)
        options = {"sample_weight": weights, "batch_size": 4, "verbose": 0}
        history = model.fit(X, Y, epochs=3, shuffle=False, **options).history
        values[name] = [*history["loss"], model.evaluate(X, Y, **options)]
        models[name] = model.predict(X, verbose=0)
    assert values["fused"] == pytest.approx(values["full"], rel=TRAINED)
    np.testing.assert_allclose(models["fused"], models["full"], rtol=TRAINED, atol=1e-5)


def test_predictions_and_metrics_get_logits(tmp_path):
    model = lossreg.compile(
        model_of(),
        "adam",
        loss="fused_linear_crossentropy",
        metrics=["sparse_categorical_accuracy"],
    )
    history = model.fit(X, Y, epochs=30, verbose=0).history
    assert history["sparse_categorical_accuracy"][-1] > history["sparse_categorical_accuracy"][0]
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    predicted = loaded.predict(X, verbose=0)
    assert predicted.shape == (8, 5, CLASSES)
    np.testing.assert_allclose(predicted, model.predict(X, verbose=0), rtol=EACH_OTHER, atol=1e-6)
    loaded.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("base='sparse_focal(gamma=2)'", "depends on the probability of the true class alone. 'sp"),
        (
            "base='normalized_crossentropy(from_logits=True)'",
            "alone. 'sparse_focal.gamma=2, from_logits=True.' is one; for smoothed labels use",
        ),
        (
            "base='sparse_focal(alpha=[1, 2, 3], from_logits=True)'",
            "alone .Loss .sparse_focal.: alpha must be one weight, or 2 weights, one",
        ),
        ("base='mse'", "'base' must be a loss of class numbers and logits with one value for each"),
        (
            "base='sparse_focal(from_logits=True)', gamma=1",
            "gamma are those of the cross-entropy, and 'base' is given in its place. Leave",
        ),
    ],
)
def test_a_base_that_needs_more_than_the_true_classs_probability_is_refused(params, message):
    loss = lossreg.bind(f"fused_linear_crossentropy({params})")
    model = lossreg.compile(model_of(), "adam", loss=loss)
    with pytest.raises(ParameterError, match=message):
        model.fit(X, Y, verbose=0)


def test_a_model_that_ends_in_something_else_is_refused():
    inputs = keras.Input((3,))
    model = keras.Model(inputs, keras.layers.LayerNormalization()(inputs))
    with pytest.raises(ConfigError, match="must end in one Dense layer, or in an embedding"):
        lossreg.compile(model, "adam", loss="fused_linear_crossentropy")


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision_loses_no_digits_of_the_loss(policy):
    history = {}
    for loss in ("fused_linear_crossentropy", "sparse_categorical_crossentropy(from_logits=True)"):
        keras.utils.set_random_seed(2)
        inputs = keras.Input((5,), dtype="int32")
        hidden = keras.layers.Embedding(CLASSES, DIMENSIONS, dtype=policy)(inputs)
        outputs = keras.layers.Dense(CLASSES, dtype=policy)(hidden)
        model = lossreg.compile(keras.Model(inputs, outputs), "adam", loss=loss)
        history[loss] = model.fit(X, Y, batch_size=4, epochs=2, shuffle=False, verbose=0).history
    fused, full = (each["loss"] for each in history.values())
    assert fused == pytest.approx(full, rel=1e-3)


_LOAD = """
import sys
import lossreg, keras
import numpy as np
model = keras.models.load_model(sys.argv[1])
data = np.load(sys.argv[2])
print(model.evaluate(data["x"], data["y"], verbose=0))
model.fit(data["x"], data["y"], verbose=0)
"""


@pytest.mark.fresh
def test_a_fresh_process_goes_on_with_a_saved_model(tmp_path):
    loss = "linear(1, 2, epochs=3) * fused_linear_crossentropy"
    model = lossreg.compile(model_of(), "adam", loss=loss)
    model.fit(X, Y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    np.savez(tmp_path / "data.npz", x=X, y=Y)
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, tmp_path / "model.keras", tmp_path / "data.npz"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = float(done.stdout.splitlines()[-1])
    assert found == pytest.approx(model.evaluate(X, Y, verbose=0), rel=EACH_OTHER)
