import pickle
import textwrap

import keras
import numpy as np
import pytest
from tolerances import FLOAT32, TRAINED

import lossreg
from lossreg import LossSpec, ParameterError
from lossreg.errors import AmbiguousLossError, RegistrationError, SpecError
from lossreg.loss import Provider
from lossreg.registry import installed

Y_TRUE, Y_PRED = np.zeros((2, 2)), np.array([[1.0, 2.0], [3.0, 4.0]])
# One number for the batch, as the tutorials write it.
MEAN_OF_SQUARES = (1 + 4 + 9 + 16) / 4

FUNCTION = """
def tutorial_mse(y_true, y_pred):
    return keras.ops.mean(keras.ops.square(y_pred - y_true))
"""
CLASS = """
class TutorialMSE(keras.losses.Loss):
    def call(self, y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_pred - y_true))
"""
CLASS_WITH_PARAMETERS = """
class Weighted(keras.losses.Loss):
    def __init__(self, factor=2.0, name="weighted", **options):
        super().__init__(name=name, **options)
        self.factor = factor

    def call(self, y_true, y_pred):
        return self.factor * keras.ops.mean(keras.ops.square(y_pred - y_true), axis=-1)

    def get_config(self):
        return {**super().get_config(), "factor": self.factor}
"""
FACTORY = """
def powered(power=2.0):
    def powered_fixed(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_pred - y_true) ** power, axis=-1)

    return powered_fixed
"""
LAMBDA = "tutorial_mse = lambda y_true, y_pred: keras.ops.mean((y_true - y_pred) ** 2)"
NESTED = """
def tutorial_mse(y_true, y_pred):
    square = lambda error: error * error
    return keras.ops.mean([square(y_pred - y_true) for _ in range(1)][0])
"""


def run_cell(source, lines_above=0):
    """Return what a notebook cell defines last, as if the cell had been run."""
    defined = {"keras": keras, "lossreg": lossreg, "__name__": "__main__"}
    exec(compile("\n" * lines_above + textwrap.dedent(source), "<cell>", "exec"), defined)
    return list(defined.values())[-1]


def value(loss):
    return float(loss(Y_TRUE, Y_PRED))


# The tutorials' own mean squared error


@pytest.mark.parametrize("source", [FUNCTION, CLASS])
def test_the_mean_squared_error_of_the_tutorials_is_a_loss_by_name(source):
    target = run_cell(source)
    assert lossreg.register(target, name="tutorial_mse") is target
    assert value(lossreg.get_loss("tutorial_mse")) == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)
    assert value(lossreg.get_loss("TutorialMSE")) == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)
    assert value(lossreg.get_loss(target)) == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)
    assert lossreg.bind("local/tutorial_mse").qualified_name == "local/tutorial_mse"


@pytest.mark.parametrize("source", [FUNCTION, CLASS])
def test_the_mean_squared_error_of_the_tutorials_trains_as_that_of_keras(source):
    lossreg.register(run_cell(source), name="tutorial_mse")
    histories = []
    for loss in (lossreg.get_loss("tutorial_mse"), keras.losses.MeanSquaredError()):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        model.compile("sgd", loss=loss)
        x = np.random.default_rng(3).normal(size=(16, 3))
        fitted = model.fit(x, x[:, :2], epochs=5, batch_size=8, shuffle=False, verbose=0)
        histories.append(fitted.history["loss"])
    np.testing.assert_allclose(*histories, rtol=TRAINED)
    assert histories[0][-1] < histories[0][0]


def test_a_registered_loss_is_listed_with_what_is_known_of_it():
    @lossreg.register(task=("regression",), y_true="real", aliases=("tmse",))
    def tutorial_mse(y_true, y_pred):
        """Squared error for readers of the tutorials.

        More about it.
        """
        return keras.ops.mean(keras.ops.square(y_pred - y_true))

    (spec,) = lossreg.list_losses("tutorial*")
    assert spec in lossreg.list_losses(task="regression", y_true="real", plugin="local")
    assert spec.summary == "Squared error for readers of the tutorials."
    assert spec.y_pred == "unspecified"
    assert lossreg.get_loss("tmse").name == "tutorial_mse"


def test_what_is_not_said_of_a_loss_is_unspecified():
    lossreg.register(run_cell(FUNCTION))
    (spec,) = lossreg.list_losses("tutorial_mse")
    assert (spec.task, spec.y_true, spec.y_pred) == (
        ("unspecified",),
        "unspecified",
        "unspecified",
    )
    assert spec.summary


# Forms of the decorator, and of what it decorates


