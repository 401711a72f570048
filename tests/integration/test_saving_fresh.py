"""What only a process of its own can show: saving here, loading there, import order."""

import json
import multiprocessing
import os
import pickle
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path

import keras
import pytest
from tolerances import EACH_OTHER, TRAINED

import lossreg

pytestmark = pytest.mark.fresh

# The modules that may be the first to import Keras.
MODULES = sorted(Path(lossreg.__path__[0], "keras_loss").glob("[!_]*.py"))

# What each process that has a model needs.
MODELS = """
    import json, sys
    import numpy as np

    def data():
        rng = np.random.default_rng(5)
        x = rng.normal(size=(48, 4)).astype("float32")
        return x, (x[:, :1] > 0.3).astype("float32"), (x[:, 1] > 0).astype("int32")[:, None]

    def labels_for(name):
        x, binary, classes = data()
        if name == "both":
            return [binary, classes]
        return classes if name.startswith("sparse") else binary

    def go_on(model, name):
        x, _, _ = data()
        options = {"epochs": 3, "batch_size": 16, "shuffle": False, "verbose": 0}
        return model.fit(x, labels_for(name), **options).history["loss"]

"""

SAVE = """
    import keras, lossreg

    def model(outputs=1):
        keras.utils.set_random_seed(3)
        inputs = keras.Input((4,))
        hidden = keras.layers.Dense(6, activation="tanh")(inputs)
        sizes = [1, 2] if outputs == "both" else [outputs]
        heads = [keras.layers.Dense(size)(hidden) for size in sizes]
        return keras.Model(inputs, heads if outputs == "both" else heads[0])

    @lossreg.register
    def local_error(y_true, y_pred, *, factor: float = 1.0):
        return factor * keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    losses = {
        "huber": lossreg.get_loss("huber", delta=0.3, dtype="float64", name="mine"),
        "bce": lossreg.get_loss("bce", from_logits=True, label_smoothing=0.1, reduction="sum"),
        "tversky": lossreg.get_loss("tversky", alpha=0.3, beta=0.7, axis=-1),
        "focal": lossreg.get_loss("focal", gamma=3, alpha=None, from_logits=True),
        "sparse_focal": lossreg.get_loss(
            "sparse_focal", gamma=1.5, alpha=[1, 3], from_logits=True, ignore_class=7
        ),
        "acme": lossreg.get_loss("quartic", factor=2.5),
        "acme_class": lossreg.get_loss("acme-losses/cubic", factor=2.5, dtype="float64"),
        "local": lossreg.get_loss("local_error", factor=2.5),
        "both": [
            lossreg.get_loss("focal", gamma=3, from_logits=True),
            lossreg.get_loss("sparse_focal", gamma=3, from_logits=True),
        ],
    }
    printed = {}
    for name, loss in losses.items():
        outputs = 2 if name.startswith("sparse") else "both" if name == "both" else 1
        made = model(outputs)
        made.compile(keras.optimizers.SGD(0.05, momentum=0.5), loss=loss)
        go_on(made, name)
        made.save(f"{name}.keras")
        x, _, _ = data()
        printed[name] = {
            "evaluated": made.evaluate(x, labels_for(name), verbose=0, return_dict=True)["loss"],
            "configs": [one.get_config() for one in (loss if name == "both" else [loss])],
            "trained": go_on(made, name),
        }
    print(json.dumps(printed))
"""

LOAD = """
    printed = {}
    for name in sys.argv[1:]:
        try:
            made = keras.models.load_model(f"{name}.keras")
        except Exception as error:
            bare = keras.models.load_model(f"{name}.keras", compile=False)
            printed[name] = {
                "error": [type(error).__name__, str(error)],
                "predicted": bare.predict(data()[0], verbose=0).shape,
            }
            continue
        x, _, _ = data()
        losses = made.loss if name == "both" else [made.loss]
        printed[name] = {
            "evaluated": made.evaluate(x, labels_for(name), verbose=0, return_dict=True)["loss"],
            "configs": [one.get_config() for one in losses],
            "trained": go_on(made, name),
        }
    print(json.dumps(printed))
"""

