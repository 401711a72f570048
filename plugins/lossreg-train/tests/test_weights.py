"""Weights of samples and of classes in a config: which number each label counts with."""

import keras
import numpy as np
import pytest
import yaml
from tolerances import EACH_OTHER, FLOAT32, TRAINED

from lossreg import ConfigError
from lossreg.config import read_experiment
from lossreg_train.fit import fit
from lossreg_train.trial import prepare, read_data

ROWS = 12
RNG = np.random.default_rng(2)


def config(tmp_path, layers, loss, columns, **sections):
    """Return a config, with its data in a file."""
    np.savez(tmp_path / "data.npz", **columns)
    data = {"file": str(tmp_path / "data.npz"), "target": "y", "features": "x", "split": 0.25}
    return {
        "model": [{"Input": {"shape": list(columns["x"].shape[1:])}}, *layers],
        "compile": {"optimizer": "sgd", "loss": loss},
        "data": {**data, **sections.pop("data", {})},
        "fit": {"epochs": 2, "batch_size": ROWS, **sections.pop("fit", {})},
    }


def trial(given):
    experiment = read_experiment(given)
    return prepare(experiment, read_data(experiment))


def refused(given):
    with pytest.raises(ConfigError) as caught:
        trial(given)
    return [str(fault) for fault in caught.value.faults]


NUMBERS = np.arange(ROWS) % 3
STEPS = RNG.integers(0, 3, size=(ROWS, 5))
PIXELS = RNG.integers(0, 2, size=(ROWS, 4, 4))
KINDS = {
    "binary": ([{"Dense": {"units": 1}}], "bce(from_logits=True)", NUMBERS % 2, NUMBERS % 2),
    "numbers": ([{"Dense": {"units": 3}}], "scce(from_logits=True)", NUMBERS, NUMBERS),
    "one-hot": ([{"Dense": {"units": 3}}], "cce(from_logits=True)", np.eye(3)[NUMBERS], NUMBERS),
    "signs": ([{"Dense": {"units": 1}}], "hinge", NUMBERS % 2 * 2 - 1, NUMBERS % 2),
    "steps": ([{"Dense": {"units": 3}}], "scce(from_logits=True)", STEPS, STEPS),
    "steps of a trailing 1": (
        [{"Dense": {"units": 3}}],
        "scce(from_logits=True)",
        STEPS[..., None],
        STEPS,
    ),
    "one-hot steps": ([{"Dense": {"units": 3}}], "cce(from_logits=True)", np.eye(3)[STEPS], STEPS),
    "pixels": ([{"Conv2D": {"filters": 1, "kernel_size": 1}}], "bce(from_logits=True)",
               PIXELS[..., None], PIXELS),
    "pixels without a channel": ([{"Conv2D": {"filters": 1, "kernel_size": 1}}],
                                 "bce(from_logits=True)", PIXELS, PIXELS),
}  # fmt: skip
INPUTS = {"steps": (5, 2), "one-hot steps": (5, 2), "steps of a trailing 1": (5, 2)}
INPUTS |= {"pixels": (4, 4, 1), "pixels without a channel": (4, 4, 1)}


@pytest.mark.parametrize("kind", KINDS)
def test_each_label_is_weighed_by_its_class(tmp_path, kind):
    layers, loss, labels, classes = KINDS[kind]
    x = RNG.normal(size=(ROWS, *INPUTS.get(kind, (2,))))
    names = {0: -1, 1: 1} if kind == "signs" else {0: 0, 1: 1}
    weights = {names[0]: 0.5, names[1]: 5}
    columns = {"x": x, "y": labels, "i": np.arange(ROWS)}
    found = trial(config(tmp_path, layers, loss, columns, fit={"class_weight": weights}))
    # Which rows were held out, by their features.
    rows = [
        int(np.abs(x - row).reshape(ROWS, -1).sum(axis=1).argmin()) for row in found.data.train.x
    ]
    expected = np.choose(classes[rows], [0.5, 5, 1])
    np.testing.assert_array_equal(found.data.train.weight, expected.astype("float32"))
    assert found.data.validation.weight is None
    # The loss is the mean of w * value, which Keras divides by the number of values.
    train, model = found.data.train, found.model
    values = np.array(model.loss.call(train.y, model.predict(train.x, verbose=0)))
    logged = model.evaluate(train.x, train.y, sample_weight=train.weight, verbose=0)
    assert logged == pytest.approx(float(np.mean(expected * values)), rel=EACH_OTHER)


