"""Train on one device and on two replicas of half the batch; print how far the weights differ.

A program of its own: TensorFlow takes a number of logical devices only before its first use.
"""

import json

import keras
import numpy as np
import tensorflow as tf

import lossreg


def weights_after_fit(name, x, y_true):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    loss = lossreg.get_loss(name, from_logits=True)
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss=loss)
    model.fit(x, y_true, batch_size=32, epochs=2, shuffle=False, verbose=0)
    return np.asarray(model.get_weights()[0])


def main():
    half = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0], [half, half]
    )
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    x = np.random.default_rng(3).normal(size=(64, 4)).astype("float32")
    classes = (x[:, 0] > 0).astype("int32") + (x[:, 1] > 0)
    differences = {}
    for name in ("focal", "categorical_focal", "sparse_focal"):
        y_true = classes if name == "sparse_focal" else np.eye(3, dtype="float32")[classes]
        alone = weights_after_fit(name, x, y_true)
        with strategy.scope():
            together = weights_after_fit(name, x, y_true)
        differences[name] = float(np.abs(together - alone).max())
    print(json.dumps({"replicas": strategy.num_replicas_in_sync, "differences": differences}))


if __name__ == "__main__":
    main()
