import functools
import inspect
import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt, Interval, Le, Len, Lt
from fakes import plain, scaled, tuned

from lossreg import ParameterError
from lossreg.errors import SpecError
from lossreg.loss import Signature, type_words

CheckedFloat = Annotated[float, Ge(0)]


def test_the_defaults_complete_what_is_given():
    assert Signature(tuned).check("focal", {"gamma": 3}) == {
        "gamma": 3.0,
        "alpha": 0.75,
        "from_logits": False,
    }


def test_every_fault_is_in_one_message():
    with pytest.raises(ParameterError) as caught:
        Signature(tuned).check("focal", {"gama": 1, "gamma": -1, "alpha": "x"})
    assert str(caught.value).splitlines() == [
        "Loss 'focal' has 3 faults:",
        "- 'gamma' must be a number >= 0, got -1 (int).",
        "- 'alpha' must be None or a number in [0, 1], got 'x' (str).",
        "- it has no parameter 'gama'. Did you mean 'gamma'?",
        "It takes gamma, alpha, from_logits; 'lossreg show focal' says more.",
    ]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        pytest.param({"gama": 2}, "it has no parameter 'gama'. Did you mean 'gamma'?", id="typo"),
        pytest.param({"gamma": "2"}, "'gamma' must be a number >= 0, got '2' (str)", id="string"),
        pytest.param({"gamma": -1}, "'gamma' must be a number >= 0, got -1 (int)", id="negative"),
        pytest.param({"gamma": True}, "'gamma' must be a number >= 0, got True", id="bool"),
        pytest.param({"gamma": math.nan}, "'gamma' must be a number >= 0, got nan", id="nan"),
        pytest.param({"gamma": math.inf}, "'gamma' must be a number >= 0, got inf", id="inf"),
        pytest.param({"gamma": None}, "'gamma' must be a number >= 0, got None", id="None"),
        pytest.param({"alpha": 1.5}, "None or a number in [0, 1], got 1.5", id="out of range"),
        pytest.param({"from_logits": 1}, "'from_logits' must be True or False, got 1", id="int"),
        pytest.param({"reductoin": "sum"}, "Did you mean 'reduction'?", id="option"),
        pytest.param({"gamma": "x" * 9999}, "xxx'... (str)", id="long value"),
    ],
)
def test_a_wrong_parameter_says_what_is_allowed(values, message):
    with pytest.raises(ParameterError) as caught:
        Signature(tuned).check("focal", values)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 400


def test_parameters_for_a_loss_that_has_none_are_refused():
    message = r"^Loss 'mse' takes no parameters, got gamma=2\. Every loss takes Keras' options"
    with pytest.raises(ParameterError, match=message):
        Signature(plain).check("mse", {"gamma": 2})


def test_a_parameter_without_a_default_is_required():
    with pytest.raises(ParameterError, match="'scale' is missing; it must be a number > 0"):
        Signature(scaled).check("scaled", {})


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_a_caller_may_expect_either_builtin_error(error):
    with pytest.raises(error):
        Signature(tuned).check("focal", {"gamma": "2"})


@pytest.mark.parametrize("value", [np.float32(1.5), np.float64(1.5), np.array(1.5)])
def test_numpy_scalars_become_plain_numbers(value):
    checked = Signature(tuned).check("focal", {"gamma": value})["gamma"]
    assert checked == 1.5
    assert type(checked) is float


def weighted(y_true, y_pred, *, alpha: float | tuple[CheckedFloat, ...] = 1.0): ...


@pytest.mark.parametrize("value", [[1, 2], (1, 2), np.array([1, 2])])
def test_lists_tuples_and_arrays_interchange(value):
    assert Signature(weighted).check("weighted", {"alpha": value}) == {"alpha": (1.0, 2.0)}


@pytest.mark.parametrize("value", [[1, True], [1, "2"], [1, -2], [[1]], [1, math.nan]])
def test_the_entries_of_a_list_are_checked(value):
    message = "'alpha' must be a number or a list of numbers >= 0"
    with pytest.raises(ParameterError, match=message):
        Signature(weighted).check("weighted", {"alpha": value})


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (int, "an integer"),
        (Annotated[float, Gt(0), Lt(1)], "a number in (0, 1)"),
        (Annotated[float, Interval(ge=0, lt=2)], "a number in [0, 2)"),
        (Annotated[int, Le(3)], "an integer <= 3"),
        (Literal["a", "b"] | None, "None or 'a' or 'b'"),
        (Annotated[list[int], Len(2, 4)], "a list of integers with 2 to 4 entries"),
        (tuple[int, str], "a list of 2: an integer, a string"),
        (Sequence[float], "a list of numbers"),
        (dict[str, list[float]], "a mapping from names to lists of numbers"),
        (Any, "any JSON value"),
    ],
)
def test_a_type_is_described_in_words(annotation, words):
    assert type_words(annotation) == words


def with_copy(y_true, y_pred, *, copy: bool = False, model_dump: int = 1, _private: int = 2): ...


def test_a_parameter_may_have_any_name():
    given = {"copy": True, "model_dump": 5, "_private": 7}
    assert Signature(with_copy).check("with_copy", given) == given


