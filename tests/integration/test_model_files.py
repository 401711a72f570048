"""Files that model.to_json() wrote: what they give, and what they can't."""

import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tolerances import EACH_OTHER

import lossreg
from lossreg import ConfigError
from lossreg.model import build_model, saved_model

LOSSES = {"outputs": {"mask": "mse", "label": "0.5 * huber(delta=0.3)"}}


def functional(outputs=list):
    """Return a model with two outputs, a model within it, and operations."""
    inputs = keras.Input((8,), name="x")
    hidden = keras.layers.Dense(4, kernel_regularizer=keras.regularizers.L2(0.03))(inputs)
    hidden = keras.ops.concatenate([hidden + 1.0, keras.ops.relu(hidden)[:, :2]], axis=-1)
    inner = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(3, activation=keras.layers.LeakyReLU(0.25))]
    )
    hidden = keras.layers.Reshape((3, 1))(inner(hidden))
    hidden = keras.layers.Bidirectional(keras.layers.LSTM(2))(hidden)
    mask = keras.layers.Dense(1, name="mask")(hidden)
    label = keras.layers.Dense(2, name="label", activation="tanh")(hidden)
    made = [mask, label] if outputs is list else {"mask": mask, "label": label}
    return keras.Model(inputs, made)


def config(file, **compiled):
    """Return a config that takes its model from a file."""
    return {"model": str(file), "compile": {"loss": LOSSES, "optimizer": "sgd(0.1)", **compiled}}


def written(tmp_path, content):
    """Write a model file and return it."""
    file = tmp_path / "model.json"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content if isinstance(content, str) else json.dumps(content))
    return file


def with_layer(layer):
    """Return what to_json writes of a model, with this layer in it."""
    model = json.loads(keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).to_json())
    model["config"]["layers"].append(layer)
    return model


def dense(**arguments):
    """Return what to_json writes of a layer with these arguments."""
    return {"module": "keras.layers", "class_name": "Dense", "config": {"units": 2, **arguments}}


def refused(tmp_path, content):
    """Return why a model file is refused."""
    with pytest.raises(ConfigError) as raised:
        build_model(config(written(tmp_path, content)))
    assert {fault.path for fault in raised.value.faults} == {("model",)}
    return str(raised.value)


def rows():
    """Return samples and the labels of both outputs."""
    rng = np.random.default_rng(5)
    return rng.normal(size=(16, 8)), rng.normal(size=(16, 1)), rng.normal(size=(16, 2))


