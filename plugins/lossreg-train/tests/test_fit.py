"""Training from a config: what a run writes, how it is repeated, and what is caught before."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from tolerances import EACH_OTHER, FLOAT32, TRAINED

pytest.importorskip("lossreg_focal")

from lossreg import ConfigError, LossregError
from lossreg.cli import main
from lossreg.config import read_experiment
from lossreg_train import curves
from lossreg_train.fit import fit
from lossreg_train.trial import prepare, read_data

pytestmark = pytest.mark.slow

EXAMPLES = Path(__file__).parents[3] / "examples"
NAMES = ("digits", "is-8", "wine")

PLAIN = {
    "model": [{"Input": {"shape": [2]}}, {"Dense": {"units": 1}}],
    "compile": {"optimizer": "sgd", "loss": "mse", "metrics": ["mae"]},
    "fit": {"epochs": 2, "batch_size": 8},
}


@pytest.fixture(autouse=True)
def in_a_terminal():
    """A process that a shell starts in the background, as CI may be, ignores some signals."""
    defaults = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    before = {number: signal.signal(number, handler) for number, handler in defaults.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return the run of each example."""
    folder = tmp_path_factory.mktemp("runs")
    return {name: fit(EXAMPLES / f"{name}.yaml", folder / name) for name in NAMES}


@pytest.fixture
def example(tmp_path):
    """A function that writes an example with some of its text replaced, and returns the file."""
    shutil.copytree(EXAMPLES / "data", tmp_path / "data")

    def write(name, **replaced):
        text = (EXAMPLES / f"{name}.yaml").read_text()
        for old, new in replaced.pop("also", {}).items():
            assert old in text
            text = text.replace(old, new)
        for key, value in replaced.items():
            assert f"{key}: " in text
            text = "\n".join(
                line.partition(f"{key}: ")[0] + f"{key}: {value}" if f" {key}: " in line else line
                for line in text.splitlines()
            )
        (tmp_path / f"{name}.yaml").write_text(text)
        return tmp_path / f"{name}.yaml"

    return write


@pytest.fixture
def plain(tmp_path):
    """A function that returns a config, and data of 40 rows for it, with some of it replaced."""
    rng = np.random.default_rng(1)
    x = rng.normal(size=(40, 2))
    np.savez(tmp_path / "plain.npz", x=x, y=x @ [1.0, -2.0])

    def config(**replaced):
        data = {"file": str(tmp_path / "plain.npz"), "target": "y", **replaced.pop("data", {})}
        return {**PLAIN, "data": data, **replaced}

    return config


def history(folder):
    with (folder / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{name: float(value) for name, value in row.items()} for row in rows]


def assert_same(first, second):
    assert len(first) == len(second)
    for before, after in zip(first, second, strict=True):
        assert after == pytest.approx(before, rel=TRAINED, abs=TRAINED)


@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [
        ("digits", "val_AUC", 0.98),
        ("is-8", "val_average_precision", 0.9),
        ("wine", "val_accuracy", 0.9),
    ],
)
def test_the_examples_learn_something(runs, name, metric, least):
    layer = keras.layers.Dense(1, kernel_initializer="ones", activity_regularizer="l1")
    layer(np.ones((4, 1), dtype="float32"))
    if name == "digits" and float(layer.losses[0]) > 0.02:
        pytest.skip("this Keras adds the activity penalty up over the batch: 32 times as much")
    assert runs[name].epochs[-1].logs[metric] > least


@pytest.mark.parametrize("name", NAMES)
def test_fitting_the_config_of_a_run_repeats_the_history(runs, name, tmp_path):
    written = runs[name].folder
    again = fit(written.config, tmp_path / "again", epochs=4)
    assert_same(history(written.path)[:4], history(again.folder.path))
    # And the config that it writes is the same, but for the path of the data.
    lines = zip(written.config.open(), again.folder.config.open(), strict=True)
    differing = {line.split(":")[0].strip() for line, other in lines if line != other}
    assert differing <= {"file", "epochs"}


