"""Models from configs: what they are made of, what is refused, and what they do."""

import doctest
import inspect
import json
import subprocess
import sys

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from keras_version import IS_KERAS_3_12
from omegaconf import OmegaConf
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg import ConfigError
from lossreg.cli import main
from lossreg.config import Part, read_part
from lossreg.model import build_model, keras_parts
from lossreg.model.arguments import arguments
from lossreg.model.keras_names import by_key, known

# Keras 3.15 refuses units that aren't whole; 3.12 takes any and fails where the layer is built.
UNITS_AT = "1" if IS_KERAS_3_12 else "1.Dense.units"

YAML = """
model:
  - Input:
      shape: [64]
  - Dense:
      units: 64
      kernel_regularizer: l2(0.03)
      activity_regularizer: l1(0.02)
      kernel_constraint: max_norm(3, axis=1)
  - Dense:
      units: 10
      activation: sigmoid
      kernel_regularizer: l1_l2(0.04, 0.05)
compile:
  optimizer: rmsprop
  loss: binary_crossentropy
  metrics: [AUC]
"""
TOML = """
[[model]]
Input = {shape = [64]}
[[model]]
[model.Dense]
units = 64
kernel_regularizer = "l2(0.03)"
activity_regularizer = "l1(0.02)"
kernel_constraint = "max_norm(3, axis=1)"
[[model]]
[model.Dense]
units = 10
activation = "sigmoid"
kernel_regularizer = "l1_l2(0.04, 0.05)"
[compile]
optimizer = "rmsprop"
loss = "binary_crossentropy"
metrics = ["AUC"]
"""
MAPPING = {
    "model": [
        {"Input": {"shape": [64]}},
        {
            "Dense": {
                "units": 64,
                "kernel_regularizer": {"L2": {"l2": 0.03}},
                "activity_regularizer": {"name": "l1", "params": {"l1": 0.02}},
                "kernel_constraint": {
                    "class_name": "MaxNorm",
                    "config": {"max_value": 3, "axis": 1},
                },
            }
        },
        "dense(10, activation='sigmoid', kernel_regularizer='L1L2(l2=0.05, l1=0.04)')",
    ],
    "compile": {"optimizer": "RMSprop", "loss": "bce", "metrics": "AUC"},
}


def model_of(*layers, shape=(8,), **compiled):
    """Return a config of these layers behind an input."""
    return {
        "model": [{"Input": {"shape": list(shape)}}, *layers],
        "compile": {"loss": "mse", "optimizer": "sgd(0.1)", **compiled},
    }


def told(config):
    """Return what is wrong with a config, by its path."""
    with pytest.raises(ConfigError) as raised:
        build_model(config)
    assert str(raised.value)
    return {
        ".".join(map(str, fault.path)): fault.message for fault in reversed(raised.value.faults)
    }


def test_the_example_of_build_model_runs():
    namespace = {"build_model": build_model}
    [example] = doctest.DocTestFinder().find(build_model, globs=namespace)
    assert doctest.DocTestRunner().run(example) == (0, 2)


@pytest.mark.parametrize("form", ["yaml", "toml", "json", "mapping", "omegaconf"])
def test_every_form_gives_the_model_of_the_tutorial(form, tmp_path):
    if form == "mapping":
        config = MAPPING
    elif form == "omegaconf":
        config = OmegaConf.create(MAPPING)
    else:
        config = tmp_path / f"config.{form}"
        config.write_text({"yaml": YAML, "toml": TOML, "json": json.dumps(MAPPING)}[form])
    model = build_model(config)
    assert model.count_params() == 64 * 64 + 64 + 64 * 10 + 10 == 4810
    first, second = model.layers
    assert [first.kernel_regularizer.l2, first.activity_regularizer.l1] == [0.03, 0.02]
    assert [first.kernel_constraint.max_value, first.kernel_constraint.axis] == [3, 1]
    assert [second.kernel_regularizer.l1, second.kernel_regularizer.l2] == [0.04, 0.05]
    assert second.activation is keras.activations.sigmoid
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert model.loss == lossreg.get_loss("keras/binary_crossentropy")
    rows = np.zeros((2, 64), "float32"), np.eye(10, dtype="float32")[:2]
    assert set(model.evaluate(*rows, verbose=0, return_dict=True)) == {"loss", "AUC"}