@pytest.mark.parametrize("outputs", [list, dict])
def test_each_output_has_its_loss_weight_and_metrics(outputs, tmp_path):
    file = written(tmp_path, functional(outputs).to_json())
    model = build_model(
        config(file, loss_weights={"label": 3.0, "mask": 0.25}, metrics={"label": ["mae"]})
    )
    x, mask, label = rows()
    predicted = model.predict(x, verbose=0)
    if outputs is list:
        predicted = dict(zip(["mask", "label"], predicted, strict=True))
    labels = [mask, label] if outputs is list else {"mask": mask, "label": label}
    expected = 0.25 * np.mean((predicted["mask"] - mask) ** 2)
    expected += 3.0 * 0.5 * float(keras.losses.Huber(0.3)(label, predicted["label"]))
    expected += 0.03 * np.sum(np.asarray(kernel(model)) ** 2)
    result = model.evaluate(x, labels, verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(expected, rel=EACH_OTHER)
    assert result["label_mae"] == pytest.approx(
        np.mean(np.abs(predicted["label"] - label)), rel=EACH_OTHER
    )
    listed = build_model(config(file, loss_weights=[0.25, 3.0]))
    listed.set_weights(model.get_weights())
    again = listed.evaluate(x, labels, verbose=0, return_dict=True)
    assert again["loss"] == pytest.approx(expected, rel=EACH_OTHER)


def kernel(model):
    """Return the kernel that has a penalty."""
    (layer,) = (each for each in model.layers if getattr(each, "kernel_regularizer", None))
    return layer.kernel


def test_one_loss_serves_all_outputs_as_in_keras(tmp_path):
    file = written(tmp_path, functional().to_json())
    x, mask, label = rows()
    model = build_model(config(file, loss="mse"))
    twin = functional()
    twin.compile("sgd", "mse")
    twin.set_weights(model.get_weights())
    ours = model.evaluate(x, [mask, label], verbose=0, return_dict=True)
    theirs = twin.evaluate(x, [mask, label], verbose=0, return_dict=True)
    assert ours == pytest.approx(theirs, rel=EACH_OTHER)
    weighted = build_model(config(file, loss="mse", loss_weights=[2.0, 0.5]))
    weighted.set_weights(model.get_weights())
    both = weighted.evaluate(x, [mask, label], verbose=0, return_dict=True)
    penalty = theirs["loss"] - theirs["mask_loss"] - theirs["label_loss"]
    expected = 2 * theirs["mask_loss"] + 0.5 * theirs["label_loss"] + penalty
    assert both["loss"] == pytest.approx(expected, rel=EACH_OTHER)


def test_an_output_may_have_no_loss(tmp_path):
    file = written(tmp_path, functional().to_json())
    model = build_model(config(file, loss={"outputs": {"mask": "mse", "label": None}}))
    x, mask, label = rows()
    before = model.get_layer("label").get_weights()
    model.fit(x, [mask, label], verbose=0)
    for old, new in zip(before, model.get_layer("label").get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_model_with_several_losses_is_saved_and_loaded(tmp_path):
    model = build_model(config(written(tmp_path, functional().to_json()), loss_weights=[1.0, 2.0]))
    x, mask, label = rows()
    model.fit(x, [mask, label], verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.loss == {"mask": lossreg.get_loss("mse"), "label": model.loss["label"]}
    evaluated = model.evaluate(x, [mask, label], verbose=0, return_dict=True)
    again = loaded.evaluate(x, [mask, label], verbose=0, return_dict=True)
    assert again == pytest.approx(evaluated, rel=EACH_OTHER)


def test_outputs_are_told_by_name(tmp_path):
    file = written(tmp_path, functional().to_json())
    with pytest.raises(ConfigError) as raised:
        build_model(
            config(
                file,
                loss={"outputs": {"mask": "mse", "lable": "mae"}},
                loss_weights={"mask": 1.0},
                metrics=["mae", "mse"],
                optimizer="adm",
            )
        )
    found = {fault.path[1:]: fault.message for fault in raised.value.faults}
    assert "Did you mean 'label'? Its outputs are mask, label." in found["loss", "outputs", "lable"]
    assert "The output 'label' has no loss" in found["loss", "outputs"]
    assert "The output 'label' has no weight" in found[("loss_weights",)]
    assert "Give each its own metrics" in found[("metrics",)]
    assert "no optimizer 'adm'" in found[("optimizer",)]
    with pytest.raises(ConfigError, match="one number for each output .mask, label., got 1"):
        build_model(config(file, loss_weights=[1.0]))
    with pytest.raises(ConfigError, match=r"If you mean the metric, write it in a list: \[AUC\]"):
        build_model(config(file, metrics={"AUC": []}))


def test_a_file_is_found_from_the_folder_of_the_config(tmp_path, monkeypatch):
    (tmp_path / "configs").mkdir()
    written(tmp_path / "configs", functional().to_json())
    text = "model: model.json\ncompile: {loss: mse}\n"
    (tmp_path / "configs" / "config.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert build_model("configs/config.yaml").count_params() == functional().count_params()
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"config.yaml:1:8: model: There is no file 'model.json'"):
        build_model("config.yaml")


def test_how_the_file_was_compiled_is_left_out(tmp_path):
    def mine(y_true, y_pred):
        return keras.ops.mean(y_pred)

    model = functional()
    model.compile("adam", {"mask": mine, "label": "mae"}, metrics={"label": ["mse"]})
    assert '"mine"' in model.to_json()
    made = build_model(config(written(tmp_path, model.to_json())))
    assert isinstance(made.optimizer, keras.optimizers.SGD)
    assert made.loss["mask"] == lossreg.get_loss("mse")
    content = json.loads(model.to_json())
    content["compile_config"]["loss"] = {
        "module": "os",
        "class_name": "function",
        "config": "abort",
    }
    assert build_model(config(written(tmp_path, content))).loss == made.loss


FUNCTION = {"class_name": "function", "registered_name": None}


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        pytest.param(
            dense(activation={**FUNCTION, "module": "os", "config": "system"}),
            "'system' is a function, and a config may name only Keras' activation functions.",
            id="CVE-2025-1550: a function of any module",
        ),
        pytest.param(
            {"module": "builtins", "class_name": "exec", "config": {}},
            "comes from 'builtins'",
            id="CVE-2025-1550: a class of any module",
        ),
        pytest.param(
            dense(activation={**FUNCTION, "module": "keras.utils", "config": "get_file"}),
            "'get_file' is a function, and a config may name only Keras' activation",
            id="CVE-2025-8747: a function of Keras that downloads",
        ),
        pytest.param(
            {"module": "keras.utils", "class_name": "get_file", "config": {"origin": "file:///x"}},
            "'keras.utils' has no layer",
            id="CVE-2025-8747: as a class",
        ),
        pytest.param(
            {"class_name": "Lambda", "config": {"function": ["4wEAAAA=", None, None]}},
            "'Lambda' comes from no module",
            id="CVE-2025-9905: a Lambda as Keras 2 wrote it",
        ),
        pytest.param(
            {"module": "keras.config", "class_name": "enable_unsafe_deserialization", "config": {}},
            "'keras.config' has no layer",
            id="CVE-2025-9906: switching the safe mode off",
        ),
        pytest.param(
            {"module": "keras", "class_name": "config.enable_unsafe_deserialization", "config": {}},
            "'keras' has no layer",
            id="CVE-2025-9906: with a dot in the name",
        ),
        pytest.param(
            dense(
                activation={
                    **FUNCTION,
                    "module": "keras.config",
                    "config": "enable_unsafe_deserialization",
                }
            ),
            "'enable_unsafe_deserialization' is a function, and a config may",
            id="CVE-2025-9906: as a function",
        ),
        pytest.param(
            {
                "module": "keras.layers",
                "class_name": "StringLookup",
                "config": {"vocabulary": "/etc/hostname"},
            },
            "'vocabulary' names the file '/etc/hostname'",
            id="CVE-2025-12058: a vocabulary from a file",
        ),
        pytest.param(
            {
                "module": "keras.layers",
                "class_name": "TextVectorization",
                "config": {"vocabulary": "https://example.com/words.txt"},
            },
            "'vocabulary' names the file 'https://example.com/words.txt'",
            id="CVE-2025-12058: a vocabulary from an address",
        ),
        pytest.param(
            {
                "module": "keras.layers",
                "class_name": "TorchModuleWrapper",
                "config": {"module": {"class_name": "__bytes__", "config": {"value": "x"}}},
            },
            "it runs a module of PyTorch",
            id="a module of another framework",
        ),
        pytest.param(
            {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "here"}},
            "it runs a program that TensorFlow saved",
            id="a program of TensorFlow",
        ),
        pytest.param(
            {
                "module": "keras.src.layers.core.lambda_layer",
                "class_name": "Lambda",
                "config": {"function": "x"},
            },
            "has no layer",
            id="a private module",
        ),
        pytest.param(
            {**dense(), "registered_name": "acme>Dense"},
            "'acme>Dense' isn't a Keras class",
            id="a class that a program registers",
        ),
        pytest.param(
            {"module": "keras_hub.layers", "class_name": "RotaryEmbedding", "config": {}},
            "a config takes Keras only",
            id="a package that Keras itself would import",
        ),
        pytest.param(
            dense(activation={**FUNCTION, "module": "keras.activations", "config": "deserialize"}),
            "'deserialize' is a function, and a config may name only",
            id="what is exported beside the activations",
        ),
        pytest.param(
            dense(
                kernel_initializer={
                    "class_name": "__typespec__",
                    "spec_name": "TensorSpec",
                    "module": "tensorflow",
                    "config": [],
                }
            ),
            "it names a TensorFlow class",
            id="a class of TensorFlow",
        ),
        pytest.param(
            {"module": "keras.layers", "class_name": "Dens", "config": {}},
            "Did you mean 'Dense'",
            id="a layer that Keras hasn't",
        ),
        pytest.param(
            {**dense(), "class_name": 3}, "must be a string", id="a name that is a number"
        ),
        pytest.param(
            dense(units=-3),
            "Keras can't build its model: ",
            id="a wrong argument",
        ),
    ],
)
def test_a_file_names_layers_of_keras_and_nothing_else(layer, message, tmp_path):
    error = refused(tmp_path, with_layer(layer))
    assert message in error
    assert "model.json" in error


