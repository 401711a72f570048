"""Losses with memory, several label tensors and other inputs, in models that carry them."""

from typing import Annotated, Any

import keras
import numpy as np
import pytest
from annotated_types import Ge, Lt
from keras import ops
from tolerances import CANCELLATION, EACH_OTHER, FLOAT32, TRAINED

import lossreg
from lossreg import Fields, LossFunction, Needs, State
from lossreg.errors import ConfigError, DataError, LossregError

X = np.linspace(-1, 1, 24, dtype="float32").reshape(8, 3)
Y = X.sum(axis=1, keepdims=True)


def counting(y_true, y_pred, steps: Annotated[Any, State()]):
    """Squared error, and the number of steps so far."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1), steps + 1


def averaging(
    y_true,
    y_pred,
    sizes: Annotated[Any, State("bins")],
    *,
    bins: int = 4,
    momentum: Annotated[float, Ge(0), Lt(1)] = 0.5,
):
    """Absolute error, and a moving mean of the errors of the first samples."""
    error = ops.abs(y_true - y_pred)
    return ops.mean(error, axis=-1), momentum * sizes + (1 - momentum) * error[:bins, 0]


def scaled(y_true, y_pred, scale: Annotated[Any, State(initial=2.0, trainable=True)]):
    """Squared error with a learned scale, as a Gaussian's."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1) / scale + ops.log(scale)


def near(y_true: Annotated[Any, Fields("mask", "distance")], y_pred):
    """A mask and how far each entry is from it."""
    return ops.mean(y_true["distance"] * ops.abs(y_true["mask"] - y_pred), axis=-1)