@pytest.mark.fresh
def test_a_process_of_its_own_repeats_the_history(tmp_path):
    folder, into = tmp_path / "first", tmp_path / "again"
    fit(EXAMPLES / "digits.yaml", folder, epochs=4)
    command = [sys.executable, "-m", "lossreg", "fit", folder / "config.yaml", "-o", into]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert_same(history(folder), history(into))
    # What is asked for on stdout, and what passes by on stderr.
    header, loss, auc = result.stdout.splitlines()
    assert header.split() == ["EPOCH", "4", "TRAINED", "ON", "HELD", "OUT"]
    last = history(into)[-1]
    assert loss.split() == ["loss", f"{last['loss']:.4f}", f"{last['val_loss']:.4f}"]
    assert auc.split() == ["AUC", f"{last['AUC']:.4f}", f"{last['val_AUC']:.4f}"]
    assert "Epoch 4/4" in result.stderr
    assert "Wrote model.keras, history.csv, curves.png, config.yaml into" in result.stderr


@pytest.mark.parametrize("name", NAMES)
def test_the_terms_of_the_history_add_up_to_what_keras_evaluates(runs, name):
    for row in history(runs[name].folder.path):
        terms = [v for k, v in row.items() if k.startswith("val_objective: ") and "total" not in k]
        assert sum(terms) == pytest.approx(row["val_objective: total"], rel=FLOAT32)
        # Keras computes it after the epoch too.
        assert row["val_objective: total"] == pytest.approx(row["val_loss"], rel=EACH_OTHER)


def test_the_history_has_each_penalty_of_the_tutorials_model(runs):
    columns = list(history(runs["digits"].folder.path)[0])
    assert columns[:5] == ["epoch", "loss", "AUC", "val_loss", "val_AUC"]
    assert [name for name in columns if name.startswith("objective: ")][1:] == [
        "objective: dense/kernel: L2(l2=0.01)",
        "objective: dense/activity: L1(l1=0.01)",
        "objective: dense_1/kernel: L1L2(l1=0.01, l2=0.01)",
        "objective: total",
    ]
    assert keras.models.load_model(runs["digits"].folder.model).count_params() == 4810


def test_the_saved_model_is_the_one_of_the_last_epoch(runs):
    run = runs["wine"]
    config = read_experiment(run.folder.config)
    held = read_data(config).validation
    model = keras.models.load_model(run.folder.model)
    logs = model.evaluate(held.x, held.y, batch_size=16, verbose=0, return_dict=True)
    last = run.epochs[-1].logs
    assert logs["loss"] == pytest.approx(last["val_loss"], rel=EACH_OTHER)
    assert logs["accuracy"] == pytest.approx(last["val_accuracy"], rel=EACH_OTHER)


def test_normalization_is_adapted_to_the_samples_to_train_on(runs):
    config = read_experiment(EXAMPLES / "wine.yaml")
    found = read_data(config)
    layer = keras.models.load_model(runs["wine"].folder.model).layers[0]
    mean, variance = found.train.x.mean(axis=0), found.train.x.var(axis=0)
    assert np.asarray(layer.adapt_mean) == pytest.approx(mean, rel=EACH_OTHER)
    assert np.asarray(layer.adapt_variance) == pytest.approx(variance, rel=EACH_OTHER)


def test_normalization_behind_another_layer_sees_what_that_gives(plain):
    layers = [
        {"Input": {"shape": [2]}},
        {"Rescaling": {"scale": 10.0, "offset": 3.0}},
        "Normalization",
        {"Dense": {"units": 1}},
    ]
    config = read_experiment(plain(model=layers))
    trial = prepare(config, read_data(config))
    mean = trial.data.train.x.mean(axis=0) * 10 + 3
    assert np.asarray(trial.model.layers[1].adapt_mean) == pytest.approx(mean, rel=EACH_OTHER)