def test_every_fault_of_a_file_is_told_at_its_place(tmp_path):
    content = with_layer({"module": "os", "class_name": "system", "config": {}})
    content["config"]["layers"].append(
        {"module": "keras.layers", "class_name": "Lambda", "config": {}}
    )
    error = refused(tmp_path, content).splitlines()
    assert [line.partition(": config.")[2].partition(":")[0] for line in error] == [
        "layers[2]",
        "layers[3]",
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "holds no model"),
        ("{}", "holds no model"),
        ("3", "holds no model"),
        ("", "isn't JSON"),
        ('{"class_name": ', "isn't JSON"),
        (b"\xff\xfe", "isn't JSON"),
        (b"PK\x03\x04", "a saved model (.keras or .h5)"),
        ("[" * 10_000 + "]" * 10_000, "nested deeper than 100"),
        (
            '{"class_name": "Sequential", "module": "keras", "config": '
            + "[" * 500
            + "]" * 500
            + "}",
            "deeper than 100",
        ),
        ("1" * 5000, "isn't JSON"),
        (b" " * 50 * 2**20, "larger than the limit of 20 MB"),
        (dense(), "holds a Dense, and no model"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_what_is_no_model_is_told(content, message, tmp_path):
    assert message in refused(tmp_path, content)


def test_what_is_no_file_is_told(tmp_path):
    for path in (tmp_path, tmp_path / "none.json", "/dev/zero", "model\0.json"):
        with pytest.raises(ConfigError, match="There is no file"):
            build_model(config(path))


def test_a_model_without_an_input_is_refused(tmp_path):
    error = refused(tmp_path, keras.Sequential([keras.layers.Dense(2)]).to_json())
    assert "Begin the model with keras.Input" in error


LEAVES = st.none() | st.booleans() | st.integers(-3, 9) | st.text(max_size=8) | st.sampled_from(
    ["os", "keras", "keras.layers", "function", "Lambda", "Dense", "__lambda__", "system"]
)  # fmt: skip


@st.composite
def mutated(draw):
    """Return a model as data, with a few values replaced or removed."""
    content = json.loads(TEMPLATE)
    for _ in range(draw(st.integers(1, 4))):
        place = content
        while True:
            inner = place if isinstance(place, dict) else dict(enumerate(place))
            if not inner:
                break
            name = draw(st.sampled_from(list(inner)))
            if isinstance(inner[name], dict | list) and inner[name] and draw(st.integers(0, 4)):
                place = inner[name]
            elif draw(st.booleans()):
                place[name] = draw(LEAVES | st.lists(LEAVES, max_size=2))
                break
            else:
                del place[name]
                break
    return content


@settings(max_examples=200, suppress_health_check=list(HealthCheck))
@given(mutated())
def test_a_changed_file_gives_a_model_or_an_error(tmp_path_factory, content):
    file = written(tmp_path_factory.mktemp("mutated"), content)
    try:
        made = saved_model.load(file)
    except ConfigError:
        return
    assert made.built


TEMPLATE = functional().to_json()


@pytest.mark.fresh
def test_a_function_in_a_file_never_runs_even_in_the_unsafe_mode(tmp_path):
    code = """
import json, keras, lossreg
from pathlib import Path
from lossreg.model import build_model
layer = keras.layers.Lambda(lambda x: (__import__("pathlib").Path("ran").touch(), x)[1])
model = keras.Sequential([keras.Input((2,)), layer])
Path("model.json").write_text(model.to_json())
Path("ran").unlink()
keras.config.enable_unsafe_deserialization()
try:
    build_model({"model": "model.json", "compile": {"loss": "mse"}})
except lossreg.ConfigError as error:
    print(error)
print("ran" if Path("ran").exists() else "didn't run")
keras.models.model_from_json(Path("model.json").read_text())
print("ran" if Path("ran").exists() else "didn't run")
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    # The last line shows that Keras itself would have run it.
    error, ours, theirs = done.stdout.splitlines()
    assert "a config can't have 'Lambda': it runs a function" in error
    assert (ours, theirs) == ("didn't run", "ran")


def test_a_file_of_too_many_weights_is_told_before_there_are_any(tmp_path):
    model = with_layer(dense(units=10**9, name="wide"))
    # 4 * 2 + 2 of the layer that is there, and 3 * 10**9.
    error = refused(tmp_path, model)
    assert "would have 3,000,000,010 weights" in error
    assert "Its largest layer is 'wide'." in error


def test_with_a_root_only_files_in_it_are_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = written(tmp_path, functional().to_json())
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.json").symlink_to(file)
    for outside in (file, "root/../model.json", "root/link.json"):
        with pytest.raises(ConfigError, match="isn't in the folder that files must be in"):
            build_model(config(outside), root=root)
    file.rename(root / "model.json")
    assert len(build_model(config("root/model.json"), root=root).outputs) == 2