def test_a_model_trains_as_the_one_that_keras_code_makes():
    def by_hand():
        return keras.Sequential(
            [
                keras.Input((8,)),
                keras.layers.Dense(
                    6,
                    activation="tanh",
                    kernel_initializer="he_normal",
                    kernel_regularizer=keras.regularizers.L2(0.03),
                    activity_regularizer=keras.regularizers.L1(0.02),
                    bias_constraint="non_neg",
                ),
                keras.layers.BatchNormalization(momentum=0.7),
                keras.layers.Dense(1),
            ]
        )

    config = model_of(
        {
            "Dense": {
                "units": 6,
                "activation": "tanh",
                "kernel_initializer": "he_normal",
                "kernel_regularizer": "l2(0.03)",
                "activity_regularizer": "l1(0.02)",
                "bias_constraint": "non_neg",
            }
        },
        "BatchNormalization(momentum=0.7)",
        "Dense(1)",
        loss="mse + 0.5 * huber(0.3)",
        optimizer="adam(learning_rate=0.05, beta_1=0.8)",
    )
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(32, 8)), rng.normal(size=(32, 1))
    histories = []
    for ours in (True, False):
        keras.utils.set_random_seed(11)
        model = build_model(config) if ours else by_hand()
        if not ours:
            loss = lossreg.get_loss("mse + 0.5 * huber(delta=0.3)")
            model.compile(keras.optimizers.Adam(0.05, beta_1=0.8), loss)
        fitted = model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
        histories.append(fitted.history["loss"])
    assert histories[0] == pytest.approx(histories[1], rel=TRAINED)


@pytest.mark.parametrize(
    ("kind", "spellings", "expected"),
    [
        ("layer", ["Conv2D", "conv2d", "conv_2d", "Convolution2D", "CONV-2D"], keras.layers.Conv2D),
        ("layer", ["MaxPooling2D", "max_pooling_2d", "MaxPool2D"], keras.layers.MaxPooling2D),
        ("regularizer", ["L1L2", "l1_l2", "l1l2"], keras.regularizers.L1L2),
        ("constraint", ["MaxNorm", "max_norm", "maxnorm"], keras.constraints.MaxNorm),
        ("initializer", ["HeNormal", "he_normal"], keras.initializers.HeNormal),
        ("initializer", ["uniform", "RandomUniform"], keras.initializers.RandomUniform),
        ("optimizer", ["RMSprop", "rmsprop", "rms_prop"], keras.optimizers.RMSprop),
        # Keras 3.15.1 exports it, and optimizers.get doesn't know it.
        ("optimizer", ["Lamb", "lamb"], keras.optimizers.Lamb),
        ("metric", ["mse", "MSE", "MeanSquaredError"], keras.metrics.MeanSquaredError),
        ("schedule", ["ExponentialDecay", "exponential_decay"], None),
    ],
)
def test_a_name_means_what_keras_exports_in_any_spelling(kind, spellings, expected):
    expected = expected or keras.optimizers.schedules.ExponentialDecay
    arguments = {"layer": (2, 2), "schedule": (0.1, 9, 0.5)}.get(kind, ())
    if "Max" in spellings[0]:
        arguments = ()
    for spelling in spellings:
        part = Part(name=spelling, args=arguments)
        assert type(keras_parts.make(kind, part)) is expected, spelling