def test_a_sample_weighs_as_keras_class_weight_where_keras_takes_it(tmp_path):
    columns = {"x": RNG.normal(size=(ROWS, 2)), "y": NUMBERS % 2}
    layers = [{"Dense": {"units": 1}}]
    given = config(tmp_path, layers, "bce(from_logits=True)", columns, fit={"class_weight": {1: 5}})
    ours, keras_own = trial(given), trial(given)
    options = {"batch_size": ROWS, "shuffle": False, "epochs": 3, "verbose": 0}
    train = ours.data.train
    first = ours.model.fit(train.x, train.y, sample_weight=train.weight, **options)
    second = keras_own.model.fit(train.x, train.y, class_weight={0: 1, 1: 5}, **options)
    assert first.history["loss"] == pytest.approx(second.history["loss"], rel=TRAINED)


@pytest.mark.parametrize(
    ("target", "classes", "weights"),
    [
        pytest.param(["no", "yes"], None, {"yes": 5}, id="strings, sorted"),
        pytest.param(["01", "1"], ["01", "1"], {"1": 5}, id="strings of digits"),
        pytest.param([1, 2], [1, 2], {2: 5}, id="listed numbers"),
        pytest.param([0, 1], ["no", "yes"], {"yes": 5}, id="names"),
        pytest.param([0, 1], ["no", "yes"], {1: 5}, id="an index"),
    ],
)
def test_keys_are_the_classes_as_the_config_names_them(tmp_path, target, classes, weights):
    rows = [f"{index},{target[index % 3 == 0]}" for index in range(ROWS)]
    (tmp_path / "a.csv").write_text("x,y\n" + "\n".join(rows))
    given = config(
        tmp_path,
        [{"Dense": {"units": 1}}],
        "bce(from_logits=True)",
        {"x": np.ones((2, 1))},
        data={"file": str(tmp_path / "a.csv"), "classes": classes},
        fit={"class_weight": weights},
    )
    train = trial(given).data.train
    rare = train.x[:, 0] % 3 == 0
    assert train.weight.tolist() == np.where(rare, 5.0, 1.0).tolist()


def test_a_column_weighs_the_samples_of_both_parts(tmp_path):
    x = np.arange(ROWS, dtype=float)[:, None]
    columns = {"x": x, "y": 2 * x[:, 0], "w": np.arange(ROWS) + 1}
    given = config(tmp_path, [{"Dense": {"units": 1}}], "mse", columns, data={"weight": "w"})
    found = trial(given).data
    for part in (found.train, found.validation):
        assert part.weight.tolist() == (part.x[:, 0] + 1).tolist()


def test_weights_of_pixels_and_of_classes_are_multiplied(tmp_path):
    x = RNG.normal(size=(ROWS, 4, 4, 1))
    pixel_weight = RNG.uniform(size=(ROWS, 4, 4))
    layers = [{"Conv2D": {"filters": 1, "kernel_size": 1}}]
    for weight in (pixel_weight, pixel_weight[:, 0, 0]):
        columns = {"x": x, "y": PIXELS, "w": weight}
        given = config(
            tmp_path, layers, "bce(from_logits=True)", columns,
            data={"weight": "w"}, fit={"class_weight": {1: 3}},
        )  # fmt: skip
        train = trial(given).data.train
        rows = [int(np.abs(x - row).reshape(ROWS, -1).sum(axis=1).argmin()) for row in train.x]
        wide = weight.reshape(weight.shape + (1,) * (3 - weight.ndim))
        expected = (wide * np.where(PIXELS == 1, 3.0, 1.0))[rows]
        np.testing.assert_allclose(train.weight, expected, rtol=FLOAT32)