ACME_PLUGIN = """
from lossreg import LossSpec, hookimpl

COMMON = {"summary": "A test.", "task": ("regression",), "y_true": "real", "y_pred": "real"}

@hookimpl
def lossreg_losses():
    return [
        LossSpec(name="quartic", target="acme_losses.losses:quartic", **COMMON),
        LossSpec(name="cubic", target="acme_losses.losses:Cubic", **COMMON),
    ]
"""
ACME_LOSSES = '''
import keras

def quartic(y_true, y_pred, *, factor: float = 1.0):
    """Fourth power."""
    return factor * keras.ops.mean((y_true - y_pred) ** 4, axis=-1)

class Cubic(keras.losses.Loss):
    """Third power, as a class."""

    def __init__(self, factor=1.0, name="cubic", **options):
        super().__init__(name=name, **options)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)
'''


def run(source, *arguments, cwd, path=(), **environment):
    """Return what a new Python process prints: its last line, read as JSON."""
    folders = os.pathsep.join(map(str, path))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source), *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": folders, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def parts(*sources):
    return "\n".join(textwrap.dedent(source) for source in sources)


@pytest.fixture(scope="module")
def acme(tmp_path_factory):
    """The folder of an installed third-party package, to be put on the path or left out."""
    site = tmp_path_factory.mktemp("acme-site")
    (site / "acme_losses").mkdir()
    (site / "acme_losses" / "__init__.py").write_text("")
    (site / "acme_losses" / "plugin.py").write_text(ACME_PLUGIN)
    (site / "acme_losses" / "losses.py").write_text(ACME_LOSSES)
    info = site / "acme_losses-1.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-losses\nVersion: 1.2.0\n")
    (info / "entry_points.txt").write_text("[lossreg]\nacme = acme_losses.plugin\n")
    return site


@pytest.fixture(scope="module")
def saved(tmp_path_factory, acme):
    """A folder of models that another process trained and saved, and what it says of them."""
    folder = tmp_path_factory.mktemp("models")
    return folder, run(parts(MODELS, SAVE), cwd=folder, path=[acme])


HERE = ["huber", "bce", "tversky", "focal", "sparse_focal", "both"]


@pytest.fixture(scope="module")
def loaded(saved, acme):
    """What processes with other imports say of the same models."""
    folder, _ = saved
    return {
        # With the plugin, ours before Keras.
        "lossreg first": run(
            parts("import lossreg; import keras", MODELS, LOAD),
            *HERE,
            "acme",
            "acme_class",
            cwd=folder,
            path=[acme],
        ),
        # Without the plugin, ours after Keras.
        "keras first": run(
            parts("import keras; import lossreg", MODELS, LOAD),
            *HERE,
            "acme",
            "local",
            cwd=folder,
        ),
        # Other programs look whether there is a Keras, and TensorFlow has one of its own name.
        "tensorflow": run(
            parts(
                """
                import lossreg, importlib.util
                assert importlib.util.find_spec("keras") is not None
                import tensorflow
                keras = tensorflow.keras
                """,
                MODELS,
                LOAD,
            ),
            "focal",
            cwd=folder,
        ),
    }


@pytest.mark.parametrize("imports", ["lossreg first", "keras first"])
@pytest.mark.parametrize("name", HERE)
def test_a_saved_model_goes_on_training_in_a_fresh_process(name, imports, saved, loaded):
    before, after = saved[1][name], loaded[imports][name]
    assert after["configs"] == before["configs"]
    assert after["evaluated"] == pytest.approx(before["evaluated"], rel=EACH_OTHER)
    # As in the process that saved it, had that gone on.
    assert after["trained"] == pytest.approx(before["trained"], rel=TRAINED)
    assert after["trained"][-1] < after["trained"][0]


