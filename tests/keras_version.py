"""In what the oldest Keras that lossreg supports differs from the newest, for tests to say."""

import keras

IS_KERAS_3_12 = keras.__version__.startswith("3.12.")