def smooth(y_true, y_pred, x: Annotated[Any, Needs("x")]):
    """Squared error that counts more where the inputs are large."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1) * ops.max(ops.abs(x), axis=-1)


def decayed(
    y_true,
    y_pred,
    hidden: Annotated[Any, Needs("hidden")],
    kernel: Annotated[Any, Needs("kernel")],
):
    """Squared error of the last layer, computed again."""
    return ops.mean(ops.square(y_true - ops.matmul(hidden, kernel)), axis=-1)


def taught(y_true, y_pred, teacher: Annotated[Any, Needs("teacher")]):
    """Squared distance to what the teacher says."""
    return ops.mean(ops.square(teacher - y_pred), axis=-1)


def weighed(
    y_true,
    y_pred,
    terms: Annotated[Any, Needs("terms")],
    logs: Annotated[Any, State("terms", trainable=True)],
    *,
    losses: tuple[LossFunction, ...],
):
    """A sum whose weights are learned."""
    return ops.sum(ops.exp(-logs) * ops.stack(terms) + logs)


def maybe(
    y_true,
    y_pred,
    sizes: Annotated[Any, State("bins", when="momentum")] = None,
    *,
    bins: int = 2,
    momentum: Annotated[float, Ge(0), Lt(1)] | None = None,
):
    """Squared error, and a memory where there is a momentum."""
    values = ops.mean(ops.square(y_true - y_pred), axis=-1)
    return values if sizes is None else (values, momentum * sizes + 1)


def hidden_only(
    y_true,
    y_pred: Annotated[Any, Needs("hidden")],
    kernel: Annotated[Any, Needs("kernel")],
    weights: Annotated[Any, Needs("weights")],
):
    """Squared error of the last layer, from what it got; weights and masks are in it."""
    return ops.sum(weights * ops.mean(ops.square(y_true - ops.matmul(y_pred, kernel)), axis=-1))


PLAIN = (maybe, hidden_only, counting, averaging, scaled, near, smooth, decayed, taught)


@pytest.fixture(autouse=True)
def registered():
    for loss in PLAIN:
        lossreg.register(loss, replace=True)
    lossreg.register(weighed, replace=True, per="batch")


def new_model(outputs=1):
    keras.utils.set_random_seed(1)
    return keras.Sequential([keras.Input((3,)), keras.layers.Dense(outputs, use_bias=False)])


def compiled(loss, optimizer="sgd", **options):
    return lossreg.compile(new_model(), optimizer, loss=loss, **options)


def state(model, name):
    (found,) = (w for w in model.weights if w.path.endswith(f"/{name}") or w.name == name)
    return np.asarray(ops.convert_to_numpy(found))


def test_a_plain_loss_leaves_the_model_as_it_is():
    model = new_model()
    assert lossreg.compile(model, "sgd", loss="huber(delta=2)") is model
    assert model.loss.params == {"delta": 2.0}


def test_state_counts_every_step_of_training_and_none_of_validation():
    model = compiled("counting")
    model.fit(X, Y, batch_size=2, epochs=5, validation_data=(X, Y), verbose=0)
    model.evaluate(X, Y, verbose=0)
    assert state(model, "steps") == 5 * 4


def test_two_hundred_steps_with_validation_between_count_as_two_hundred():
    model = compiled("counting")
    model.fit(X, Y, batch_size=2, epochs=50, validation_data=(X, Y), verbose=0)
    assert state(model, "steps") == 200


def test_state_after_fifty_steps_is_the_same_on_every_backend():
    model = compiled("averaging(bins=3, momentum=0.9)", keras.optimizers.SGD(0.05))
    kernel = np.asarray(model.get_weights()[0], "float64")
    expected = np.zeros(3)
    for _ in range(50):
        error = X @ kernel - Y
        expected = 0.9 * expected + 0.1 * np.abs(error)[:3, 0]
        kernel = kernel - 0.05 * X.T @ np.sign(error) / 8
        model.train_on_batch(X, Y)
    np.testing.assert_allclose(state(model, "sizes"), expected, rtol=0, atol=1e-6)


def test_the_layers_and_weights_are_those_of_the_model():
    model = new_model()
    carrying = lossreg.compile(model, "sgd", loss="counting")
    carrying.fit(X, Y, verbose=0)
    np.testing.assert_array_equal(model.predict(X, verbose=0), carrying.predict(X, verbose=0))


def test_state_follows_its_formula():
    model = compiled("averaging(bins=2, momentum=0.25)", keras.optimizers.SGD(0.0))
    error = np.abs(Y - model.predict(X, verbose=0))[:2, 0]
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    # 0.25 (0.25 * 0 + 0.75 e) + 0.75 e
    assert state(model, "sizes") == pytest.approx((0.25 * 0.75 + 0.75) * error, rel=EACH_OTHER)


def test_a_trained_weight_is_trained_and_shown():
    model = compiled("scaled", keras.optimizers.SGD(0.1))
    history = model.fit(X, Y, epochs=3, verbose=0).history
    assert state(model, "scale") != 2.0
    assert len(history["scale"]) == 3
    assert history["scale"][0] == pytest.approx(2.0, rel=FLOAT32)


def test_the_main_label_is_that_of_plain_terms_and_of_metrics():
    labels = {"mask": Y, "distance": np.full_like(Y, 0.5)}
    model = compiled("mse + 2 * near", keras.optimizers.SGD(0.0), metrics=["mae"])
    y_pred = model.predict(X, verbose=0)
    found = model.evaluate(X, labels, return_dict=True, verbose=0)
    mse, mae = np.mean((Y - y_pred) ** 2), np.mean(np.abs(Y - y_pred))
    assert found["mae"] == pytest.approx(mae, rel=EACH_OTHER)
    assert found["loss"] == pytest.approx(mse + 2 * 0.5 * mae, rel=EACH_OTHER)
    assert found["mean_squared_error"] == pytest.approx(mse, rel=EACH_OTHER)
    model.fit(X, labels, verbose=0)


def test_a_missing_label_tensor_is_named():
    model = compiled("near")
    with pytest.raises(DataError, match="'near' takes the labels mask, distance, got one tensor"):
        model.train_on_batch(X, Y)


def test_the_inputs_of_the_model_reach_a_loss():
    model = compiled("smooth", keras.optimizers.SGD(0.0))
    y_pred = model.predict(X, verbose=0)
    expected = np.mean((Y - y_pred)[:, 0] ** 2 * np.abs(X).max(axis=1))
    assert model.evaluate(X, Y, verbose=0) == pytest.approx(expected, rel=EACH_OTHER)


def test_what_the_last_layer_got_reaches_a_loss():
    model = compiled("decayed + mse", keras.optimizers.SGD(0.1))
    found = model.evaluate(X, Y, return_dict=True, verbose=0)
    assert found["decayed"] == pytest.approx(found["mean_squared_error"], rel=EACH_OTHER)
    before = found["loss"]
    model.fit(X, Y, epochs=20, verbose=0)
    assert model.evaluate(X, Y, return_dict=True, verbose=0)["loss"] < before / 2


def test_a_teacher_is_asked_and_not_trained():
    teacher = new_model()
    before = [np.array(w) for w in teacher.get_weights()]
    model = compiled("taught + 0.5 * mse", keras.optimizers.SGD(0.1), teacher=teacher)
    model.fit(X, Y, epochs=2, verbose=0)
    for weight, old in zip(teacher.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)


def test_a_missing_teacher_is_asked_for():
    model = compiled("taught")
    with pytest.raises(ConfigError, match="Give the model: lossreg.compile"):
        model.train_on_batch(X, Y)


def test_the_terms_of_a_sum_may_have_learned_weights():
    model = compiled("weighed(mse, huber(delta=0.5))", keras.optimizers.SGD(0.1))
    y_pred = model.predict(X, verbose=0)
    mse = np.mean((Y - y_pred) ** 2)
    error = np.abs(Y - y_pred)
    huber = np.where(error < 0.5, error**2 / 2, 0.5 * error - 0.125).mean()
    found = model.evaluate(X, Y, return_dict=True, verbose=0)
    assert found["loss"] == pytest.approx(mse + huber, rel=EACH_OTHER)
    history = model.fit(X, Y, epochs=2, verbose=0).history
    assert {"logs_0", "logs_1"} <= history.keys()
    assert (state(model, "logs") != 0).all()


def test_memory_that_depends_on_a_parameter_is_there_only_with_it():
    model = new_model()
    assert lossreg.compile(model, "sgd", loss="maybe(momentum=0)") is model
    assert float(lossreg.get_loss("maybe")([[1.0]], [[3.0]])) == 4.0
    with pytest.raises(ConfigError, match=r"loss='maybe\(momentum=0.5\)'"):
        lossreg.get_loss("maybe", momentum=0.5)
    model = compiled("maybe(momentum=0.5)")
    model.fit(X, Y, batch_size=4, verbose=0)
    assert state(model, "sizes") == pytest.approx([1.5, 1.5], rel=TRAINED)


def test_weights_of_terms_and_parameters_change_by_steps():
    loss = "linear(0, 2, steps=4) * mse + huber(delta=piecewise(1, 0.5, steps=2))"
    model = compiled(loss, keras.optimizers.SGD(0.0))
    error = np.abs(Y - model.predict(X, verbose=0))

    def huber(delta):
        return np.where(error < delta, error**2 / 2, delta * error - delta**2 / 2).mean()

    for step, (weight, delta) in enumerate(
        [(0, 1), (0.5, 1), (1, 0.5), (1.5, 0.5), (2, 0.5), (2, 0.5)]
    ):
        expected = weight * np.mean(error**2) + huber(delta)
        found = model.evaluate(X, Y, verbose=0, return_dict=True)["loss"]
        assert found == pytest.approx(expected, rel=EACH_OTHER), step
        model.train_on_batch(X, Y)


def test_weights_change_by_epochs_and_go_on_after_saving(tmp_path):
    model = compiled("cosine(1, 0, epochs=4) * mse + mae", keras.optimizers.SGD(0.0))
    y_pred = model.predict(X, verbose=0)
    history = model.fit(X, Y, batch_size=4, epochs=2, validation_data=(X, Y), verbose=0).history
    model.save(tmp_path / "model.keras")
    model = keras.models.load_model(tmp_path / "model.keras")
    more = model.fit(X, Y, batch_size=4, epochs=4, verbose=0).history
    found = [*history["mean_squared_error"], *more["mean_squared_error"]]
    shares = (1 + np.cos(np.pi * np.minimum(np.arange(6) / 4, 1))) / 2
    np.testing.assert_allclose(
        found, shares * np.mean((Y - y_pred) ** 2), rtol=EACH_OTHER, atol=1e-7
    )


def test_a_parameter_whose_code_takes_plain_numbers_is_told():
    @lossreg.register(replace=True)
    def powered(y_true, y_pred, *, exponent: Annotated[float, Ge(1)] = 1.0):
        """Nothing."""
        return ops.mean(float(exponent) * y_pred, axis=-1)

    model = compiled("powered(exponent=linear(1, 2, steps=3))", run_eagerly=False)
    if keras.backend.backend() == "torch":
        # There a tensor is a number.
        return
    with pytest.raises(ConfigError, match="exponent can't change during training"):
        model.train_on_batch(X, Y)


def test_terms_take_their_own_label_tensors():
    labels = {"mask": Y, "other": 2 * Y}
    loss = [{"name": "mse", "field": "mask"}, {"name": "mae", "field": "other", "weight": 0.5}]
    model = compiled(loss, keras.optimizers.SGD(0.0))
    y_pred = model.predict(X, verbose=0)
    found = model.evaluate(X, labels, return_dict=True, verbose=0)["loss"]
    expected = np.mean((Y - y_pred) ** 2) + 0.5 * np.mean(np.abs(2 * Y - y_pred))
    assert found == pytest.approx(expected, rel=EACH_OTHER)


def test_the_label_that_no_term_names_is_the_main_one():
    labels = {"a": Y, "b": 2 * Y}
    loss = ["mse", {"name": "mae", "field": "a"}]
    model = compiled(loss, keras.optimizers.SGD(0.0), metrics=["mse"])
    y_pred = model.predict(X, verbose=0)
    found = model.evaluate(X, labels, return_dict=True, verbose=0)
    mse = np.mean((2 * Y - y_pred) ** 2)
    assert found["mse"] == pytest.approx(mse, rel=EACH_OTHER)
    assert found["loss"] == pytest.approx(mse + np.mean(np.abs(Y - y_pred)), rel=EACH_OTHER)


@pytest.mark.parametrize(
    ("loss", "labels", "message"),
    [
        (["mse", {"name": "mae", "field": "a"}], {"a": Y, "b": Y, "c": Y}, "nothing says which"),
        (["mse", {"name": "mae", "field": "a"}], {"b": Y}, "takes the label 'a', got b"),
        (["mse", {"name": "mae", "field": "a"}], Y, "takes the label 'a', got one tensor"),
    ],
)
def test_labels_that_leave_a_term_without_its_own_are_told(loss, labels, message):
    with pytest.raises(DataError, match=message):
        compiled(loss).train_on_batch(X, labels)


def test_a_loss_of_what_the_last_layer_got_has_weights_and_predicts_as_before():
    weights = np.arange(8, dtype="float32")
    plain, blind = (
        compiled("mse", keras.optimizers.SGD(0.1)),
        compiled("hidden_only", keras.optimizers.SGD(0.1)),
    )
    for model in (plain, blind):
        model.fit(X, Y, sample_weight=weights, epochs=3, shuffle=False, verbose=0)
    values = [m.evaluate(X, Y, sample_weight=weights, verbose=0) for m in (plain, blind)]
    assert values[1] == pytest.approx(values[0], rel=TRAINED)
    np.testing.assert_allclose(*(m.predict(X, verbose=0) for m in (plain, blind)), rtol=TRAINED)


def test_a_loss_within_another_has_no_memory():
    def outer(y_true, y_pred, *, base: LossFunction = "mse"):
        """The loss within."""
        return base(y_true, y_pred)

    lossreg.register(outer, replace=True)
    with pytest.raises(ConfigError, match="Make it a term of a sum instead"):
        lossreg.get_loss("outer", base="counting")


def test_saving_keeps_the_memory_and_the_optimizer(tmp_path):
    model = compiled("counting + scaled", "adam")
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert state(loaded, "steps") == 8
    assert state(loaded, "scale") == state(model, "scale")
    for each in (model, loaded):
        each.fit(X, Y, batch_size=2, epochs=1, verbose=0, shuffle=False)
    assert state(loaded, "steps") == 12
    after, expected = (each.predict(X, verbose=0) for each in (loaded, model))
    np.testing.assert_allclose(after, expected, rtol=TRAINED, atol=CANCELLATION)


def test_a_model_of_several_outputs_has_a_loss_with_memory_for_each():
    inputs = keras.Input((3,))
    outputs = {name: keras.layers.Dense(1, name=name)(inputs) for name in ("a", "b")}
    model = keras.Model(inputs, outputs)
    model = lossreg.compile(model, "sgd", loss={"a": "counting", "b": "mse"}, loss_weights={"b": 2})
    model.fit(X, {"a": Y, "b": Y}, verbose=0)
    found = model.evaluate(X, {"a": Y, "b": Y}, return_dict=True, verbose=0)
    total = found["counting"] + 2 * found["mean_squared_error"]
    assert found["loss"] == pytest.approx(total, rel=EACH_OTHER)


def test_weights_count_as_for_any_loss():
    model = compiled("counting", keras.optimizers.SGD(0.0))
    y_pred = model.predict(X, verbose=0)
    weights = np.arange(8, dtype="float32")
    expected = np.sum(weights * ((Y - y_pred) ** 2)[:, 0]) / 8
    found = model.evaluate(X, Y, sample_weight=weights, verbose=0)
    assert found == pytest.approx(expected, rel=EACH_OTHER)


@pytest.mark.parametrize("make", [lossreg.get_loss, lossreg.get_loss_fn])
def test_such_a_loss_alone_is_an_error_that_shows_the_line_to_write(make):
    line = r"model = lossreg.compile\(model, optimizer, loss='averaging\(bins=2\)'\)"
    with pytest.raises(ConfigError, match=line):
        make("averaging", bins=2)


def test_several_losses_of_one_output_are_an_error_that_offers_the_sum():
    with pytest.raises(ConfigError, match="Give the sum: loss='mse . mae'"):
        lossreg.compile(new_model(), "sgd", loss=["mse", "mae"])


def without_default(y_true, y_pred, seen: Annotated[Any, State(when="on")], *, on: bool = False):
    """A state that may be absent, and has no default."""
    return y_pred, seen


@pytest.mark.parametrize(
    ("declare", "message"),
    [
        (lambda: State(0.5), "takes numbers and names"),
        (lambda: Needs("y"), "takes one of x, hidden"),
        (Fields, "takes the names of label tensors"),
        (lambda: lossreg.bind(without_default), "write '= None' after it"),
    ],
)
def test_a_wrong_declaration_is_told(declare, message):
    with pytest.raises(LossregError, match=message):
        declare()


def test_a_size_that_nothing_names_is_told():
    @lossreg.register(replace=True)
    def sized(y_true, y_pred, seen: Annotated[Any, State("bns")]):
        """Nothing."""
        return ops.mean(y_pred, axis=-1), seen

    with pytest.raises(ConfigError, match="has the size 'bns', which is neither a parameter"):
        compiled("sized")
