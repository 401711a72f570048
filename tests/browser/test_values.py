"""The page's numbers are those of `get_loss_fn` in float64, on TensorFlow and not on JAX."""

import numpy as np
import pytest
from chromium import script

from lossreg import bind, get_loss_fn
from lossreg.explorer.scene import arrays, scene_of
from lossreg.registry import installed

# Keras rounds some constants to float32; the gradient by differences has its own error.
VALUES, CURVATURE = 1e-6, 2e-4


def test_every_loss_has_the_values_of_python(open_page):
    tf = pytest.importorskip("tensorflow")
    import keras

    assert keras.backend.backend() == "tensorflow"
    floatx = keras.config.floatx()
    keras.config.set_floatx("float64")
    try:
        samples = open_page().evaluate(script("sample.js"))
        assert len({sample["id"] for sample in samples}) > 60
        faults = [fault for sample in samples for fault in compare(tf, sample)]
    finally:
        keras.config.set_floatx(floatx)
    assert faults == [], "\n".join(faults)


def compare(tf, sample):
    """Yield what differs for one loss with some parameters."""
    entry = installed().get(sample["id"])
    scene = scene_of(entry)
    n, params = sample["n"], dict(sample["values"])
    others = [params.pop(f"output {index + 2}") for index in range(sample["others"])]
    for name in sample["lists"]:
        params[name] = [params[name], *[100] * (n - 1)]
    if sample["fromLogits"]:
        params[sample["fromLogits"]] = True
    loss = bind(sample["id"], **params)
    function = get_loss_fn(loss)

    points, width = sample["points"], 1e-5
    # Each point, and two beside it for the curvature, all in one batch.
    x = np.array([point["x"] + side for point in points for side in (0, -width, width)])
    y = np.repeat([point["y"] for point in points], 3)
    value, gradient = values_and_gradients(
        tf, lambda x, y: function(*arrays(scene, loss, x, y, n, others)), x, y
    )
    right = {
        "value": value[::3],
        "gradient": gradient[::3],
        "curvature": (gradient[2::3] - gradient[1::3]) / (2 * width),
    }
    for index, point in enumerate(points):
        for what, text in zip(right, point["results"], strict=True):
            one, two = float(text), float(right[what][index])
            limit = CURVATURE if what == "curvature" else VALUES
            room = limit * max(1e-3, abs(right["value"][index]))
            if not np.isclose(one, two, rtol=limit, atol=room, equal_nan=True):
                where = f"x={point['x']:.3g}, y={point['y']}, n={n}, {others}"
                yield f"{loss}: {what} at {where} is {one!r} on the page and {two!r} in Python"


def values_and_gradients(tf, function, x, y):
    """Return the value and the gradient at each point."""
    x, y = tf.constant(x, "float64"), tf.constant(y, "float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        values = function(x, y)
        total = tf.reduce_sum(values)
    if tf.size(values) == len(x):
        gradient = tape.gradient(total, x, unconnected_gradients="zero")
        return tf.reshape(values, [-1]).numpy(), tf.convert_to_tensor(gradient).numpy()
    # One value for the whole batch: each point is a batch of its own.
    pairs = [
        values_and_gradients(tf, function, x[at : at + 1], y[at : at + 1]) for at in range(len(x))
    ]
    return tuple(np.concatenate(each) for each in zip(*pairs, strict=True))