def bare():
    """Return kind and name of each class that has no required arguments."""
    kinds = ("layer", "regularizer", "constraint", "initializer", "optimizer", "metric")
    found = [(kind, name) for kind in kinds for name in known(kind) if "Input" not in name]
    return [
        (kind, name)
        for kind, name in found
        if not any(argument.required for argument in arguments(known(kind)[name]).values())
    ]


def test_every_class_without_required_arguments_is_made_as_keras_makes_it():
    made = 0
    for kind, name in bare():
        try:
            theirs = known(kind)[name]().get_config()
        except (ValueError, TypeError, ImportError):
            # Keras needs one of several arguments, such as Discretization's bins, or SciPy.
            with pytest.raises(ConfigError):
                keras_parts.make(kind, read_part(name))
            continue
        ours = keras_parts.make(kind, read_part(name)).get_config()
        assert {**ours, "name": 0} == {**theirs, "name": 0}, name
        made += 1
    assert made > 130


def test_an_argument_takes_its_default_and_a_number_takes_no_text():
    checked = numbers = 0
    for kind in ("layer", "regularizer", "constraint", "initializer", "optimizer", "metric"):
        for name, target in known(kind).items():
            own = inspect.signature(target.__init__ if inspect.isclass(target) else target)
            for argument in arguments(target).values():
                parameter = own.parameters.get(argument.name)
                if parameter is None or parameter.default is parameter.empty or argument.part:
                    continue
                assert not argument.objection(parameter.default), (name, argument)
                checked += 1
                if type(parameter.default) in (int, float):
                    numbers += 1
                    assert argument.objection("1"), (name, argument)
                    assert argument.objection(float("nan")), (name, argument)
    assert checked > 500
    assert numbers > 100


def test_what_keras_wrote_of_a_layer_gives_the_layer():
    layer = keras.layers.Conv1D(
        3, 2, padding="same", activation="relu", kernel_regularizer="l2", dtype="mixed_float16"
    )
    written = json.loads(json.dumps(keras.layers.serialize(layer)))
    made = build_model(model_of(written, shape=(5, 2))).layers[0]
    assert made.get_config() == layer.get_config()


def test_wrappers_and_recurrent_layers_take_layers():
    model = build_model(
        model_of(
            {"TimeDistributed": {"layer": "Dense(5)"}},
            {"Bidirectional": {"layer": {"LSTM": {"units": 4, "return_sequences": True}}}},
            {"RNN": {"cell": [{"LSTMCell": {"units": 3}}, "GRUCell(2)"]}},
            shape=(6, 3),
        )
    )
    # A dense layer; two LSTMs with four gates; a cell of each kind, GRU with two biases.
    dense = 3 * 5 + 5
    lstms = 2 * 4 * (5 * 4 + 4 * 4 + 4)
    cells = 4 * (8 * 3 + 3 * 3 + 3) + 3 * (3 * 2 + 2 * 2 + 2 * 2)
    assert model.count_params() == dense + lstms + cells
    assert model.output_shape == (None, 2)


@pytest.mark.parametrize(
    "rate",
    [
        "ExponentialDecay(0.1, 100, 0.5)",
        "exponential_decay(1e-1, decay_steps=100, decay_rate=0.5)",
        {"ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 100, "decay_rate": 0.5}},
    ],
)
def test_a_learning_rate_can_follow_a_schedule(rate):
    model = build_model(model_of("Dense(1)", optimizer={"sgd": {"learning_rate": rate}}))
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)
    made = model.optimizer.get_config()["learning_rate"]
    assert made["config"] == schedule.get_config()