def test_the_config_of_a_run_spells_everything_out(runs):
    config = read_experiment(runs["wine"].folder.config)
    assert config.data.features[0] == "alcohol"
    assert len(config.data.features) == 13
    assert (config.data.split, config.fit.batch_size) == (0.2, 16)
    assert config.compile.optimizer.kwargs["beta_1"] == 0.9
    assert config.model[2].kwargs["kernel_initializer"]["GlorotUniform"]["seed"] is None
    assert config.compile.loss.canonical == {
        "name": "keras/sparse_categorical_crossentropy",
        "params": {"from_logits": True, "ignore_class": None, "axis": -1},
        "options": {
            "name": "sparse_categorical_crossentropy",
            "reduction": "sum_over_batch_size",
            "dtype": "float32",
        },
    }
    assert config.versions["keras"] == keras.__version__
    assert set(config.versions) == {"lossreg", "keras", keras.config.backend(), "numpy"}
    focal = read_experiment(runs["is-8"].folder.config)
    assert "lossreg-focal" in focal.versions


def test_layers_that_draw_seeds_begin_with_the_same_weights_again(plain, tmp_path):
    layers = [
        {"Input": {"shape": [2]}},
        {"Embedding": {"input_dim": 9, "output_dim": 4}},
        {"Bidirectional": {"layer": {"LSTM": {"units": 3, "dropout": 0.2}}}},
        {"Dense": {"units": 4, "kernel_initializer": "he_normal", "activation": "relu"}},
        "Dropout(0.3)",
        {"GaussianNoise": {"stddev": 0.1}},
        "BatchNormalization",
        {"Dense": {"units": 1}},
    ]
    np.savez(tmp_path / "steps.npz", x=np.arange(80).reshape(40, 2) % 9, y=np.arange(40) % 3)
    config = plain(model=layers, data={"file": str(tmp_path / "steps.npz")})
    run = fit(config, tmp_path / "run")
    again = fit(run.folder.config, tmp_path / "again")
    assert_same(history(run.folder.path), history(again.folder.path))
    # With its defaults spelled out, the Bidirectional draws other seeds.
    layers = read_experiment(run.folder.config).model
    assert layers[2].kwargs["layer"] == {"LSTM": {"units": 3, "dropout": 0.2}}
    assert layers[3].kwargs["kernel_initializer"] == "he_normal"
    assert layers[7].kwargs["name"] == "dense_1"


def test_an_input_may_be_given_with_its_batch(plain, tmp_path):
    layers = [{"Input": {"batch_shape": [None, 2]}}, {"Dense": {"units": 1}}]
    run = fit(plain(model=layers), tmp_path / "run")
    again = fit(run.folder.config, tmp_path / "again")
    assert_same(history(run.folder.path), history(again.folder.path))


def test_classes_that_are_strings_are_recorded(plain, tmp_path):
    rows = "\n".join(f"{i},{i % 5},{'yes' if i % 3 else 'no'}" for i in range(20))
    (tmp_path / "answers.csv").write_text(f"a,b,answer\n{rows}\n")
    data = {"file": str(tmp_path / "answers.csv"), "target": "answer"}
    loss = {"loss": "binary_crossentropy(from_logits=True)"}
    run = fit(plain(data=data, compile=loss), tmp_path / "run", epochs=1)
    config = read_experiment(run.folder.config)
    assert config.data.classes == ["no", "yes"]
    assert (run.folder.path / config.data.file).resolve() == tmp_path / "answers.csv"
    assert config.fit.epochs == 1


