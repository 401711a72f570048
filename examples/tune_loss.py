"""Let KerasTuner choose a loss and its parameters, for the question whether a digit is an 8.

    python examples/tune_loss.py --trials 12

It needs KerasTuner (pip install keras-tuner) and scikit-learn, which has the digits.
"""

import argparse
import os
import tempfile
from collections.abc import Mapping

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import keras_tuner
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import lossreg

Ranges = Mapping[str, tuple[float, float]]

# Each loss, and for each of its parameters the range to search.
LOSSES: dict[str, Ranges] = {
    "binary_crossentropy": {"label_smoothing": (0.0, 0.2)},
    "focal": {"gamma": (0.0, 5.0), "alpha": (0.25, 0.9)},
}
SCORE = keras_tuner.Objective("val_average_precision", direction="max")


def check(losses: Mapping[str, Ranges]) -> None:
    """Raise for a loss, a parameter or an end of a range that isn't allowed.

    What a parameter allows is an interval, so that its ends speak for all between them.
    """
    for name, ranges in losses.items():
        for end in (0, 1):
            lossreg.bind(name, **{parameter: both[end] for parameter, both in ranges.items()})


def network(losses: Mapping[str, Ranges], hp: keras_tuner.HyperParameters) -> keras.Model:
    """Return the network with a loss that the tuner chose."""
    name = hp.Choice("loss", list(losses))
    with hp.conditional_scope("loss", [name]):
        params = {
            parameter: hp.Float(f"{name}.{parameter}", low, high)
            for parameter, (low, high) in losses[name].items()
        }
    model = keras.Sequential(
        [keras.Input((64,)), keras.layers.Dense(32, activation="relu"), keras.layers.Dense(1)]
    )
    score = keras.metrics.AUC(curve="PR", from_logits=True, name="average_precision")
    loss = lossreg.get_loss(name, from_logits=True, **params)
    model.compile(keras.optimizers.Adam(0.003), loss, metrics=[score])
    return model


def search(losses: Mapping[str, Ranges], trials: int, epochs: int) -> str:
    """Return the loss with the best average precision on images held out, for a config."""
    check(losses)
    images, numbers = load_digits(return_X_y=True)
    x, x_held_out, y, y_held_out = train_test_split(
        images.astype("float32") / 16,
        (numbers == 8).astype("float32")[:, None],
        test_size=0.3,
        stratify=numbers == 8,
        random_state=0,
    )
    with tempfile.TemporaryDirectory() as folder:
        tuner = keras_tuner.RandomSearch(
            lambda hp: network(losses, hp), SCORE, max_trials=trials, seed=0, directory=folder
        )
        tuner.search(x, y, epochs=epochs, validation_data=(x_held_out, y_held_out), verbose=0)
        tuner.results_summary(num_trials=3)
        best = tuner.get_best_hyperparameters()[0]
    name = best.get("loss")
    params = [f"{each}={best.get(f'{name}.{each}'):.3g}" for each in losses[name]]
    return f"{name}({', '.join(params)})"


def main() -> None:
    """Search, and print the best."""
    parser = argparse.ArgumentParser(description="Choose a loss with KerasTuner.")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--epochs", type=int, default=10)
    args = parser.parse_args()
    print("loss:", search(LOSSES, args.trials, args.epochs))


if __name__ == "__main__":
    main()
