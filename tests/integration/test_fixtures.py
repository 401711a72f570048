"""What an earlier version saved loads forever: the files that tests/fixtures/write.py wrote."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from tolerances import BY_DTYPE, FLOAT32

pytestmark = pytest.mark.fresh

FIXTURES = Path(__file__).parents[1] / "fixtures"


def everything():
    """Return the version, kind and case of all that the folders hold; no file is left out."""
    found = []
    for folder in sorted(FIXTURES.glob("v*")):
        for file in sorted(folder.rglob("*.*")):
            if file.suffix != ".json":
                found.append((folder.name, file.parent.name, file.stem))
            elif file.stem != "expected":
                cases = json.loads(file.read_text())
                found += [(folder.name, file.stem, case) for case in cases]
    return found


SAVED = everything()

LOAD = """
    import lossreg
    import json, pathlib, pickle, sys
    import keras
    import numpy as np

    MODELS, PICKLES = ("keras", "h5"), ("loss", "bound")

    def by_output(value):
        return value if isinstance(value, dict) else {"output": value}

    def read(version, kind, case):
        if kind in PICKLES:
            return pickle.loads(pathlib.Path(version, kind, f"{case}.pickle").read_bytes())
        return json.loads(pathlib.Path(version, f"{kind}.json").read_text())[case]

    def losses_of(kind, saved, options):
        if kind == "loss":
            return by_output(saved)
        if kind in ("config", "canonical"):
            return by_output(lossreg.get_loss(saved))
        if kind == "serialized":
            each = {"output": saved} if "class_name" in saved else saved
            losses = {key: keras.losses.deserialize(one) for key, one in each.items()}
            # A config may hold what Keras wrote.
            config = saved if "class_name" in saved else {"outputs": saved}
            assert by_output(lossreg.get_loss(config)) == losses
            return losses
        # A bound loss has no options of Keras, so they are those of the other kinds.
        bound = {"bound": lambda: saved, "bound_config": lambda: lossreg.bind(saved)}[kind]()
        return {
            key: lossreg.get_loss(one, **options[key]) for key, one in by_output(bound).items()
        }

    def describe(loss, y_true, y_pred):
        config = lossreg.to_config(loss)
        return {
            "value": float(loss(y_true, y_pred)),
            "means": {key: config[key] for key in config if key != "options"},
            "options": {key: getattr(loss, key) for key in ("name", "reduction", "dtype")},
        }

    def load(version, kind, case):
        expected = json.loads(pathlib.Path(version, "expected.json").read_text())[case]
        given, total = expected["outputs"], {}
        y_true = {key: np.asarray(each["y_true"]) for key, each in given.items()}
        y_pred = {key: np.asarray(each["y_pred"]) for key, each in given.items()}
        if kind in MODELS:
            model = keras.models.load_model(f"{version}/{kind}/{case}.{kind}")
            x = np.asarray(expected["x"], "float32")
            predicted = model(x)
            labels = y_true if isinstance(predicted, dict) else y_true["output"]
            total["total"] = float(model.compute_loss(x, labels, predicted))
            losses, y_pred = by_output(model.loss), by_output(predicted)
        else:
            options = {key: each["options"] for key, each in given.items()}
            losses = losses_of(kind, read(version, kind, case), options)
        assert set(losses) == set(given), losses
        outputs = {key: describe(loss, y_true[key], y_pred[key]) for key, loss in losses.items()}
        return {**total, "outputs": outputs}

    results = []
    for file in json.loads(sys.argv[1]):
        try:
            results.append(load(*file))
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
    print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def loaded():
    """What one process says of each file, having imported nothing of ours but lossreg."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(LOAD), json.dumps(SAVED)],
        cwd=FIXTURES,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return dict(zip(SAVED, json.loads(done.stdout.splitlines()[-1]), strict=True))


def terms_of(means):
    return means.get("sum", [means])


@pytest.mark.parametrize(("version", "kind", "case"), SAVED)
def test_a_saved_loss_loads_with_its_value_and_every_parameter(version, kind, case, loaded):
    result = loaded[version, kind, case]
    assert "error" not in result
    expected = json.loads((FIXTURES / version / "expected.json").read_text())[case]
    for output, saved in expected["outputs"].items():
        loss = result["outputs"][output]
        assert loss["options"] == saved["options"]
        for now, then in zip(terms_of(loss["means"]), terms_of(saved["means"]), strict=True):
            # A later version may add a parameter, whose default keeps the value.
            assert now == {**then, "params": {**now["params"], **then["params"]}}
        # Parameters such as 0.3 aren't exact in float32; float64 shows that none was rounded.
        accuracy = BY_DTYPE[saved["options"]["dtype"]]
        assert loss["value"] == pytest.approx(saved["value"], rel=accuracy, abs=0)
    if "total" in result:
        # Keras adds up in float32.
        assert result["total"] == pytest.approx(expected["total"], rel=FLOAT32, abs=0)