def variadic(y_true, y_pred, **kwargs): ...
def positional(y_true, y_pred, gamma: float = 1.0): ...
def untyped(y_true, y_pred, *, gamma=1.0): ...
def reserved(y_true, y_pred, *, reduction: str = "sum"): ...
def unreadable(y_true, y_pred, *, gamma: "NoSuchType" = 1.0): ...  # noqa: F821


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (variadic, r"it takes '\*\*kwargs'; declare each parameter"),
        (positional, r"its parameter 'gamma' is positional; put '\*' after y_pred"),
        (untyped, "its parameter 'gamma' has no type; write one with its range"),
        (reserved, "it declares 'reduction', which Keras takes for every loss"),
        (
            unreadable,
            "'NoSuchType' = 1.0\\) can't be read: NameError: name 'NoSuchType' is not defined",
        ),
        (3, "it must be a function or a class, got 3"),
    ],
)
def test_a_packaged_loss_that_breaks_a_rule_is_told_which(target, message):
    with pytest.raises(SpecError, match=message):
        Signature(target).model  # noqa: B018 - reading it builds the model


class Written:
    """A class as someone wrote it for Keras."""

    def __init__(self, scale, power=2, name="written", reduction="sum", dtype=None, **kwargs): ...


def test_a_factory_takes_any_json_value_where_it_has_no_type():
    signature = Signature(Written)
    assert not signature.is_function
    given = {"scale": {"a": [1, "x", None]}, "power": 1.5}
    assert signature.check("written", given) == {"scale": {"a": (1, "x", None)}, "power": 1.5}


@pytest.mark.parametrize("value", [object(), {1: 2}, [math.nan], print])
def test_a_factory_takes_no_value_that_a_file_could_not_hold(value):
    with pytest.raises(ParameterError, match="'scale' must be any JSON value"):
        Signature(Written).check("written", {"scale": value})


def test_the_options_of_keras_are_no_parameters_of_a_factory():
    assert [parameter.name for parameter in Signature(Written).parameters] == ["scale", "power"]


def test_a_parameter_is_described_by_signature_and_docstring():
    gamma = Signature(tuned).parameters[0]
    assert (gamma.name, gamma.allowed, gamma.default) == ("gamma", "a number >= 0", 2.0)
    assert gamma.doc == "How much, in two lines."


def test_outside_packages_a_function_of_two_required_arguments_is_a_loss_function():
    assert Signature(lambda truth, guess: (truth, guess), packaged=False).is_function
    assert not Signature(lambda gamma=1.0, alpha=2.0: (gamma, alpha), packaged=False).is_function


def test_an_option_of_keras_is_sent_to_get_loss():
    with pytest.raises(
        ParameterError, match=r"'dtype' isn't a parameter of a loss, but Keras' option for"
    ):
        Signature(tuned).check("focal", {"dtype": "float16"})


class Called:
    def __call__(self, y_true, y_pred, *, scale: CheckedFloat = 1.0): ...


@pytest.mark.parametrize("target", [functools.partial(tuned, alpha=0.5), Called()])
def test_an_object_that_is_called_has_a_signature_too(target):
    signature = Signature(target, packaged=False)
    assert signature.is_function
    with pytest.raises(ParameterError, match="must be a number >= 0, got -1"):
        signature.check("loss", {signature.parameters[0].name: -1})


class Tensor:
    """What a tensor or a variable of any backend has: it turns into a number when asked to."""

    shape = ()
    dtype = "float32"

    def __float__(self):
        return 0.5

    def __repr__(self):
        return "<Variable 0.5>"


@pytest.mark.parametrize(
    ("target", "values"),
    [
        pytest.param(tuned, {"gamma": Tensor()}, id="a number"),
        pytest.param(tuned, {"alpha": Tensor()}, id="a number or None"),
        pytest.param(weighted, {"alpha": [1.0, Tensor()]}, id="in a list"),
        pytest.param(Written, {"scale": Tensor()}, id="without a type"),
        pytest.param(Written, {"scale": {"a": [Tensor()]}}, id="in a mapping"),
    ],
)
def test_a_tensor_or_a_variable_is_refused_with_the_way_out(target, values):
    message = "<Variable 0.5>.*would stay at its present value: give a plain number.*in a layer"
    with pytest.raises(ParameterError, match=message):
        Signature(target).check("loss", values)


@pytest.mark.parametrize(
    "value",
    [np.float16(1.5), np.ma.masked_array(1.5), np.array([1.5])[0]],
)
def test_every_number_of_numpy_is_a_number(value):
    assert Signature(tuned).check("focal", {"gamma": value})["gamma"] == 1.5


def raises(y_true, y_pred, *, gamma: "1 / 0" = 1.0): ...
def array(y_true, y_pred, *, gamma: np.ndarray = None): ...


class Exploding:
    """A type whose code raises while pydantic reads it."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_):
        raise RuntimeError("boom")


def exploding(y_true, y_pred, *, gamma: Exploding = None): ...


@pytest.mark.parametrize("target", [raises, array, exploding])
def test_a_type_that_cannot_be_checked_is_an_error_of_the_loss(target):
    with pytest.raises(SpecError, match="a type in .*gamma.* can't be "):
        Signature(target).model  # noqa: B018 - reading it builds the model


def test_the_types_of_a_compiled_function_are_those_of_the_function_in_it():
    def scaled(y_true, y_pred, *, k: Annotated[float, Ge(0)] = 1.0):
        return k * (y_true - y_pred)

    class Compiled:
        """Stands for what tf.function returns: typing can't read the types of its call."""

        __wrapped__ = staticmethod(scaled)
        __signature__ = inspect.signature(scaled)

        def __call__(self, *args: "Missing", **kwargs: "Missing"):  # noqa: F821
            return scaled(*args, **kwargs)

    assert Signature(Compiled()).check("scaled", {"k": 2}) == {"k": 2.0}
    with pytest.raises(ParameterError, match="'k' must be a number >= 0"):
        Signature(Compiled()).check("scaled", {"k": -2})