def test_an_integer_does_for_a_float():
    # Keras 3.15.1 refuses Adam(learning_rate=1), and computes a schedule from 1 in integers.
    model = build_model(model_of("Dense(1)", optimizer="adam(1)"))
    assert float(model.optimizer.learning_rate) == 1.0
    model = build_model(
        model_of("Dense(1)", optimizer="adam('InverseTimeDecay(1, decay_steps=1, decay_rate=1)')")
    )
    model.fit(np.ones((2, 8)), np.ones((2, 1)), verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5, rel=FLOAT32)
    # From its first value, 1, Keras would make 0 of 0.5.
    steps = {"PiecewiseConstantDecay": {"boundaries": [0], "values": [1, 0.5]}}
    model = build_model(model_of("Dense(1)", optimizer={"adam": {"learning_rate": steps}}))
    model.fit(np.ones((2, 8)), np.ones((2, 1)), verbose=0)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.5, rel=FLOAT32)


def test_what_keras_takes_is_taken():
    rescaling = {"Rescaling": {"scale": [1.0, 2.0], "offset": [0.0, 0.5]}}
    model = build_model(model_of(rescaling, shape=(2,)))
    assert model.predict(np.array([[1.0, 2.0]]), verbose=0).tolist() == [[1.0, 4.5]]
    layer = {"LSTM": {"units": 2, "use_cudnn": False}}
    assert build_model(model_of(layer, shape=(3, 2))).layers[0].use_cudnn is False


def test_lists_reach_keras_as_it_needs_them():
    # Precision(thresholds=(0.3, 0.7)) is an error in Keras 3.15.1.
    for form in ("precision(thresholds=[0.3, 0.7])", {"Precision": {"thresholds": [0.3, 0.7]}}):
        made = keras_parts.metric(read_part(form))
        assert made.thresholds == [0.3, 0.7]
    model = build_model(
        model_of(
            {
                "Conv2D": {
                    "filters": 2,
                    "kernel_size": [3, 1],
                    "kernel_constraint": "max_norm(1, [0, 1])",
                }
            },
            shape=(5, 5, 1),
        )
    )
    assert model.layers[0].kernel_size == (3, 1)
    assert model.layers[0].kernel_constraint.axis == (0, 1)


def test_an_activation_with_arguments_is_kept_when_saving(tmp_path):
    model = build_model(model_of({"Dense": {"units": 3, "activation": "leaky_relu(0.25)"}}))
    x = np.linspace(-2, 2, 16).reshape(2, 8)
    kernel = np.asarray(model.layers[0].kernel, "float64")
    linear = x @ kernel
    expected = np.where(linear > 0, linear, 0.25 * linear)
    near = {"rtol": FLOAT32, "atol": CANCELLATION * (np.abs(x) @ np.abs(kernel)).max()}
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, **near)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected, **near)


def test_what_keras_wrote_of_an_activation_gives_the_activation():
    layer = keras.layers.Dense(2, activation=keras.layers.LeakyReLU(negative_slope=0.3))
    made = build_model(model_of(keras.layers.serialize(layer))).layers[0]
    # Keras' function of this name has 0.2.
    assert made.activation.negative_slope == 0.3
    made = build_model(model_of("Dense(2, activation='relu(0.1, 6)')")).layers[0]
    assert (made.activation.negative_slope, made.activation.max_value) == (0.1, 6.0)


def test_the_same_config_gives_the_same_names_again():
    config = model_of(
        "Dense(4)",
        {"Dense": {"units": 3, "name": "dense_1"}},
        {"Reshape": {"target_shape": [3, 1]}},
        {"Bidirectional": {"layer": "LSTM(2)"}},
        "Dense(1)",
        metrics=["AUC", "Precision(thresholds=0.3)", "mse", "LogCoshError(dtype='float32')"],
    )
    first, second = build_model(config), build_model(config)
    names = [layer.name for layer in first.layers]
    assert names == ["dense", "dense_1", "reshape", "bidirectional", "dense_2"]
    assert [layer.name for layer in second.layers] == names
    assert [weight.path for weight in first.weights] == [weight.path for weight in second.weights]
    assert first.to_json() == second.to_json()
    rows = np.zeros((2, 8)), np.ones((2, 1))
    assert set(second.evaluate(*rows, verbose=0, return_dict=True)) == {
        "loss", "AUC", "precision", "mse", "logcosh",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("units", "labels", "expected"),
    [
        pytest.param(1, [[1.0], [1.0]], keras.metrics.BinaryAccuracy, id="binary"),
        pytest.param(3, [[1, 0, 0], [1, 0, 0]], keras.metrics.CategoricalAccuracy, id="one-hot"),
    ],
)
def test_keras_chooses_the_accuracy_that_fits(units, labels, expected):
    model = build_model(model_of(f"Dense({units})", metrics=["accuracy"]))
    model.evaluate(np.zeros((2, 8)), np.array(labels, "float32"), verbose=0)
    (metric,) = (each for each in model.metrics if each.name == "compile_metrics")
    assert [type(each) for each in metric.metrics] == [expected]