def test_a_column_weighs_every_output(tmp_path):
    inputs = keras.Input((1,), name="x")
    heads = [keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")]
    (tmp_path / "model.json").write_text(keras.Model(inputs, heads).to_json())
    columns = {"x": np.ones((ROWS, 1)), "y": np.arange(ROWS), "w": np.linspace(0, 2, ROWS)}
    given = config(tmp_path, [], {"outputs": {"a": "mse", "b": "mae"}}, columns)
    given["model"] = str(tmp_path / "model.json")
    given["data"] |= {"weight": "w", "target": {"a": "y", "b": "y"}}
    train = trial(given).data.train
    # Every x is 1, every y is a row, and w is in proportion to it.
    np.testing.assert_allclose(train.weight, 2 / 11 * train.y[1][:, 0], rtol=FLOAT32)
    run = fit(given, tmp_path / "run")
    logs = run.epochs[-1].logs
    assert run.epochs[-1].validation.total == pytest.approx(logs["val_loss"], rel=EACH_OTHER)
    assert "one output" in refused({**given, "fit": {"class_weight": {1: 2}}})[0]


def test_a_weight_column_is_no_feature(tmp_path):
    rows = [f"{index},{index % 2},{index + 1}" for index in range(ROWS)]
    (tmp_path / "a.csv").write_text("x,y,w\n" + "\n".join(rows))
    given = config(tmp_path, [{"Dense": {"units": 1}}], "mse", {"x": np.ones((2, 1))})
    given["data"] = {"file": str(tmp_path / "a.csv"), "target": "y", "weight": "w"}
    assert read_data(read_experiment(given)).config.features == "x"


def test_the_config_of_a_run_with_weights_repeats_it(tmp_path):
    x = RNG.normal(size=(ROWS, 2))
    columns = {"x": x, "y": NUMBERS, "w": np.linspace(0.1, 2, ROWS)}
    given = config(
        tmp_path, [{"Dense": {"units": 3}}], "scce(from_logits=True)", columns,
        data={"weight": "w"}, fit={"class_weight": {0: 0.5, 2: 4}},
    )  # fmt: skip
    first = fit(given, tmp_path / "first")
    written = yaml.safe_load((tmp_path / "first" / "config.yaml").read_text())
    assert written["data"]["weight"] == "w"
    assert written["fit"]["class_weight"] == {"0": 0.5, "2": 4.0}
    again = fit(tmp_path / "first" / "config.yaml", tmp_path / "again")
    for before, after in zip(first.epochs, again.epochs, strict=True):
        assert after.logs == pytest.approx(before.logs, rel=TRAINED)
    # The terms of the objective are weighed as the loss is.
    validation = first.epochs[-1].validation
    assert validation.total == pytest.approx(first.epochs[-1].logs["val_loss"], rel=EACH_OTHER)


@pytest.mark.parametrize("written", ["{0: 1, 1: 5}", '{"0": 1, "1": 5}'])
def test_numbers_of_classes_need_no_quotes_in_yaml(tmp_path, written):
    file = tmp_path / "c.yaml"
    file.write_text(
        "model:\n  - Input: {shape: [2]}\n  - Dense: {units: 1}\n"
        f"compile: {{loss: bce}}\nfit: {{class_weight: {written}}}\n"
    )
    assert read_experiment(file).fit.class_weight == {"0": 1.0, "1": 5.0}


ONE = [{"Dense": {"units": 1}}]


@pytest.mark.parametrize(
    ("layers", "loss", "labels", "sections", "message"),
    [
        pytest.param(
            ONE, "bce(from_logits=True)", NUMBERS % 2, {"fit": {"class_weight": {2: 5}}},
            "fit.class_weight.2: The target has no class '2'. It has 0, 1.", id="no such class",
        ),
        pytest.param(
            ONE, "mse", NUMBERS, {"fit": {"class_weight": {1: 5}}},
            "fit.class_weight: class_weight weighs labels that are classes, and those of "
            "'mean_squared_error' aren't. Use 'data.weight'.", id="no classes",
        ),
        pytest.param(
            [{"Dense": {"units": 3}}], "bce(from_logits=True)", np.eye(3)[NUMBERS],
            {"fit": {"class_weight": {1: 5}}},
            "fit.class_weight: class_weight needs one class for each sample, pixel or step, and "
            "the target is of shape [3]: each of its columns is a class of its own. Use",
            id="several labels",
        ),
        pytest.param(
            [{"Dense": {"units": 1, "activation": "sigmoid"}}], "dice", NUMBERS % 2,
            {"fit": {"class_weight": {1: 5}}}, "fit.class_weight: Loss 'dice' takes no",
            id="a loss with one value",
        ),
        pytest.param(
            ONE, "mse", NUMBERS, {"data": {"weight": "minus"}},
            "data.weight: Weights must be >= 0, but the least of 'minus' is -3.", id="negative",
        ),
        pytest.param(
            ONE, "mse", NUMBERS, {"data": {"weight": "gaps"}},
            "data.weight: Each row needs a weight: 'gaps' has 1 missing. Write 0 or 1.", id="gaps",
        ),
        pytest.param(
            ONE, "mse", NUMBERS, {"data": {"weight": "words"}},
            "data.weight: Weights must be numbers, but 'words' holds strings (such as 'w'",
            id="strings",
        ),
        pytest.param(
            ONE, "mse", NUMBERS, {"data": {"weight": "mins"}},
            "data.weight: 'data.npz' has no array 'mins'. Did you mean 'minus'?", id="a typo",
        ),
    ],
)  # fmt: skip
def test_weights_that_cant_be_used_are_named(tmp_path, layers, loss, labels, sections, message):
    columns = {
        "x": RNG.normal(size=(ROWS, 2)),
        "y": labels,
        "minus": np.arange(ROWS) - 3,
        "gaps": np.array([np.nan, *range(1, ROWS)]),
        "words": np.array(["w"] * ROWS),
    }
    given = config(tmp_path, layers, loss, columns, **sections)
    (fault,) = [f.replace(str(tmp_path) + "/", "") for f in refused(given)]
    assert message in fault


@pytest.mark.parametrize("value", [{"1": -1}, {"1": "5"}, [1, 5], {"1": True}])
def test_a_class_weight_is_a_mapping_to_numbers(tmp_path, value):
    columns = {"x": np.ones((ROWS, 2)), "y": NUMBERS % 2}
    given = config(tmp_path, ONE, "bce", columns, fit={"class_weight": value})
    (fault,) = refused(given)
    assert "'class_weight' must be null, or a mapping from classes to numbers >= 0" in fault


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        pytest.param(np.ones(ROWS, dtype=int), "1", id="numbers"),
        pytest.param(np.eye(3)[[2] * ROWS], "class 2", id="one-hot rows"),
        pytest.param(np.zeros((ROWS, 4, 4), dtype=int), "0", id="masks"),
    ],
)
def test_a_target_with_one_class_is_reported(tmp_path, labels, what):
    columns = {"x": RNG.normal(size=(ROWS, 2)), "y": labels}
    dataset = read_data(read_experiment(config(tmp_path, ONE, "mse", columns)))
    assert dataset.notes == [
        f"The target 'y' is {what} in all 12 rows, so there is nothing to tell apart. "
        "Check the file and the target."
    ]
    columns["y"] = PIXELS
    assert not read_data(read_experiment(config(tmp_path, ONE, "mse", columns))).notes


def test_a_run_reports_a_target_with_one_class(tmp_path):
    keras.utils.set_random_seed(1)
    columns = {"x": RNG.normal(size=(ROWS, 2)), "y": np.ones(ROWS)}
    messages = []
    fit(config(tmp_path, ONE, "mse", columns), tmp_path / "run", report=messages.append)
    assert messages[0].startswith("The target 'y' is 1 in all 12 rows")