def test_register_decorates_with_and_without_arguments():
    @lossreg.register
    def first_error(y_true, y_pred):
        return keras.ops.mean(y_pred - y_true, axis=-1)

    @lossreg.register()
    def second_error(y_true, y_pred):
        return keras.ops.mean(y_true - y_pred, axis=-1)

    @lossreg.register(name="third")
    def an_error(y_true, y_pred):
        return keras.ops.mean(2 * (y_pred - y_true), axis=-1)

    names = ("first_error", "second_error", "third")
    assert [value(lossreg.get_loss(name)) for name in names] == [2.5, -2.5, 5.0]
    assert first_error(Y_TRUE, Y_PRED).shape == (2,)


def test_a_class_as_the_documentation_of_keras_teaches_it_takes_its_parameters_and_options():
    lossreg.register(run_cell(CLASS_WITH_PARAMETERS))
    loss = lossreg.get_loss("weighted", factor=3.0, reduction="sum", dtype="float64", name="mine")
    # (1 + 4) / 2 and (9 + 16) / 2, three times each.
    assert value(loss) == pytest.approx(3 * 2.5 + 3 * 12.5, rel=FLOAT32)
    assert (loss.params, loss.dtype, loss.name) == ({"factor": 3.0}, "float64", "mine")
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert again == loss
    assert value(again) == value(loss)
    with pytest.raises(ParameterError, match="Did you mean 'factor'"):
        lossreg.get_loss("weighted", facto=3)


def test_a_class_decorated_in_place_is_still_the_class():
    @lossreg.register(name="decorated")
    class Decorated(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean(y_pred - y_true, axis=-1)

    assert float(Decorated(reduction="sum")(Y_TRUE, Y_PRED)) == 1.5 + 3.5
    assert value(lossreg.get_loss("decorated")) == 2.5


def test_a_factory_is_called_with_the_parameters():
    lossreg.register(run_cell(FACTORY))
    loss = lossreg.get_loss("powered", power=3)
    assert value(loss) == pytest.approx((1 + 8 + 27 + 64) / 4, rel=FLOAT32)
    assert value(lossreg.get_loss("powered")) == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)
    values = lossreg.get_loss_fn("powered", power=3)(Y_TRUE, Y_PRED)
    np.testing.assert_allclose(values, [(1 + 8) / 2, (27 + 64) / 2], rtol=FLOAT32)


def test_a_class_that_never_calls_super_works_as_the_tutorials_have_it():
    @lossreg.register
    class Careless(keras.losses.Loss):
        def __init__(self, factor=2.0, name="careless"):
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * keras.ops.sum(y_pred - y_true, axis=-1)

    loss = lossreg.get_loss("careless", factor=5)
    assert value(loss) == pytest.approx((5 * 3 + 5 * 7) / 2, rel=FLOAT32)
    with pytest.raises(AttributeError):
        Careless()(Y_TRUE, Y_PRED)


def test_a_parameter_without_a_default_is_required():
    @lossreg.register
    class Demanding(keras.losses.Loss):
        def __init__(self, factor):
            super().__init__()
            self.factor = factor

        def call(self, y_true, y_pred):
            return self.factor * keras.ops.mean(y_pred - y_true, axis=-1)

    with pytest.raises(ParameterError, match="'factor' is missing"):
        lossreg.get_loss("demanding")
    assert value(lossreg.get_loss("demanding", factor=2)) == 5


def test_types_and_ranges_of_a_registered_function_are_checked():
    from typing import Annotated

    from annotated_types import Ge

    @lossreg.register
    def ranged(y_true, y_pred, *, factor: Annotated[float, Ge(0)] = 1.0):
        return factor * keras.ops.mean(y_pred - y_true, axis=-1)

    with pytest.raises(ParameterError, match=r"'factor' must be a number >= 0, got -1 \(int\)"):
        lossreg.get_loss("ranged", factor=-1)
    with pytest.raises(ParameterError, match=r"got '2' \(str\)"):
        lossreg.get_loss("ranged", factor="2")


@pytest.mark.parametrize("target", [3, "mse", object(), keras.losses.Huber])
def test_what_can_be_no_new_loss_is_refused(target):
    with pytest.raises((SpecError, RegistrationError), match="can't be"):
        lossreg.register(target)


def test_a_function_with_open_parameters_is_refused():
    def open_ended(y_true, y_pred, **parameters):
        return keras.ops.mean(y_pred - y_true, axis=-1)

    with pytest.raises(SpecError, match=r"'\*\*parameters'; declare each parameter"):
        lossreg.register(open_ended)


@pytest.mark.parametrize("option", ["name", "reduction", "dtype"])
def test_a_function_that_declares_an_option_of_keras_is_refused(option):
    taken = {}
    exec(f"def taken(y_true, y_pred, {option}=None): return y_pred", taken)
    with pytest.raises(SpecError, match=f"{option!r}, which Keras takes for every loss"):
        lossreg.register(taken["taken"])


