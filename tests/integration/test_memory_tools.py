"""Configs, objectives and checks of data with losses that have memory."""

import keras
import numpy as np
import pytest
from keras import ops
from tolerances import EACH_OTHER

import lossreg
from lossreg.errors import ConfigError, DataError

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = (X[:, :1] > 0).astype("float32")
LAYERS = [{"Input": {"shape": [3]}}, "Dense(1)"]
LOSS = "linear(0, 1, epochs=4) * mse + 0.5 * ghm_c(momentum=0.5, from_logits=True)"


def built(**options):
    return lossreg.build_model({"model": LAYERS, "compile": {"optimizer": "sgd", **options}})


def test_a_config_builds_a_model_that_remembers():
    model = built(loss=LOSS, metrics=["mae"])
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert {"loss", "mae", "mean_squared_error"} <= history.keys()
    shares = next(w for w in model.weights if w.path.endswith("/shares"))
    assert float(ops.sum(shares)) == pytest.approx(0.75, rel=EACH_OTHER)


def test_a_config_names_a_teacher_by_its_file(tmp_path):
    teacher = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation="softmax")])
    teacher.save(tmp_path / "teacher.keras")
    layers = [LAYERS[0], "Dense(2, activation='softmax')"]
    loss = "distill + 0.5 * sparse_categorical_crossentropy"
    config = {"loss": loss, "teacher": str(tmp_path / "teacher.keras")}
    model = lossreg.build_model({"model": layers, "compile": config})
    np.testing.assert_array_equal(model.teacher.predict(X), teacher.predict(X))
    model.fit(X, Y[:, 0], verbose=0)


@pytest.mark.parametrize("content", [None, b"nothing"])
def test_a_teacher_that_is_no_saved_model_is_told_with_its_place(content, tmp_path):
    file = tmp_path / "teacher.keras"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"compile.teacher: .*isn't a saved model"):
        built(loss="mse", teacher=str(file))


def test_objective_shows_each_term():
    model = built(loss=LOSS)
    model.fit(X, Y, epochs=2, verbose=0)
    found = lossreg.objective(model, X, Y)
    assert [term.name for term in found.terms] == [
        "linear(0.0, 1.0, epochs=4) * mean_squared_error",
        "0.5 * ghm_c(momentum=0.5, from_logits=True)",
    ]
    error = np.mean((Y - model.predict(X, verbose=0)) ** 2)
    assert found.terms[0].value == pytest.approx(0.5 * error, rel=EACH_OTHER)
    loss = model.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
    assert found.total == pytest.approx(loss, rel=EACH_OTHER)


LABELS = {"mask": Y, "other": 2 * Y}
FIELDS = {"sum": [{"name": "mse"}, {"name": "binary_crossentropy", "field": "mask"}]}


@pytest.mark.parametrize(
    ("loss", "labels", "message"),
    [
        (LOSS, Y, None),
        (FIELDS, {"mask": Y, "target": Y}, None),
        (LOSS, Y - 1, "ghm_c"),
        (FIELDS, {"mask": Y - 1, "target": Y}, "binary_crossentropy"),
        (FIELDS, {"target": Y}, "takes the label 'mask'"),
        (FIELDS, {"mask": Y, "a": Y, "b": Y}, "nothing says which of them"),
    ],
)
def test_data_are_checked_for_each_term(loss, labels, message):
    findings = lossreg.check_data(loss, labels, np.full_like(Y, 0.3))
    assert bool(findings) == (message is not None)
    assert message is None or message in str(findings[0])


def test_the_first_batch_of_a_training_is_checked():
    own = {"name": "binary_crossentropy", "params": {"from_logits": True}, "field": "mask"}
    model = built(loss={"sum": [{"name": "mse"}, own]})
    with pytest.raises(DataError, match="binary_crossentropy"):
        model.fit(X, {"mask": Y - 1, "target": Y}, callbacks=[lossreg.DataCheck()], verbose=0)
    model.fit(X, {"mask": Y, "target": Y}, callbacks=[lossreg.DataCheck()], verbose=0)
    assert np.isfinite(model.evaluate(X, {"mask": Y, "target": Y}, verbose=0)).all()