def test_every_parameter_and_option_of_a_saved_loss_is_back(loaded):
    printed = loaded["lossreg first"]
    (huber,) = printed["huber"]["configs"]
    assert huber["params"] == {"delta": 0.3}
    assert (huber["dtype"], huber["name"]) == ("float64", "mine")
    (bce,) = printed["bce"]["configs"]
    assert bce["params"] == {"from_logits": True, "label_smoothing": 0.1, "axis": -1}
    assert bce["reduction"] == "sum"
    (focal,) = printed["sparse_focal"]["configs"]
    assert focal["loss"] == "lossreg-focal/sparse_focal"
    assert focal["params"] == {
        "gamma": 1.5,
        "alpha": [1.0, 3.0],
        "from_logits": True,
        "ignore_class": 7,
        "axis": -1,
    }


def test_a_model_loads_where_keras_comes_by_way_of_tensorflow(saved, loaded):
    before, after = saved[1]["focal"], loaded["tensorflow"]["focal"]
    assert after["configs"] == before["configs"]
    assert after["trained"] == pytest.approx(before["trained"], rel=TRAINED)


@pytest.mark.parametrize("name", ["acme", "acme_class"])
def test_a_loss_of_a_third_party_loads_where_it_is_installed(name, saved, loaded):
    before, after = saved[1][name], loaded["lossreg first"][name]
    assert after["configs"] == before["configs"]
    assert before["configs"][0]["params"] == {"factor": 2.5}
    assert after["evaluated"] == pytest.approx(before["evaluated"], rel=EACH_OTHER)
    assert after["trained"] == pytest.approx(before["trained"], rel=TRAINED)


def test_a_model_whose_plugin_is_missing_says_which_package_to_install(loaded):
    kind, text = loaded["keras first"]["acme"]["error"]
    assert kind == "NotInstalledError"
    assert "pip install acme-losses" in text
    assert "acme-losses 1.2.0" in text
    assert "load_model(..., compile=False)" in text


def test_a_model_with_a_registered_loss_says_to_register_it_first(loaded):
    kind, text = loaded["keras first"]["local"]["error"]
    assert kind == "NotRegisteredError"
    assert "lossreg.register(..., name='local_error')" in text
    assert "load_model(..., compile=False)" in text


@pytest.mark.parametrize("name", ["acme", "local"])
def test_a_model_loads_uncompiled_without_its_loss(name, loaded):
    assert loaded["keras first"][name]["predicted"] == [48, 1]


# Files that someone else wrote


