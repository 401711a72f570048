"""What must hold on every backend; `make test-jax` and `make test-torch` run these on theirs."""

import pickle

import keras
import numpy as np
import pytest
from tolerances import EACH_OTHER

import lossreg
from lossreg.errors import ShapeError
from lossreg.loss import DTYPES, REDUCTIONS

FOCAL = [
    pytest.param("focal", {"gamma": 1.5, "alpha": 0.6, "from_logits": True}, id="focal"),
    pytest.param("categorical_focal", {"gamma": 1.5, "from_logits": True}, id="categorical"),
    pytest.param("sparse_focal", {"gamma": 1.5, "from_logits": True}, id="sparse"),
    pytest.param("huber", {"delta": 0.3}, id="huber"),
]


def data(name):
    """Return inputs, and labels that a linear model can learn from them."""
    x = np.random.default_rng(3).normal(size=(64, 4)).astype("float32")
    classes = np.argmax(x, axis=-1)
    labels = classes if name == "sparse_focal" else np.eye(4, dtype="float32")[classes]
    return x, labels


@pytest.mark.parametrize(("name", "params"), FOCAL)
def test_a_model_trains_saves_loads_and_goes_on(name, params, tmp_path):
    x, y = data(name)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)])
    model.compile(keras.optimizers.Adam(0.05), lossreg.get_loss(name, **params))
    before = model.fit(x, y, epochs=3, batch_size=16, verbose=0).history["loss"]
    assert before[-1] < before[0]
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    assert loaded.loss == model.loss
    assert loaded.loss.params == {**loaded.loss.params, **params}
    after = loaded.fit(x, y, epochs=2, batch_size=16, verbose=0).history["loss"]
    assert after[-1] < before[-1]


@pytest.mark.parametrize(("name", "params"), FOCAL)
def test_a_loss_pickles_with_its_parameters(name, params):
    loss = lossreg.get_loss(name, dtype="float16", **params)
    again = pickle.loads(pickle.dumps(loss))
    assert (again.params, again.dtype) == (loss.params, "float16")


@pytest.mark.parametrize("name", ["focal", "categorical_focal", "mse", "sparse_focal"])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "sum", "mean_with_sample_weight"])
def test_an_empty_batch_costs_nothing(name, reduction):
    labels = np.zeros((0,), "int32") if name == "sparse_focal" else np.zeros((0, 3), "float32")
    value = lossreg.get_loss(name, reduction=reduction)(labels, np.zeros((0, 3), "float32"))
    assert np.asarray(value).shape == ()
    assert float(value) == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_that_a_config_may_name_computes(dtype):
    loss = lossreg.get_loss("mse", dtype=dtype)
    assert float(loss([[1.0]], [[3.0]])) == 4.0


@pytest.mark.parametrize("reduction", [*REDUCTIONS, None])
def test_every_reduction_that_a_config_may_name_reduces(reduction):
    value = lossreg.get_loss("mse", reduction=reduction)([[1.0], [1.0]], [[3.0], [5.0]])
    # 2 and 4, squared.
    expected = {"sum": 20.0, "none": [4.0, 16.0], None: [4.0, 16.0]}.get(reduction, 10.0)
    assert keras.ops.convert_to_numpy(value).tolist() == expected


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "label"), [("bce", 3.0), ("dice", 3.0), ("scce", 7)])
def test_labels_are_checked_in_every_dtype(name, label, dtype):
    y_true = np.full((4,) if name == "scce" else (4, 3), label)
    with pytest.raises(ShapeError, match="y_true must"):
        lossreg.get_loss(name, dtype=dtype)(y_true, np.full((4, 3), 1 / 3, "float32"))


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="torch's tensors have a gradient")
@pytest.mark.parametrize("form", [lossreg.get_loss, lossreg.get_loss_fn])
@pytest.mark.parametrize("name", ["bce", "focal", "dice", "cce", "mse"])
def test_labels_may_require_a_gradient(form, name):
    import torch

    rows = torch.tensor([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    labels = rows.clone().requires_grad_()
    value = form(name)(labels, rows).sum()
    assert float(value.detach()) == pytest.approx(
        float(form(name)(rows, rows).sum()), rel=EACH_OTHER
    )