@pytest.mark.parametrize("listed", [False, True], ids=["found", "listed"])
def test_more_classes_than_a_config_has_room_for_are_recorded_where_they_were_listed(
    plain, tmp_path, listed
):
    names = [f"class-{index:04}" for index in range(201)]
    np.savez(tmp_path / "many.npz", x=np.ones((402, 2)), y=np.array(names * 2))
    data = {"file": str(tmp_path / "many.npz"), "classes": names[::-1] if listed else None}
    layers = [{"Input": {"shape": [2]}}, {"Dense": {"units": 201}}]
    loss = {"loss": "sparse_categorical_crossentropy(from_logits=True)"}
    run = fit(plain(model=layers, data=data, compile=loss), tmp_path / "run", epochs=1)
    assert read_experiment(run.folder.config).data.classes == data["classes"]


def test_the_picture_names_what_it_shows(runs, tmp_path):
    run = runs["digits"]
    assert run.folder.curves.read_bytes().startswith(b"\x89PNG")
    curves.draw(run.epochs, tmp_path / "a.svg", "digits")
    picture = (tmp_path / "a.svg").read_text()
    # matplotlib leaves each text as a comment beside its outlines.
    for text in (
        "total",
        "10 * binary_crossentropy -",
        "dense/activity: L1(l1=0.01)",
        "AUC",
        "epoch",
        "samples trained on",
        "samples held out",
    ):
        assert f"<!-- {text}" in picture