def rewritten(source, target, change):
    """Write a copy of a saved model with a changed config of its loss."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                config = json.loads(content)
                config["compile_config"]["loss"] = change(config["compile_config"]["loss"])
                content = json.dumps(config)
            new.writestr(name, content)


@pytest.mark.parametrize(
    ("change", "printed"),
    [
        ({"loss": "os.system"}, "can't be named"),
        ({"loss": "../x"}, "can't be named"),
        ({"loss": "x" * 10_000}, "has 10000 characters"),
        ({"loss": None}, "isn't the config of a registered loss"),
        ({"loss": "evil-package/x"}, "know and trust that package: pip install evil-package"),
        ({"params": {"delta": "2"}}, "'delta' must be a number > 0, got '2'"),
        ({"params": {"command": "touch pwned"}}, "no parameter 'command'"),
        ({"command": "touch pwned"}, "The key 'command' isn't one of loss"),
        (
            {"dtype": {"module": "os", "class_name": "system", "config": "touch pwned"}},
            "'dtype' must be 'float32', .* or None",
        ),
    ],
)
def test_a_file_with_a_strange_loss_is_refused_with_our_message(
    saved, tmp_path, monkeypatch, change, printed
):
    monkeypatch.chdir(tmp_path)

    def strange(loss):
        return {**loss, "config": {**loss["config"], **change}}

    rewritten(saved[0] / "huber.keras", tmp_path / "m.keras", strange)
    with pytest.raises(lossreg.LossregError, match=printed):
        keras.models.load_model(tmp_path / "m.keras")
    assert not (tmp_path / "pwned").exists()
    keras.models.load_model(tmp_path / "m.keras", compile=False)


def test_a_file_whose_parameter_is_refused_says_how_to_load_it(saved, tmp_path):
    def too_small(loss):
        return {**loss, "config": {**loss["config"], "params": {"delta": -1}}}

    rewritten(saved[0] / "huber.keras", tmp_path / "m.keras", too_small)
    with pytest.raises(lossreg.ConfigError, match=r"> 0, got -1 \(int\).*compile=False"):
        keras.models.load_model(tmp_path / "m.keras")


def test_a_file_that_names_code_in_place_of_a_loss_runs_none(saved, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = {"module": "os", "class_name": "system", "config": {"command": "touch pwned"}}
    rewritten(saved[0] / "huber.keras", tmp_path / "m.keras", lambda _: code)
    # Here it is Keras that refuses; having imported lossreg makes no difference to it.
    with pytest.raises((TypeError, ValueError)):
        keras.models.load_model(tmp_path / "m.keras")
    with pytest.raises(lossreg.ConfigError, match="A config can't name code: module 'os'"):
        lossreg.get_loss(code)
    assert not (tmp_path / "pwned").exists()


# Pickles, as loaders of data and searches of parameters send them


def test_a_loss_unpickles_in_a_worker_that_never_imported_lossreg():
    losses = [
        lossreg.get_loss("huber", delta=0.3, dtype="float16", reduction="sum", name="mine"),
        lossreg.get_loss("sparse_focal", gamma=1.5, alpha=[1, 3], ignore_class=7),
        lossreg.get_loss("mse + 0.5 * huber(delta=0.3)", dtype="float16"),
    ]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        # A pool waits forever for a task that its worker can't unpickle.
        assert pool.map_async(repr, losses).get(timeout=120) == list(map(repr, losses))
        # There and back.
        assert pool.map_async(lossreg.get_loss, losses).get(timeout=120) == losses


# Imports


def test_importing_and_listing_imports_no_framework(tmp_path):
    printed = run(
        """
        import json, sys
        import lossreg
        light = [n for n in ("keras", "tensorflow", "pydantic", "numpy") if n in sys.modules]
        lossreg.list_losses()
        light += [n for n in ("keras", "tensorflow", "pydantic", "numpy") if n in sys.modules]
        bound = lossreg.bind("focal", gamma=3)
        light += [n for n in ("keras", "tensorflow") if n in sys.modules]
        print(json.dumps([light, str(bound)]))
        """,
        cwd=tmp_path,
    )
    assert printed[0] == []
    assert printed[1].startswith("focal(gamma=3.0, ")


FAKE_KERAS = """
import sys
if not hasattr(sys, "keras_works"):
    raise ImportError("half installed")
class _Any:
    def __getattr__(self, name): return _Any()
    def __call__(self, *args, **options): return lambda given: given
    def __mro_entries__(self, bases): return ()
class _Saving(_Any):
    def get_custom_objects(self): return {}