def test_an_object_that_is_called_with_labels_and_predictions_is_a_loss():
    class Difference:
        def __call__(self, y_true, y_pred):
            return keras.ops.mean(y_pred - y_true, axis=-1)

        def doubled(self, y_true, y_pred):
            return 2 * self(y_true, y_pred)

    lossreg.register(Difference(), name="difference")
    assert value(lossreg.get_loss("difference")) == 2.5
    assert value(lossreg.get_loss(Difference())) == 2.5
    assert value(lossreg.get_loss(Difference().doubled)) == 5


# Once more under the same name


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("tutorial_mse", FUNCTION),
        ("tutorial_mse", CLASS),
        ("weighted", CLASS_WITH_PARAMETERS),
        ("powered", FACTORY),
        ("tutorial_mse", LAMBDA),
        ("tutorial_mse", NESTED),
    ],
)
@pytest.mark.parametrize("lines_above", [0, 7])
def test_a_cell_that_runs_again_registers_nothing_new(name, source, lines_above):
    first, second = run_cell(source), run_cell(source, lines_above)
    assert first is not second
    lossreg.register(first, name=name)
    lossreg.register(second, name=name)
    assert len(lossreg.list_losses(name, plugin="local")) == 1
    # What the user edits from now on is the second one.
    assert lossreg.bind(name).entry.target is second


def test_a_cell_that_decorates_runs_twice():
    source = "@lossreg.register\n" + FUNCTION.strip()
    run_cell(source)
    run_cell(source, lines_above=3)
    assert value(lossreg.get_loss("tutorial_mse")) == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)


def test_a_function_that_another_makes_replaces_the_one_made_before():
    def make(power):
        def made(y_true, y_pred):
            return keras.ops.mean(keras.ops.abs(y_pred - y_true) ** power, axis=-1)

        return made

    lossreg.register(make(3), name="made")
    lossreg.register(make(1), name="made")
    assert value(lossreg.get_loss("made")) == 2.5


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        pytest.param(FUNCTION, "square(", "abs(", id="another operation"),
        pytest.param(FUNCTION, "y_pred - y_true", "y_pred - 2 * y_true", id="another constant"),
        pytest.param(FUNCTION, "y_true, y_pred)", "y_true, y_pred, k=2)", id="a parameter"),
        pytest.param(NESTED, "error * error", "error * error * error", id="a lambda inside"),
        pytest.param(CLASS, "square(", "abs(", id="a method"),
        pytest.param(CLASS_WITH_PARAMETERS, "factor=2.0", "factor=3.0", id="a default"),
        pytest.param(
            CLASS_WITH_PARAMETERS, '"weighted", **options', '"w", **options', id="an option"
        ),
        pytest.param(FACTORY, "power=2.0", "power=3.0", id="a default of a factory"),
        pytest.param(FACTORY, "** power", "** (power + 1)", id="what a factory makes"),
    ],
)
def test_a_cell_that_was_edited_replaces_its_loss(source, old, new):
    assert old in source
    first, second = run_cell(source), run_cell(source.replace(old, new))
    lossreg.register(first, name="tutorial_mse")
    assert lossreg.bind("tutorial_mse").entry.target is first
    lossreg.register(second, name="tutorial_mse")
    assert lossreg.bind("tutorial_mse").entry.target is second
    assert lossreg.get_loss("tutorial_mse").bound.entry.target is second


def test_another_function_of_the_same_name_needs_replace():
    def other(y_true, y_pred):
        return keras.ops.mean(y_pred - y_true, axis=-1)

    lossreg.register(run_cell(FUNCTION), name="tutorial_mse")
    before = value(lossreg.get_loss("tutorial_mse"))
    with pytest.raises(RegistrationError, match="'tutorial_mse'. Replace it with replace=True"):
        lossreg.register(other, name="tutorial_mse")
    assert value(lossreg.get_loss("tutorial_mse")) == before
    lossreg.register(other, name="tutorial_mse", replace=True)
    assert value(lossreg.get_loss("tutorial_mse")) == 2.5


def test_a_function_may_be_registered_again_with_more_to_say():
    target = run_cell(FUNCTION)
    lossreg.register(target)
    lossreg.register(target, y_true="integer")
    assert lossreg.bind("tutorial_mse").spec.y_true == "integer"