def test_a_training_that_diverges_is_drawn_and_reported(plain, tmp_path):
    config = tmp_path / "c.json"
    optimizer = {"optimizer": "sgd(learning_rate=1e30)", "loss": "mse"}
    config.write_text(json.dumps(plain(compile=optimizer)))
    result = CliRunner().invoke(main, ["fit", str(config), "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "The training diverged" in result.stderr
    assert (tmp_path / "run" / "curves.png").exists()


def test_a_folder_that_holds_something_is_left_alone(plain, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "history.csv").write_text("mine")
    with pytest.raises(LossregError, match="isn't empty.*-o.*--force"):
        fit(plain(), folder)
    assert (folder / "history.csv").read_text() == "mine"
    (folder / "notes.txt").write_text("mine")
    fit(plain(), folder, force=True)
    assert len(history(folder)) == 2
    assert (folder / "notes.txt").read_text() == "mine"
    with pytest.raises(LossregError, match="is a file"):
        fit(plain(), folder / "notes.txt")


def test_other_versions_than_those_of_a_run_are_reported(plain, tmp_path):
    messages = []
    versions = {"keras": "2.1", "numpy": np.__version__, "nowhere-losses": "3"}
    fit(plain(versions=versions), tmp_path / "run", epochs=1, report=messages.append)
    assert [message for message in messages if "written with" in message] == [
        f"The config was written with keras 2.1, here {keras.__version__}: the numbers may differ.",
        "The config was written with nowhere-losses 3, here not installed: the numbers may differ.",
    ]


def test_ctrl_c_keeps_what_was_reached(plain, tmp_path):
    folder = tmp_path / "run"

    def interrupt():
        while not (folder / "unfinished" / "history.csv").exists():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    run = fit(plain(), folder, epochs=10_000)
    thread.join()
    assert run.interrupted
    assert 1 <= len(run.epochs) < 10_000
    assert len(history(folder)) == len(run.epochs)
    assert keras.models.load_model(folder / "model.keras").count_params() == 3
    config = read_experiment(folder / "config.yaml")
    cut = "# Ctrl-C ended the run within epoch" in (folder / "config.yaml").read_text()
    assert config.fit.epochs == max(len(run.epochs) - cut, 1)
    # Python does again what it did before.
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def after_a_batch(monkeypatch, action):
    """Let an action happen after the first batch of a training."""
    own = keras.Model.fit

    def fitting(model, *args, callbacks, **kwargs):
        more = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: action())
        return own(model, *args, callbacks=[*callbacks, more], **kwargs)

    monkeypatch.setattr(keras.Sequential, "fit", fitting)


@pytest.mark.parametrize(
    ("name", "code"), [("SIGINT", 128 + 2), ("SIGTERM", 128 + 15), ("SIGHUP", 128 + 1)]
)
def test_a_signal_saves_the_run_and_is_the_exit_code(plain, tmp_path, monkeypatch, name, code):
    seen = []

    def interrupt():
        seen.append(name)
        if len(seen) == 2:
            signal.raise_signal(getattr(signal, name))

    after_a_batch(monkeypatch, interrupt)
    before = signal.getsignal(getattr(signal, name))
    (tmp_path / "c.json").write_text(json.dumps(plain()))
    folder = tmp_path / "run"
    result = CliRunner().invoke(main, ["fit", str(tmp_path / "c.json"), "-o", str(folder)])
    assert result.exit_code == code, result.output
    assert "Stopping after this batch" in result.stderr
    assert keras.models.load_model(folder / "model.keras").count_params() == 3
    assert len(history(folder)) == 1
    cause = "Ctrl-C" if name == "SIGINT" else name
    assert f"# {cause} ended the run within epoch 1" in (folder / "config.yaml").read_text()
    assert signal.getsignal(getattr(signal, name)) is before


def test_nohup_stays_nohup(plain, tmp_path, monkeypatch):
    monkeypatch.setattr(signal, "getsignal", lambda number: signal.SIG_IGN)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        after_a_batch(monkeypatch, lambda: signal.raise_signal(signal.SIGHUP))
        assert fit(plain(), tmp_path / "run").stopped_by is None
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("path", ["new/..", "runs/new/../best", "./best/../runs/best"])
def test_a_detour_to_an_earlier_run_doesnt_replace_it(plain, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, tmp_path / "runs" / "best"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.keras").write_text("mine")
    with pytest.raises(LossregError, match="isn't empty"):
        fit(plain(), path)
    assert (tmp_path / "model.keras").read_text() == "mine"
    assert (tmp_path / "runs" / "best" / "model.keras").read_text() == "mine"
    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "runs" / "new").exists()


def test_a_training_that_fails_leaves_the_earlier_run(plain, tmp_path, monkeypatch):
    folder = tmp_path / "run"
    fit(plain(), folder, epochs=1)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}

    def save(model, file):
        file.write_bytes(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras.Model, "save", save)
    monkeypatch.setattr(keras.Sequential, "save", save)
    with pytest.raises(LossregError, match="No space left on device.*history.csv and config.yaml"):
        fit(plain(), folder, force=True)
    left = {path.name for path in (folder / "unfinished").iterdir()}
    assert left == {"history.csv", "config.yaml"}
    shutil.rmtree(folder / "unfinished")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_dollar_and_an_escape_in_a_name_are_drawn(plain, tmp_path):
    metrics = [{"MeanAbsoluteError": {"name": "in $ \\frac{ _^"}}]
    config = plain(compile={"loss": "mse", "metrics": metrics})
    file = tmp_path / "1$ \\frac{a$ \x1b.json"
    file.write_text(json.dumps(config))
    result = CliRunner().invoke(main, ["fit", str(file), "-o", str(tmp_path / "run")])
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.output
    assert (tmp_path / "run" / "curves.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.fresh
@pytest.mark.parametrize("stream", ["2>&-", "2>/dev/full"])
def test_a_stderr_that_is_gone_doesnt_end_a_training(plain, tmp_path, stream):
    (tmp_path / "c.json").write_text(json.dumps(plain()))
    command = f"{sys.executable} -m lossreg fit c.json -o run {stream}"
    result = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0
    assert result.stdout.startswith("EPOCH 2")
    assert len(history(tmp_path / "run")) == 2


@pytest.mark.parametrize(
    ("name", "replaced", "place", "message"),
    [
        pytest.param(
            "digits",
            {
                "loss": "categorical_crossentropy",
                "also": {"sigmoid": "softmax", "one_hot": "digit"},
            },
            "data.target",
            "class indices: 'sparse_categorical_crossentropy' takes them",
            id="integers for a one-hot loss",
        ),
        pytest.param(
            "is-8",
            {"also": {"is_8": "digit"}},
            "data.target",
            "y_true must be in [0, 1], got 0 to 9.*'sparse_focal(from_logits=True)' takes",
            id="labels outside 0 and 1",
        ),
        pytest.param(
            "is-8",
            {"loss": "focal(gamma=1)"},
            "data.target",
            "look like logits. Take 'focal(gamma=1.0, from_logits=True)'",
            id="logits where probabilities are meant",
        ),
        pytest.param(
            "wine",
            {"also": {", classes: [1, 2, 3]": ""}},
            "data.target",
            "classes from 0 to 2, .*got 1 to 3.*Or list them in the config: classes: [1, 2, 3].",
            id="classes that are counted from 1",
        ),
        pytest.param(
            "wine",
            {"also": {"[13]": "[12]"}},
            "data",
            "of shape [12], and the data are of shape [13]. Write Input: {shape: [13]}",
            id="another number of features",
        ),
        pytest.param(
            "digits",
            {"metrics": "[F1Score, SparseCategoricalAccuracy]"},
            "compile.metrics[1]",
            "Metric 'SparseCategoricalAccuracy' can't be computed of the target",
            id="a metric for other labels",
        ),
        pytest.param(
            "wine",
            {"also": {"target: cultivar, classes: [1, 2, 3]": "target: {dense1: cultivar}"}},
            "data.target.dense1",
            "The model has no output 'dense1'. Did you mean 'dense_1'?",
            id="an output that isn't there",
        ),
    ],
)
def test_a_misfit_is_caught_before_the_first_step(
    example, tmp_path, name, replaced, place, message
):
    file = example(name, **replaced)
    with pytest.raises(ConfigError) as caught:
        fit(file, tmp_path / "run")
    faults = [fault for fault in caught.value.faults if place in str(fault)]
    assert faults, caught.value
    assert any(all(part in str(fault) for part in message.split(".*")) for fault in faults)
    assert f"{file}:{faults[0].line}:{faults[0].column}: {place}: " in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_config_without_data_cant_be_trained(tmp_path):
    with pytest.raises(ConfigError, match="data: 'data' is missing. Name a file and its target."):
        fit(PLAIN, tmp_path / "run")


def test_a_model_from_a_file_with_several_inputs_and_outputs(tmp_path, plain):
    left, right = keras.Input((1,), name="left"), keras.Input((1,), name="right")
    both = keras.layers.Concatenate()([left, keras.layers.Normalization()(right)])
    outputs = [keras.layers.Dense(1, name=name)(both) for name in ("sum", "sign")]
    (tmp_path / "model.json").write_text(keras.Model([left, right], outputs).to_json())
    rows = "\n".join(f"{i},{i * i % 7},{i + 3},{i % 2}" for i in range(30))
    (tmp_path / "rows.csv").write_text(f"a,b,c,d\n{rows}\n")
    config = {
        "model": "model.json",
        "compile": {
            "loss": {"outputs": {"sum": "mse", "sign": "bce(from_logits=True)"}},
            "loss_weights": {"sum": 0.5, "sign": 2.0},
            "metrics": {"sign": ["BinaryAccuracy"]},
        },
        "data": {
            "file": "rows.csv",
            "features": {"left": "a", "right": "b"},
            "target": {"sum": "c", "sign": "d"},
        },
        "fit": {"epochs": 2, "batch_size": 8},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    run = fit(tmp_path / "config.json", tmp_path / "run")
    again = fit(run.folder.config, tmp_path / "again")
    assert_same(history(run.folder.path), history(again.folder.path))
    assert any(name.startswith("objective: sign: 2 * ") for name in history(run.folder.path)[0])
    config["data"]["features"] = ["a", "b"]
    config["data"]["target"] = {"sum": "c"}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError) as caught:
        fit(tmp_path / "config.json", tmp_path / "other")
    assert [fault.message for fault in caught.value.faults] == [
        "The model has 2 inputs: map 'left', 'right' to columns each.",
        "The model's output 'sign' has no columns. Name them.",
    ]


@pytest.mark.parametrize(
    ("batch", "completed", "note"),
    [
        pytest.param(
            13, 2, "within epoch 3, .* This config repeats the epochs before it", id="within"
        ),
        pytest.param(15, 3, "", id="at its end"),
        pytest.param(
            1, 0, "within epoch 1, .* This config trains on all of it", id="within the first"
        ),
    ],
)
def test_the_config_of_an_interrupted_run_repeats_its_whole_epochs(
    plain, tmp_path, monkeypatch, batch, completed, note
):
    seen, own = 0, keras.Model.fit

    def interrupt(*_, **__):
        nonlocal seen
        seen += 1
        if seen == batch:
            signal.raise_signal(signal.SIGINT)

    def interrupted(model, *args, callbacks, **kwargs):
        more = keras.callbacks.LambdaCallback(on_train_batch_end=interrupt)
        return own(model, *args, callbacks=[*callbacks, more], **kwargs)

    # 32 samples to train on in 5 batches.
    monkeypatch.setattr(keras.Sequential, "fit", interrupted)
    run = fit(plain(fit={"epochs": 50, "batch_size": 7}), tmp_path / "run")
    monkeypatch.undo()
    assert run.completed == completed
    header = run.folder.config.read_text().partition("model:")[0]
    assert re.search(note, header)
    assert ("Ctrl-C" in header) == bool(note)
    again = fit(run.folder.config, tmp_path / "again")
    assert len(again.epochs) == max(completed, 1)
    rows = history(run.folder.path)[:completed]
    assert_same(rows, history(again.folder.path)[:completed])


@pytest.mark.parametrize("swapped", [False, True], ids=["in the alphabet's order", "swapped"])
def test_a_metric_sees_the_predictions_of_its_own_output(tmp_path, swapped):
    inputs = keras.Input((2,), name="in")
    outputs = {"b": keras.layers.Dense(3)(inputs), "a": keras.layers.Dense(2)(inputs)}
    outputs = outputs if swapped else dict(sorted(outputs.items()))
    (tmp_path / "model.json").write_text(keras.Model(inputs, outputs).to_json())
    np.savez(tmp_path / "a.npz", x=np.ones((20, 2)), two=np.ones((20, 2)), three=np.ones((20, 3)))
    config = {
        "model": "model.json",
        "compile": {"loss": "mse", "metrics": {"a": ["mae"], "b": ["mse"]}},
        "data": {"file": "a.npz", "features": "x", "target": {"a": "two", "b": "three"}},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    config = read_experiment(tmp_path / "config.json")
    assert prepare(config, read_data(config)).model.count_params() == (2 + 1) * (3 + 2)


@pytest.mark.parametrize(
    ("metrics", "names", "which"),
    [
        pytest.param(["mae"], ["score"], "'score'", id="one output"),
        pytest.param({"a": ["mae"]}, ["a", "b"], "one of 'a', 'b'", id="several"),
    ],
)
def test_a_model_without_a_loss_cant_be_trained(tmp_path, metrics, names, which):
    inputs = keras.Input((2,), name="in")
    outputs = [keras.layers.Dense(1, name=name)(inputs) for name in names]
    (tmp_path / "model.json").write_text(keras.Model(inputs, outputs).to_json())
    np.savez(tmp_path / "a.npz", x=np.ones((20, 2)), y=np.arange(20.0))
    config = {
        "model": "model.json",
        "compile": {"loss": {"outputs": dict.fromkeys(names)}, "metrics": metrics},
        "data": {"file": "a.npz", "features": "x", "target": {names[0]: "y"}},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError) as caught:
        fit(tmp_path / "config.json", tmp_path / "run")
    (fault,) = caught.value.faults
    assert str(fault) == (
        f"compile.loss: No output has a loss, and training needs one. Give {which} a loss."
    )
    assert not (tmp_path / "run").exists()


def test_an_output_without_a_loss_needs_no_column(tmp_path):
    inputs = keras.Input((2,), name="in")
    outputs = [keras.layers.Dense(1, name=name)(inputs) for name in ("mask", "label")]
    (tmp_path / "model.json").write_text(keras.Model(inputs, outputs).to_json())
    np.savez(tmp_path / "a.npz", x=np.ones((20, 2)), y=np.arange(20.0))
    config = {
        "model": "model.json",
        "compile": {"loss": {"outputs": {"mask": "mse", "label": None}}},
        "data": {"file": "a.npz", "features": "x", "target": {"mask": "y"}},
        "fit": {"epochs": 2, "batch_size": 8},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        run = fit(tmp_path / "config.json", tmp_path / "run")
    again = fit(run.folder.config, tmp_path / "again")
    assert_same(history(run.folder.path), history(again.folder.path))
    # A metric needs labels, too.
    config["compile"]["metrics"] = {"label": ["mae"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ConfigError, match="The model's output 'label' has no columns"):
        fit(tmp_path / "config.json", tmp_path / "other")


def test_strings_dont_become_the_labels_of_a_regression(plain, tmp_path):
    rows = "\n".join(f"{i},{i},{i if i != 7 else 'unknown'}" for i in range(20))
    (tmp_path / "a.csv").write_text(f"a,b,y\n{rows}\n")
    data = {"file": str(tmp_path / "a.csv"), "target": "y"}
    with pytest.raises(ConfigError, match="'unknown' in row 8.*'huber' takes numbers"):
        fit(plain(data=data, compile={"loss": "huber(delta=2)"}), tmp_path / "run")


def test_a_finding_that_all_terms_of_a_sum_have_is_reported_once(plain, tmp_path):
    np.savez(tmp_path / "a.npz", x=np.ones((20, 2)), y=np.ones((20, 3)))
    data = {"file": str(tmp_path / "a.npz")}
    with pytest.raises(ConfigError) as caught:
        fit(plain(data=data, compile={"loss": "mse + huber(delta=2)"}), tmp_path / "run")
    assert len(caught.value.faults) == 1, caught.value


def test_the_objective_of_a_config_is_that_of_its_model(runs, tmp_path):
    def objective(*arguments):
        result = CliRunner().invoke(main, ["objective", str(EXAMPLES / "digits.yaml"), *arguments])
        assert result.exit_code == 0, result.output
        return result.stdout

    before = json.loads(objective("--json"))
    assert sum(term["value"] for term in before["terms"]) == pytest.approx(
        before["total"], rel=FLOAT32
    )
    (constraint,) = before["constraints"]
    assert constraint["satisfied"]
    file = runs["digits"].folder.model
    after = json.loads(objective("--json", "--model", str(file)))
    assert after["total"] == pytest.approx(
        history(file.parent)[-1]["objective: total"], rel=EACH_OTHER
    )
    assert after["total"] < before["total"]
    table = objective()
    assert table.splitlines()[0].split() == ["TERM", "KIND", "VALUE", "SHARE"]
    assert "dense_1/kernel: L1L2(l1=0.01, l2=0.01)" in table


def test_weights_of_another_model_are_refused(runs):
    arguments = ["objective", str(EXAMPLES / "digits.yaml"), "--model"]
    result = CliRunner().invoke(main, [*arguments, str(runs["wine"].folder.model)])
    assert result.exit_code == 2
    message = result.stderr.partition("model: It can't take the weights of ")[2]
    assert re.search(
        r"': a weight of shape \(.*\) has shape \(.*\) there\. Give the file of a model that this "
        r"config trained\.\n$",
        message,
    )
