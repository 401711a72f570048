"""Try losses of packages that know nothing of lossreg, for the table of docs/other-packages.md.

python scripts/foreign_packages.py [PACKAGE ...]

Each package is installed from the index into a folder of its own, without what it depends on, since
Keras and TensorFlow are those of this environment. Its losses are used as they are, by Keras alone
and by lossreg: a value, a short training, a saved model that a fresh process loads.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

UV = Path(__file__).parents[1] / ".tools" / "bin" / "uv"

# What each package offers: a loss by module and name, its arguments, and the samples it takes.
PACKAGES = {
    "keras-rs": [
        ("keras_rs.losses:PairwiseHingeLoss", {}, "lists"),
        ("keras_rs.losses:ListMLELoss", {}, "lists"),
    ],
    "keras-cv": [
        ("keras_cv.losses:FocalLoss", {"alpha": 0.4}, "binary"),
        ("keras_cv.losses:SmoothL1Loss", {"l1_cutoff": 0.5}, "real"),
    ],
    "medicai": [
        ("medicai.losses:BinaryDiceLoss", {"from_logits": False, "num_classes": 1}, "masks"),
        ("medicai.losses:BinaryTverskyLoss", {"from_logits": False, "num_classes": 1}, "masks"),
    ],
    "tf-extra": [
        ("tf_extra.losses:FocalLoss", {"gamma": 1.5}, "binary"),
        ("tf_extra.losses:TverskyLoss", {"alpha": 0.7}, "masks"),
    ],
    "focal-loss": [
        ("focal_loss:BinaryFocalLoss", {"gamma": 3, "pos_weight": 2.0}, "binary"),
        ("focal_loss:SparseCategoricalFocalLoss", {"gamma": 2}, "classes"),
        ("focal_loss:binary_focal_loss", {"gamma": 1.5}, "binary"),
    ],
    "segmentation-models-3D": [
        ("segmentation_models_3D.losses:DiceLoss", {"beta": 2}, "masks"),
        ("segmentation_models_3D.losses:BinaryFocalLoss", {}, "masks"),
    ],
    "coral-ordinal": [("coral_ordinal:OrdinalCrossEntropy", {"num_classes": 4}, "ordered")],
    "keras-unet-collection": [
        ("keras_unet_collection.losses:dice", {}, "masks"),
        ("keras_unet_collection.losses:focal_tversky", {"alpha": 0.6}, "masks"),
    ],
}
# What some of them need beside Keras and TensorFlow.
NEEDS = {
    "keras-cv": [
        *("keras-core", "namex", "dm-tree", "kagglehub", "regex", "tensorflow-datasets", "etils"),
        *("importlib_resources", "fsspec", "zipp", "dill", "promise", "toml", "termcolor"),
        *("tensorflow-metadata", "pyarrow", "psutil", "simple-parsing", "immutabledict"),
        *("docstring-parser", "googleapis-common-protos", "attrs", "wrapt", "tqdm"),
    ],
    "segmentation-models-3D": ["classification-models-3D"],
}

TRY = """
import functools, importlib, json, sys
import keras
import numpy as np
import lossreg

target, arguments, kind, file, again = json.loads(sys.argv[1])
module, _, name = target.partition(":")
theirs = getattr(importlib.import_module(module), name)
rng = np.random.default_rng(1)
x = rng.normal(size=(32, 6)).astype("float32")
labels = {
    "binary": rng.integers(0, 2, (32, 1)),
    "real": rng.normal(size=(32, 3)),
    "lists": rng.integers(0, 3, (32, 5)),
    "classes": rng.integers(0, 4, 32),
    "ordered": rng.integers(0, 4, (32, 1)),
    "masks": rng.integers(0, 2, (32, 8, 8, 1)),
}[kind].astype("int32" if kind == "classes" else "float32")
outputs = {"binary": 1, "real": 3, "lists": 5, "classes": 4, "ordered": 3, "masks": 64}[kind]
last = {"classes": "softmax", "binary": "sigmoid", "masks": "sigmoid"}.get(kind)


def ours():
    lossreg.register(theirs, name="theirs")
    return lossreg.get_loss("theirs", **arguments)


def native():
    made = theirs if isinstance(theirs, type) else functools.partial(functools.partial, theirs)
    return made(**arguments)


def trained(loss):
    keras.utils.set_random_seed(1)
    layers = [keras.Input((6,)), keras.layers.Dense(outputs, activation=last)]
    layers += [keras.layers.Reshape((8, 8, 1))] if kind == "masks" else []
    model = keras.Sequential(layers)
    model.compile("sgd", loss=loss)
    history = model.fit(x, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return model, history.history["loss"]


def measured(find):
    try:
        return find()
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0][:200]


if again:
    ours()
    value = measured(lambda: keras.models.load_model(file).evaluate(x, labels, verbose=0))
    print(json.dumps([value]))
else:
    found = [measured(lambda: trained(native())[1]), measured(lambda: trained(ours())[1])]

    def saved():
        model, _ = trained(ours())
        model.save(file)
        return model.evaluate(x, labels, verbose=0)

    print(json.dumps([*found, measured(saved)]))
"""


def tried(folder: Path, target: str, arguments: dict[str, object], kind: str) -> list[object]:
    """Return the losses of training by Keras and by lossreg, and values before and after saving."""
    path = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "3"}
    found: list[object] = []
    for again in (False, True):
        case = json.dumps([target, arguments, kind, str(folder / "model.keras"), again])
        done = subprocess.run(  # noqa: S603 - as this file has it
            [sys.executable, "-W", "ignore", "-c", TRY, case],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        lines = done.stdout.strip().splitlines()
        if done.returncode:
            return [done.stderr.strip().splitlines()[-1]] * 4
        found += json.loads(lines[-1])
    return found


def verdict(native: object, ours: object) -> str:
    """Say whether two results are the same number, or what stands in the way."""
    if isinstance(native, str) or isinstance(ours, str):
        return "fails in Keras too" if isinstance(native, str) else f"fails: {ours}"
    pairs = zip(
        native if isinstance(native, list) else [native],
        ours if isinstance(ours, list) else [ours],
        strict=True,
    )
    return "equal" if all(abs(a - b) <= 1e-5 * abs(a) for a, b in pairs) else f"{native} and {ours}"


def main() -> None:
    """Print the table."""
    print("| package | version | loss | trained, beside Keras alone | saved, in a fresh process |")
    print("|---|---|---|---|---|")
    for package in sys.argv[1:] or PACKAGES:
        losses = PACKAGES[package]
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            command = [UV, "pip", "install", "-q", "--python", sys.executable, "--no-deps"]
            names = [package, *NEEDS.get(package, [])]
            subprocess.run([*command, "--target", folder, *names], check=True)  # noqa: S603
            own = package.replace("-", "_")
            (metadata,) = folder.glob(f"{own}-*.dist-info")
            version = metadata.name.removesuffix(".dist-info").rpartition("-")[2]
            for target, arguments, kind in losses:
                native, ours, before, after = tried(folder, target, arguments, kind)
                loss = target.partition(":")[2]
                same, kept = verdict(native, ours), verdict(before, after)
                print(f"| {package} | {version} | `{loss}` | {same} | {kept} |", flush=True)
                if "fails" in same:
                    print(f"{target}: {native}", file=sys.stderr)


if __name__ == "__main__":
    main()