losses = ops = _Any()
saving = _Saving()
"""


@pytest.fixture
def fake_keras(tmp_path):
    """A folder with a Keras that fails to import until `sys.keras_works` is there."""
    (tmp_path / "site" / "keras").mkdir(parents=True)
    (tmp_path / "site" / "keras" / "__init__.py").write_text(FAKE_KERAS)
    return tmp_path / "site"


@pytest.mark.parametrize(
    "before",
    [
        pytest.param("", id="nothing"),
        pytest.param("assert importlib.util.find_spec('keras')", id="a look whether it is there"),
        pytest.param(
            "assert importlib.util.find_spec('keras'); assert importlib.util.find_spec('keras')",
            id="two looks",
        ),
        pytest.param("failed()", id="an import that fails"),
        pytest.param("failed(); failed()", id="two imports that fail"),
        pytest.param("failed(); importlib.util.find_spec('keras')", id="a failure and a look"),
        pytest.param("importlib.reload(lossreg.lazy)", id="a reload of the module"),
        pytest.param(
            "importlib.reload(lossreg.lazy).import_after_keras('lossreg.keras_loss')",
            id="two finders",
        ),
    ],
)
def test_the_class_is_registered_once_keras_is_imported(before, fake_keras, tmp_path):
    printed = run(
        f"""
        import importlib, importlib.util, json, sys
        import lossreg
        def failed():
            try:
                import keras
            except ImportError:
                return
            raise AssertionError
        {before}
        assert "lossreg.keras_loss" not in sys.modules
        sys.keras_works = True
        import keras
        ours = [f for f in sys.meta_path if type(f).__module__.startswith("lossreg")]
        print(json.dumps(["lossreg.keras_loss" in sys.modules, len(ours)]))
        """,
        cwd=tmp_path,
        path=[fake_keras],
    )
    assert printed[0]


def test_a_failing_import_of_keras_says_what_it_says_without_us(fake_keras, tmp_path):
    printed = run(
        """
        import json
        import lossreg
        try:
            lossreg.get_loss("mse")
        except ImportError as error:
            print(json.dumps(str(error)))
        """,
        cwd=tmp_path,
        path=[fake_keras],
    )
    assert printed == "half installed"


def test_threads_that_import_keras_and_build_losses_at_once_all_succeed(tmp_path):
    printed = run(
        """
        import json, pickle, sys, threading
        import lossreg
        failures, barrier = [], threading.Barrier(6)

        def importing():
            barrier.wait()
            import keras
            keras.losses.Huber()

        def building():
            barrier.wait()
            lossreg.get_loss("huber", delta=3)

        def unpickling():
            barrier.wait()
            pickle.loads(bytes.fromhex(sys.argv[1]))

        def guarded(task):
            try:
                task()
            except BaseException as error:
                failures.append(repr(error))

        tasks = [importing, building, unpickling] * 2
        threads = [threading.Thread(target=guarded, args=(task,)) for task in tasks]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        print(json.dumps(failures))
        """,
        pickle.dumps(lossreg.get_loss("huber", delta=3)).hex(),
        cwd=tmp_path,
    )
    assert printed == []


@pytest.fixture(scope="module")
def one_of_each():
    """One saved object of each class of ours, as JSON."""
    x = keras.Input((2,))
    model = lossreg.keras_loss.RememberingModel(x, keras.layers.Dense(1)(x))
    objects = [
        lossreg.get_loss("huber", delta=3),
        lossreg.get_loss("mse + mae"),
        lossreg.get_loss_fn("huber", delta=3),
        model,
    ]
    return json.dumps([keras.saving.serialize_keras_object(each) for each in objects])


@pytest.mark.parametrize(
    "first",
    [
        "import lossreg.lazy",
        "import lossreg.keras_sum",
        "import lossreg; lossreg.get_loss('huber')",
        "import lossreg; lossreg.get_loss_fn('huber')",
        "import lossreg; lossreg.compile",
        *(f"import lossreg.keras_loss.{path.stem}" for path in MODULES),
    ],
)
def test_whatever_of_ours_comes_before_keras_every_class_is_loaded(first, one_of_each, tmp_path):
    printed = run(
        f"""
        {first}
        import json, sys
        import keras

        loaded = map(keras.saving.deserialize_keras_object, json.loads(sys.argv[1]))
        print(json.dumps([type(each).__name__ for each in loaded]))
        """,
        one_of_each,
        cwd=tmp_path,
        KERAS_BACKEND="numpy",  # imported in a third of the time
    )
    assert printed == ["RegisteredLoss", "RegisteredSum", "RegisteredFunction", "RememberingModel"]