def test_every_fault_is_told_at_once_with_its_place(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(
        """\
model:
  - Input: {shape: [8]}
  - Dense:
      unit: 4
      kernel_regularizer: l3(0.01)
      use_bias: "no"
  - Flaten
compile:
  loss: mse
  optimizer: adam(learning_rat=1)
  metrics: [AUCC, MeanIoU]
"""
    )
    with pytest.raises(ConfigError) as raised:
        build_model(file)
    found = {(fault.line, fault.message.partition(".")[0]) for fault in raised.value.faults}
    assert found == {
        (4, "Layer 'Dense': it has no argument 'unit'"),
        (4, "Layer 'Dense': 'units' is missing"),
        (5, "There is no regularizer 'l3'"),
        (6, "Layer 'Dense': 'use_bias' must be True or False, got 'no' (str)"),
        (7, "There is no layer 'Flaten'"),
        (10, "Optimizer 'adam': it has no argument 'learning_rat'"),
        (11, "There is no metric 'AUCC'"),
        (11, "Metric 'MeanIoU': 'num_classes' is missing"),
    }
    for guess in ("'units'", "'Flatten'", "'learning_rate'", "'AUC'"):
        assert f"Did you mean {guess}" in str(raised.value)


BOTH = """\
model:
  - Input: {shape: [8]}
  - Lambda
  - Conv1D: {filters: -1, kernel_size: 2, kernel_regularizer: l2(0.01}
  - Flaten
compile:
  los: mse
  loss: focl
  optimizer: adm
  metrics: [3, AUCC]
fti: {}
"""


def test_what_keras_knows_is_told_with_what_shows_without_it(tmp_path):
    file = tmp_path / "bad.yaml"
    file.write_text(BOTH)
    with pytest.raises(ConfigError) as raised:
        build_model(file)
    assert [(fault.line, fault.path[-1]) for fault in raised.value.faults] == [
        (3, 1),
        (4, "filters"),
        (4, "kernel_regularizer"),
        (5, 3),
        (7, "los"),
        (8, "loss"),
        (9, "optimizer"),
        (10, 0),
        (10, 1),
        (11, "fti"),
    ]
    validated = CliRunner().invoke(main, ["validate", "--build", str(file)])
    assert validated.stdout.splitlines() == str(raised.value).splitlines()


def test_an_optimizer_that_cannot_be_read_hides_no_wrong_output():
    config = model_of("Dense(1)", metrics={"dens": "mae"}, optimizer=3)
    assert set(told(config)) == {"compile.optimizer", "compile.metrics.dens"}


def test_null_is_no_metric():
    model = build_model(model_of("Dense(1)", metrics=None))
    x, y = np.zeros((2, 8)), np.zeros((2, 1))
    assert [*model.evaluate(x, y, verbose=0, return_dict=True)] == ["loss"]


@pytest.mark.parametrize(
    ("layers", "at", "message"),
    [
        (["Dense(1000000000)", "Dense(1000000)"], 1, "would have 9,000,000,000 weights"),
        (
            ["Dense(50000)", "Dense(40000)", "Dense(10000)"],
            3,
            # 9 * 50000 + 50001 * 40000 before, and 40001 * 10000.
            "would have 400,010,000 weights, with those before it 2,400,500,000",
        ),
        (
            ["Reshape([1, 8])", {"TimeDistributed": {"layer": "Dense(1000000000)"}}],
            2,
            "would have 9,000,000,000 weights",
        ),
    ],
    ids=["one layer", "a sum", "a layer within"],
)
def test_a_model_of_too_many_weights_is_told_before_there_are_any(layers, at, message):
    assert message in told(model_of(*layers))[f"model.{at}"]


def test_counting_weights_leaves_none_for_keras_to_make():
    told(model_of("Dense(1000000000)"))
    # Keras gives values here to what an earlier scope has left without.
    with keras.StatelessScope():
        pass
    assert build_model(model_of("Dense(2)")).count_params() == 8 * 2 + 2


def test_an_integer_may_be_written_as_a_float_and_nothing_between():
    assert build_model(model_of({"Dense": {"units": 3e0}})).output_shape == (None, 3)
    found = told(model_of({"Dense": {"units": 4.5}}))
    reason = "expected a positive integer. Received: units=4.5."
    if IS_KERAS_3_12:
        reason = "invalid entry '4.5'"
    assert reason in found[f"model.{UNITS_AT}"]


def test_arguments_that_are_given_twice_are_told_in_their_order():
    text = "Dense(2, 'relu', True, 'ones', kernel_initializer='ones', activation='relu', units=3)"
    with pytest.raises(ConfigError) as raised:
        keras_parts.make("layer", read_part(text))
    assert [fault.message.split("'")[3] for fault in raised.value.faults] == [
        "units",
        "activation",
        "kernel_initializer",
    ]


def test_what_a_layer_takes_is_told_once():
    config = model_of({"LSTM": {"unit": 3, "activatoin": "relu"}}, shape=(4, 2))
    assert sum("It takes units" in message for message in told(config).values()) == 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 5)
    | st.floats(width=16)
    | st.text(max_size=5)
    | st.sampled_from(["same", "relu", "l2(0.1)", "max_norm", "int32", "LSTM(2)", "hann"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)


@st.composite
def any_layer(draw):
    """Return a layer with a few arguments, fitting or not."""
    name = draw(st.sampled_from(sorted(known("layer"))))
    taken = arguments(known("layer")[name])
    required = {each: draw(VALUES) for each in taken if taken[each].required}
    chosen = draw(st.lists(st.sampled_from([*taken, "nosuch"]), max_size=2))
    return {name: {**required, **{each: draw(VALUES) for each in chosen}}}


@settings(max_examples=150)
@given(any_layer(), st.sampled_from([(4,), (4, 3), (4, 4, 3)]))
def test_any_layer_gives_a_model_or_an_error_with_its_place(layer, shape):
    paths = set()
    try:
        assert build_model(model_of(layer, shape=shape)).built
    except ConfigError as error:
        paths = {fault.path[:2] for fault in error.faults}
    assert paths <= {("model", 1)}


@pytest.mark.parametrize(
    ("layer", "path", "message"),
    [
        (
            "Dense(2, 'relu', True, 'zeros', 'zeros', 1, 2, 3, 4, 5, 6, 7, 8, 9)",
            "1",
            "values without a name (units,",
        ),
        ("Dense(2, units=3)", "1", "'units' is given twice"),
        (
            {"Dense": {"units": "3"}},
            UNITS_AT,
            "invalid entry '3'" if IS_KERAS_3_12 else "expected a positive integer.",
        ),
        ({"Dense": {"units": {"class_name": "x"}}}, "1.Dense.units", "must be a string, a finite"),
        ({"ReLU": {"threshold": "1"}}, "1.ReLU.threshold", "must be a finite number or a list of"),
        ({"Conv1D": {"filters": -3, "kernel_size": 2}}, "1.Conv1D.filters", "strictly positive"),
        ({"Dropout": {"rate": 2}}, "1.Dropout.rate", "between 0 and 1"),
        ({"Dense": {"units": 3, "input_shape": [8]}}, "1.Dense.input_shape", "with Input"),
        ({"Dense": {"units": 3, "name": "a/b"}}, "1.Dense.name", "cannot contain character"),
        ({"Dense": {"units": 3, "dtype": "float99"}}, "1", "mixed_float16"),
        ({"Dense": {"units": 3, "bias_regularizer": "l2(-1)"}}, "1.Dense.bias_regularizer", "l2"),
        ({"RNN": {"cell": [{"GRUCell": {"unit": 2}}]}}, "1.RNN.cell.0.GRUCell.unit", "'units'"),
        ({"Bidirectional": {"layer": "Dense(3)"}}, "1", "Unrecognized keyword arguments"),
        ("Dense(2, activation='deserialize')", "1", "no activation 'deserialize'"),
        ("Dense(2, activation='gelu(approximate=True)')", "1", "take one of elu, leaky_relu, relu"),
        (
            {"Dense": {"units": 2, "activation": {"leaky_relu": {"negative_slope": -1}}}},
            "1.Dense.activation.leaky_relu.negative_slope",
            "cannot be None or negative",
        ),
        ("sigmoid", "1", "write {'Activation': {'activation': 'sigmoid'}}"),
        ("os.system", "1", "There is no layer 'os.system'"),
        ({"class_name": "Dense", "module": "os", "config": {"units": 3}}, "1", "can't name code"),
    ],
)  # fmt: skip
def test_a_wrong_layer_is_told(layer, path, message):
    found = told(model_of(layer))
    assert message in found[f"model.{path}"]


@pytest.mark.parametrize(
    ("optimizer", "message"),
    [
        ("adam('x')", "A learning rate must be a number or a schedule, got 'x'."),
        ("adm", "Did you mean 'Adam'"),
        ("adam(clipnorm=1, clipvalue=2)", "Only one of `clipnorm`, `clipvalue`"),
        ("adam(beta_1='1')", "'beta_1' must be a finite number or a list of numbers, got '1'"),
        ("adam('ExponentialDecay(0.1)')", "'decay_steps' is missing"),
        ("MultiOptimizer", "it takes Python objects"),
    ],
)
def test_a_wrong_optimizer_is_told(optimizer, message):
    assert message in told(model_of("Dense(1)", optimizer=optimizer))["compile.optimizer"]


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        ("Mean", "There is no metric 'Mean'"),
        ("MeanMetricWrapper(1)", "it runs a function"),
        ("AUC(curve='RUC')", "Expected values are"),
        ("l2", "There is no metric 'l2'"),
    ],
)
def test_a_wrong_metric_is_told(metric, message):
    assert message in told(model_of("Dense(1)", metrics=[metric]))["compile.metrics.0"]


