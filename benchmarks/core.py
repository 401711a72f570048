"""The core against Keras: processes, imports, look-ups, their modules, and the traced graph."""

import collections
import itertools
import statistics
import sys
import tempfile
import timeit
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from . import scale
from .processes import seconds
from .ratios import table

CONFIGS = sorted(map(str, (Path(__file__).parents[1] / "examples").glob("*.yaml")))
LOSSREG = str(Path(sys.executable).with_name("lossreg"))
PYTHON = sys.executable


def starting(runs: int) -> list[list[str]]:
    """Return how long the command line and the import take."""
    slow = seconds(
        {
            "import keras": [PYTHON, "-c", "import keras"],
            "list": [LOSSREG, "list"],
            "validate": [LOSSREG, "validate", *CONFIGS],
        },
        runs,
    )
    bare = "import pluggy, importlib_metadata"
    fast = seconds({name: [PYTHON, "-c", name] for name in ("import lossreg", bare)}, 3 * runs)
    faster = slow["import keras"] / slow["list"]
    checked = slow["import keras"] / slow["validate"]
    configs = f"lossreg validate on the {len(CONFIGS)} examples"
    least = fast["import lossreg"] / fast[bare]
    return [
        ["lossreg list, times faster than import keras", f"{faster:.1f}", ">= 40", ">= 50"],
        [f"{configs}, s", f"{slow['validate']:.2f}", "<= 0.5", ""],
        [f"{configs}, times faster than import keras", f"{checked:.1f}", ">= 20", ""],
        [f"import lossreg / {bare}", f"{least:.2f}", "<= 1.4", ""],
    ]


def looking_up(runs: int) -> list[list[str]]:
    """Return how long warm look-ups take against Keras'."""
    import keras

    import lossreg

    def ratio(ours: object, theirs: object, number: int = 5000) -> float:
        times: dict[object, list[float]] = {ours: [], theirs: []}
        for _ in range(runs):
            for way, taken in times.items():
                taken.append(timeit.timeit(way, number=number))
        return statistics.median(times[ours]) / statistics.median(times[theirs])

    loss = ratio(lambda: lossreg.get_loss("mse"), lambda: keras.losses.MeanSquaredError())
    function = ratio(lambda: lossreg.get_loss_fn("mse"), lambda: keras.losses.get("mse"))
    return [
        ['get_loss("mse") / MeanSquaredError()', f"{loss:.2f}", "<= 1.3", "<= 1.1"],
        ['get_loss_fn("mse") / losses.get("mse")', f"{function:.2f}", "<= 4", "<= 2"],
    ]


def modules() -> list[list[str]]:
    """Return through how many modules of lossreg two warm calls run."""
    from click.testing import CliRunner

    import lossreg
    from lossreg.cli import main

    def count(call: Callable[[], object]) -> str:
        found = set()

        def note(frame: FrameType, event: str, _: object) -> None:
            name = frame.f_globals.get("__name__", "")
            if event == "call" and name.partition(".")[0] == "lossreg":
                found.add(name)

        call()
        sys.setprofile(note)
        try:
            call()
        finally:
            sys.setprofile(None)
        return str(len(found))

    gammas = itertools.count(2.6, 0.001)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yaml")
        config.write_text("model: [Input: {shape: [4]}]\ncompile: {loss: focal(gama=2)}\n")
        look_up = count(lambda: lossreg.get_loss("focal", gamma=next(gammas)))
        validate = count(lambda: CliRunner().invoke(main, ["validate", str(config)]))
    return [
        ['modules that an uncached get_loss("focal", gamma=2.6) runs through', look_up, "<= 7", ""],
        ["modules that validate of a model with one fault runs through", validate, "<= 12", ""],
    ]


def traced() -> list[list[str]]:
    """Return the operations of one training step beyond those with Keras' own loss."""
    import keras
    import tensorflow as tf

    import lossreg

    def operations(loss: object) -> collections.Counter[str]:
        model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4)])
        model.compile("sgd", loss)
        x, y = tf.zeros((16, 8)), tf.zeros((16, 4))
        graph = tf.function(lambda: model.train_step((x, y))).get_concrete_function().graph
        return collections.Counter(operation.type for operation in graph.get_operations())

    ours = operations(lossreg.get_loss("mse"))
    theirs = operations(keras.losses.MeanSquaredError())
    more = (ours - theirs).total() + (theirs - ours).total()
    return [["training step with mse, operations that differ", str(more), "0", "0"]]


def main() -> None:
    """Print the table; `--quick` takes fewer runs."""
    runs = 5 if "--quick" in sys.argv else 15
    rows = [
        *starting(max(5, runs // 2)),
        *scale.rows(runs),
        *looking_up(runs),
        *modules(),
        *traced(),
    ]
    print(table(["", "measured", "must", "aim"], rows))


if __name__ == "__main__":
    main()