def test_a_loss_built_before_a_replacement_stays_what_it_was():
    lossreg.register(run_cell(FUNCTION), name="tutorial_mse")
    before, function = lossreg.get_loss("tutorial_mse"), lossreg.get_loss_fn("tutorial_mse")
    cubed = run_cell(FUNCTION.replace("square(y_pred - y_true)", "power(y_pred - y_true, 3)"))
    lossreg.register(cubed, name="tutorial_mse", replace=True)
    assert (
        value(before)
        == float(function(Y_TRUE, Y_PRED))
        == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)
    )
    assert value(lossreg.get_loss("tutorial_mse")) == pytest.approx(
        (1 + 8 + 27 + 64) / 4, rel=FLOAT32
    )
    assert float(lossreg.get_loss_fn("tutorial_mse")(Y_TRUE, Y_PRED)) == pytest.approx(
        25, rel=FLOAT32
    )


# Names that are taken


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize(
    "name", ["MSE", "mse", "BinaryCrossentropy", "huber_loss", "Huber", "KLD", "gce"]
)
def test_the_name_of_a_builtin_is_refused(name, replace):
    with pytest.raises(RegistrationError, match="is a built-in loss, 'keras/.*can't be taken"):
        lossreg.register(run_cell(FUNCTION), name=name, replace=replace)
    assert lossreg.bind(name).provider.distribution == "keras"


def test_the_name_of_a_builtin_is_refused_as_an_alias():
    with pytest.raises(RegistrationError, match="'mse'.*built-in"):
        lossreg.register(run_cell(FUNCTION), aliases=("mse",))
    assert installed().get("local/tutorial_mse") is None


def test_the_name_of_a_builtin_is_refused_for_a_class_named_like_it():
    class MeanSquaredError(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return keras.ops.mean(keras.ops.square(y_pred - y_true))

    with pytest.raises(RegistrationError, match="under another name: name='my_"):
        lossreg.register(MeanSquaredError)


def test_a_name_that_a_plugin_offers_too_is_ambiguous():
    lossreg.register(run_cell(FUNCTION), name="focal")
    with pytest.raises(AmbiguousLossError) as caught:
        lossreg.get_loss("focal")
    version = lossreg.bind("lossreg-focal/focal").provider.version
    assert "'local/focal' or 'lossreg-focal/focal'" in str(caught.value)
    assert f"lossreg-focal {version}" in str(caught.value)
    assert value(lossreg.get_loss("local/focal")) == pytest.approx(MEAN_OF_SQUARES, rel=FLOAT32)
    assert lossreg.get_loss("lossreg-focal/focal", gamma=3).params["gamma"] == 3


def test_a_plugin_that_appears_later_makes_no_difference_to_a_qualified_name():
    lossreg.register(run_cell(FUNCTION), name="tutorial_mse")
    spec = LossSpec(
        name="tutorial_mse",
        target="lossreg_focal.losses:focal",
        summary="Another one.",
        task=("regression",),
        y_true="real",
        y_pred="real",
    )
    provider = Provider(distribution="acme-losses", version="1.2.0")
    registry = installed()
    entry = registry.add(spec, provider)
    try:
        with pytest.raises(AmbiguousLossError, match=r"acme-losses 1\.2\.0"):
            lossreg.get_loss("tutorial_mse", reduction="sum")
        assert lossreg.get_loss("local/tutorial_mse").provider.distribution == "local"
    finally:
        registry.remove(entry)


def test_a_name_that_no_loss_can_have_is_refused():
    for name in ("", "my loss", "1st", "x" * 10_000, "../x"):
        with pytest.raises(lossreg.errors.LossNameError):
            lossreg.register(run_cell(FUNCTION), name=name)


# Saving


def squared_at_module_level(y_true, y_pred, factor=2):
    return factor * keras.ops.mean(keras.ops.square(y_pred - y_true), axis=-1)


def test_a_registered_loss_pickles():
    lossreg.register(squared_at_module_level)
    loss = lossreg.get_loss("squared_at_module_level", factor=3, dtype="float64")
    again = pickle.loads(pickle.dumps(loss))
    assert again == loss
    assert value(again) == pytest.approx(3 * MEAN_OF_SQUARES, rel=FLOAT32)


def test_a_model_saved_with_a_registered_loss_says_to_register_it(tmp_path):
    target = run_cell(CLASS_WITH_PARAMETERS)
    lossreg.register(target)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    model.compile("sgd", loss=lossreg.get_loss("weighted", factor=3))
    model.fit(Y_PRED, Y_TRUE, verbose=0)
    path = tmp_path / "model.keras"
    model.save(path)
    registry = installed()
    registry.remove(registry.get("local/weighted"))
    with pytest.raises(
        lossreg.errors.NotRegisteredError, match=r"lossreg.register\(.*compile=False"
    ):
        keras.models.load_model(path)
    keras.models.load_model(path, compile=False).predict(Y_PRED, verbose=0)
    lossreg.register(target)
    assert keras.models.load_model(path).loss.params == {"factor": 3}