@pytest.mark.parametrize(
    "layer", ["Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "flax_layer"]
)
def test_a_layer_that_runs_a_program_is_refused(layer):
    assert "runs a" in told(model_of(layer))["model.1"]
    with pytest.raises(ConfigError, match="There is no layer"):
        keras_parts.make("layer", Part(name=layer))


@pytest.mark.parametrize("layer", ["StringLookup", "IntegerLookup", "TextVectorization"])
def test_no_layer_opens_a_file(layer, tmp_path):
    words = tmp_path / "words.txt"
    words.write_text("1\n2\n")
    found = told(model_of({layer: {"vocabulary": str(words)}}))
    assert "'vocabulary' must be a list" in found[f"model.1.{layer}.vocabulary"]


@pytest.mark.parametrize(
    ("layers", "at", "message"),
    [
        pytest.param(["LSTM(3)"], 1, "the input: Input 0", id="an LSTM behind features"),
        pytest.param(
            ["Reshape([2, 2, 2])", "LSTM(3)", {"Dense": {"units": 3}}],
            2,
            "after an output of shape (None, 2, 2, 2)",
            id="an LSTM behind images",
        ),
        pytest.param(["Reshape([3, 3])"], 1, "The total size", id="a wrong reshape"),
        pytest.param(["Add"], 1, "should be called on a list", id="a merge in a list"),
    ],
)
def test_a_layer_that_does_not_fit_is_told_at_its_place(layers, at, message):
    found = told(model_of(*layers))
    assert list(found) == [f"model.{at}"]
    assert message in found[f"model.{at}"]
    assert "\x1b" not in found[f"model.{at}"]


def test_faults_behind_a_layer_that_does_not_fit_are_told_too():
    found = told(model_of("LSTM(3)", {"Dense": {"units": 3, "activation": "rellu"}}))
    assert sorted(found) == ["model.1", "model.2.Dense.activation"]


def test_a_model_begins_with_its_input_and_has_one():
    config = model_of("Dense(3)")
    del config["model"][0]
    assert "Put {'Input': {'shape': [64]}} before 'Dense'" in told(config)["model.0"]
    config = model_of("Dense(3)", {"Input": {"shape": [3]}})
    assert "Only the first layer can be 'Input'" in told(config)["model.2"]
    assert "nothing after it" in told(model_of())["model.0"]


def test_a_name_that_stands_twice_is_told():
    twice = {"Dense": {"units": 3, "name": "a"}}
    assert "unique names" in told(model_of(twice, twice))["model.2"]


def test_the_only_output_can_be_named():
    config = model_of(
        {"Dense": {"units": 1, "name": "score"}},
        loss={"outputs": {"score": "huber(0.3)"}},
        loss_weights={"score": 3.0},
        metrics={"score": ["mae"]},
    )
    model = build_model(config)
    x, y = np.ones((4, 8)), np.zeros((4, 1))
    value = keras.losses.Huber(0.3)(y, model.predict(x, verbose=0))
    result = model.evaluate(x, y, verbose=0, return_dict=True)
    assert result["loss"] == pytest.approx(3 * float(value), rel=EACH_OTHER)
    assert set(result) == {"loss", "mae"}
    config["compile"]["loss"] = {"outputs": {"scores": "mse"}}
    found = told(config)
    assert "Did you mean 'score'? Its only output is score." in found["compile.loss.outputs.scores"]
    assert "The output 'score' has no loss" in found["compile.loss.outputs"]


def test_a_saved_model_loads_with_its_loss(tmp_path):
    config = model_of("Dense(1)", loss="mse + 0.5 * huber(delta=0.3)", metrics=["mae", "accuracy"])
    model = build_model(config)
    x, y = np.linspace(0, 1, 32).reshape(4, 8), np.ones((4, 1))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.loss == model.loss == lossreg.get_loss("mse + 0.5 * huber(delta=0.3)")
    evaluated = model.evaluate(x, y, verbose=0, return_dict=True)
    assert loaded.evaluate(x, y, verbose=0, return_dict=True) == pytest.approx(
        evaluated, rel=EACH_OTHER
    )


@pytest.mark.fresh
def test_a_saved_model_loads_in_a_fresh_process(tmp_path):
    model = build_model(model_of("Dense(1)", loss="0.5 * huber(delta=0.3) + mae"))
    model.fit(np.ones((4, 8)), np.ones((4, 1)), verbose=0)
    model.save(tmp_path / "m.keras")
    code = f"""
import lossreg, keras
print(keras.models.load_model({str(tmp_path / "m.keras")!r}).loss.bound)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.strip() == str(lossreg.bind("0.5 * huber(delta=0.3) + mae"))


def test_names_of_one_kind_fold_to_one_thing():
    for kind in ("layer", "regularizer", "constraint", "initializer", "optimizer", "metric"):
        assert set(by_key(kind).values()) == set(known(kind).values())
