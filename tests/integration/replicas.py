"""Evaluate and train on one device and on two replicas; print how far they are apart.

A program of its own: TensorFlow takes a number of logical devices only before its first use.
"""

import json

import keras
import numpy as np
import tensorflow as tf

import lossreg

LOSSES = (
    "bce(from_logits=True)",
    "dice",
    "0.5 * tversky(alpha=0.3, beta=0.7) + 2 * dice + mse",
    {"name": "dice", "options": {"reduction": "sum"}},
    {"name": "mse", "options": {"reduction": "sum"}},
    {"name": "whole_batch"},
    "ghm_c(momentum=0.5, from_logits=True) + mae",
    "uncertainty(mse, mae)",
    "equalization_v2(from_logits=True)",
    "linear(0, 1, steps=4) * mse + mae",
)


@lossreg.register
def whole_batch(y_true, y_pred):
    return keras.ops.max(keras.ops.abs(y_true - y_pred))


def learn(loss, x, y):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, kernel_initializer="ones")])
    model = lossreg.compile(model, keras.optimizers.SGD(0.1), loss=loss)
    before = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)["loss"]
    model.fit(x, y, batch_size=8, epochs=2, shuffle=False, verbose=0)
    # What a loss remembers is among the weights.
    return np.concatenate([[before], *(np.ravel(w) for w in model.get_weights())])


def main():
    half = tf.config.LogicalDeviceConfiguration()
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [half, half])
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    rng = np.random.default_rng(3)
    # Both replicas see the same samples: a loss of the whole batch has one value then, too.
    x, y = rng.uniform(size=(4, 2)), rng.integers(2, size=(4, 3))
    x, y = np.tile(x, (2, 1)).astype("float32"), np.tile(y, (2, 1)).astype("float32")
    differences = {}
    for loss in LOSSES:
        alone = learn(loss, x, y)
        with strategy.scope():
            together = learn(loss, x, y)
        # What Keras reports of a sum over the batch is the mean of the replicas' sums.
        skipped = int(isinstance(loss, dict) and loss["name"] == "mse")
        differences[json.dumps(loss)] = float(np.abs(together - alone)[skipped:].max())
    print(json.dumps({"replicas": strategy.num_replicas_in_sync, "differences": differences}))


if __name__ == "__main__":
    main()
