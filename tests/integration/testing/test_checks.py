"""Each check catches the loss that is broken in just its way, and passes another."""

import functools
import itertools
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
import pytest
from annotated_types import Ge, Gt, Le, Lt
from fakes import ACME, spec
from pydantic import BeforeValidator
from sites import install

import lossreg
from lossreg import State
from lossreg.lazy import ops
from lossreg.numerics import log_softmax, masked_mean
from lossreg.registry import discovery, installed
from lossreg.testing import ConformanceError
from lossreg.testing.results import NotApplicableError
from lossreg.testing.run import CHECKS, run_check, run_checks
from lossreg.testing.subject import Suite

calls = itertools.count(1)


def itself(target):
    return target


def suite_of(target, name="made_up", **fields):
    """Return the kit's view of one loss, beside the built-ins."""
    registry = discovery.discover([discovery.builtin()])
    registry.add(spec(name, target, **fields), ACME, functools.partial(itself, target))
    return Suite(registry, "acme-losses")


def run(check, target, name="made_up", **fields):
    if check == "memory":
        # A model that remembers is saved, and loading it asks the registry of the process.
        lossreg.register(target, name=name, replace=True, y_true="real", y_pred="real")
        run_check(Suite(installed(), "local"), name, check)
        return
    run_check(suite_of(target, name, **fields), name, check)


BINARY = {"y_true": "binary", "y_pred": "probabilities", "task": ("binary",)}
LOGITS = {**BINARY, "y_pred": "logits"}
INTEGER = {
    "y_true": "integer",
    "y_pred": "probabilities",
    "task": ("multiclass",),
    "bounded": True,
}


# Losses that keep what they promise


def moving_mean(y_true, y_pred, mean: Annotated[Any, State()]):
    """Squared error, and its moving mean."""
    values = ops.mean(ops.square(y_true - y_pred), axis=-1)
    return values, 0.9 * mean + 0.1 * ops.mean(values)


def forgetting(y_true, y_pred, mean: Annotated[Any, State()]):
    """Squared error, and a state that stays as it is."""
    return ops.mean(ops.square(y_true - y_pred), axis=-1), mean


def squared(y_true, y_pred, *, scale: Annotated[float, Ge(0)] = 1.0):
    """A fake made_up.

    `scale * mean((y_true - y_pred)**2)` over the last axis.

    Args:
        y_true: Any finite numbers, shape `(batch, ..., outputs)`.
        y_pred: Any finite numbers, same shape.
        scale: A factor.

    Returns:
        Squared units of the labels, shape `(batch, ...)`.

    Source:
        Nobody, 2024, equation 1.
    """
    return scale * ops.mean(ops.square(y_true - y_pred), axis=-1)


def as_keras_writes(y_true, y_pred):
    """A fake made_up.

    Formula:
        `mean((y_true - y_pred)**2)`

    Args:
        y_true: Any finite numbers.
        y_pred: Any finite numbers.

    Returns:
        Squared units of the labels.

    Source:
        Nobody, 2024, equation 1.
    """
    return squared(y_true, y_pred)


def on_logits(y_true, y_pred):
    return ops.mean(ops.softplus(y_pred) - y_true * y_pred, axis=-1)


def by_class(y_true, y_pred):
    return 1 - ops.squeeze(ops.take_along_axis(y_pred, ops.expand_dims(y_true, -1), axis=-1), -1)


def at_least_float32(y_true, y_pred):
    p = ops.clip(ops.cast(y_pred, "float32"), 1e-7, 1 - 1e-7)
    y_true = ops.cast(y_true, "float32")
    return -ops.mean(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p), axis=-1)


def of_known_classes(y_true, y_pred, *, classes: Annotated[int, Gt(0)] = 5):
    if y_pred.shape[-1] > classes:
        raise ValueError("There are more outputs than classes.")
    return by_class(y_true, y_pred)


def overlap(y_true, y_pred, *, axis: int | None = None):
    return 1 - ops.sum(y_true * y_pred, axis=axis) / ops.sum(y_true + y_pred + 1e-3, axis=axis)


def weighted(y_true, y_pred, *, weights: tuple[Annotated[float, Ge(0), Le(9)], ...] | None = None):
    values = ops.square(y_true - y_pred)
    if weights is not None:
        values = values * ops.convert_to_tensor(weights, dtype=y_pred.dtype)
    return ops.mean(values, axis=-1)


class Written:
    """A factory, as a class that someone wrote for Keras: nothing in it has a type."""

    def __new__(cls, factor, power=2, **kwargs):
        return lambda y_true, y_pred: factor * ops.mean(abs(y_true - y_pred) ** power, axis=-1)


# Losses that don't


def for_the_batch(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred))


def for_each_entry(y_true, y_pred):
    return ops.square(y_true - y_pred)


def unclipped(y_true, y_pred):
    return -ops.mean(y_true * ops.log(y_pred), axis=-1)


def rooted(y_true, y_pred):
    return ops.sqrt(ops.mean(ops.square(y_true - y_pred), axis=-1))


def clipped(y_true, y_pred):
    p = ops.clip(y_pred, 1e-7, 1 - 1e-7)
    return -ops.mean(y_true * ops.log(p) + (1 - y_true) * ops.log(1 - p), axis=-1)


def clipped_logits(y_true, y_pred):
    return clipped(y_true, 1 / (1 + ops.exp(-y_pred)))


def half_constant(y_true, y_pred):
    error = y_true - y_pred
    return ops.mean(ops.stop_gradient(error) * error, axis=-1)


def in_float32(y_true, y_pred):
    return squared(ops.cast(y_true, "float32"), ops.cast(y_pred, "float32"))


def counted(y_true, y_pred):
    return next(calls) * squared(y_true, y_pred)


def by_numpy(y_true, y_pred):
    return ops.convert_to_tensor(np.square(np.asarray(y_true) - np.asarray(y_pred)).mean(-1))


def fixed_batch(y_true, y_pred):
    return ops.reshape(squared(y_true, y_pred), (int(y_pred.shape[0]),))


def branching(y_true, y_pred):
    if ops.any(ops.isnan(y_pred)):
        return ops.zeros_like(squared(y_true, y_pred))
    return squared(y_true, y_pred)


def by_place(y_true, y_pred):
    values = squared(y_true, y_pred)
    return values * ops.cumsum(ops.ones_like(values))


def relative(y_true, y_pred):
    values = squared(y_true, y_pred)
    return values / (ops.mean(values) + 1e-3)


def cast_labels(y_true, y_pred):
    return by_class(ops.cast(ops.cast(y_true, y_pred.dtype), "int32"), y_pred)


def keyed(y_true, y_pred, *, weights: dict[int, float] = {1: 2.0}):  # noqa: B006
    return squared(y_true, y_pred)


def called(y_true, y_pred, *, then: Callable[[Any], Any] = lambda value: value):
    return then(squared(y_true, y_pred))


def variadic(y_true, y_pred, **kwargs):
    return squared(y_true, y_pred)


def anything(y_true, y_pred, *, scale: Any = 1.0):
    return scale * squared(y_true, y_pred)


def lenient(y_true, y_pred, *, scale: Annotated[float, BeforeValidator(float)] = 1.0):
    return scale * squared(y_true, y_pred)


def fragile(y_true, y_pred, *, power: Annotated[float, Ge(0)] = 2.0):
    return ops.mean(ops.power(ops.abs(y_true - y_pred), power), axis=-1)


def unbounded(y_true, y_pred, *, temperature: float = 1.0):
    return squared(y_true, y_pred) / temperature


def choosy(y_true, y_pred, *, norm: Literal["l1", "l2"] = "l2"):
    return {"l2": squared}[norm](y_true, y_pred)


def default_outside(y_true, y_pred, *, scale: Annotated[float, Ge(0)] = -1.0):
    return scale * squared(y_true, y_pred)


def with_a_way_out(y_true, y_pred, *, scale: Annotated[float, Ge(0)] | int = 1.0):
    return scale * squared(y_true, y_pred)


def below_two(y_true, y_pred, *, window: Annotated[int, Gt(0)] = 3):
    return squared(y_true, y_pred) * (1 / (window - 1))


def at_eight(y_true, y_pred, *, degree: Annotated[int, Gt(0), Lt(9)] = 4):
    return squared(y_true, y_pred) / (8 - degree)


def undocumented(y_true, y_pred, *, scale: float = 1.0):
    """A fake made_up.

    It is the squared error.

    Args:
        y_true: Any finite numbers.
        y_pred: Any finite numbers.
    """
    return scale * squared(y_true, y_pred)


def one_each(y_true, y_pred):
    return ops.square(y_true - y_pred)


def of_image(y_true, y_pred):
    return ops.mean(ops.square(y_true - y_pred), axis=(1, 2, 3))


def soft(y_true, y_pred, *, from_logits: bool = False):
    return -ops.sum(y_true * log_softmax(y_pred, from_logits=from_logits), axis=-1)


def by_order(y_true, y_pred):
    return ops.sum(ops.square(ops.cumsum(y_true - y_pred, axis=-1)), axis=-1)


def ignoring(y_true, y_pred, *, ignore_class: int | None = None):
    if ignore_class is None:
        return by_class(y_true, y_pred)
    counts = ops.not_equal(y_true, ignore_class)
    y_pred = ops.where(ops.expand_dims(counts, -1), y_pred, 0.5)
    return ops.where(counts, by_class(ops.where(counts, y_true, 0), y_pred), 0.0)


def ignoring_late(y_true, y_pred, *, ignore_class: int | None = None):
    if ignore_class is None:
        return by_class(y_true, y_pred)
    counts = ops.not_equal(y_true, ignore_class)
    return ops.where(counts, ops.square(by_class(ops.where(counts, y_true, 0), y_pred)), 0.0)


def misspelled(y_true, y_pred):
    return ops.squared_difference(y_true, y_pred)


class Variable:
    """A stand-in for that of TensorFlow, which this module doesn't import."""


Variable.__name__ = "ResourceVariable"
CENTRES = Variable()


def learned(y_true, y_pred):
    return (CENTRES, y_true, y_pred)


seen = []


def remembering(y_true, y_pred):
    seen.append(1)
    return squared(y_true, y_pred) + len(seen)


def picky(y_true, y_pred):
    wide = "int64" in str(y_true.dtype)
    return by_class(y_true, y_pred) * (1.0 if wide else 2.0)


def own_gradient(y_true, y_pred):
    def total(error):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            return 2 * upstream * error

        return ops.square(error), gradient

    return ops.mean(ops.custom_gradient(total)(y_pred - y_true), axis=-1)


def own_gradient_for_floats(y_true, y_pred):
    def total(error):
        return float(error), None

    try:
        return ops.custom_gradient(total)(y_pred - y_true)
    except Exception:
        return squared(y_true, y_pred)


def list_wise(y_true, y_pred):
    counts = y_true >= 0
    return masked_mean(ops.square(y_true - ops.where(counts, y_pred, 0.0)), counts, axis=-1)


def mean_over_padding(y_true, y_pred):
    y_true = ops.cast(y_true, y_pred.dtype)
    return ops.mean(ops.where(y_true >= 0, ops.square(y_true - y_pred), 0.0), axis=-1)


def along(y_true, y_pred, *, axis: int = -1):
    return ops.mean(ops.square(y_true - y_pred), axis=axis)


def along_the_last(y_true, y_pred, *, axis: int = -1):
    return ops.mean(ops.square(y_true - y_pred), axis=-1)


def by_positives(y_true, y_pred):
    positives = ops.sum(y_true, axis=-1)
    return ops.sum(y_true * (1 - y_pred), axis=-1) / positives


def overflowing(y_true, y_pred):
    return ops.log(ops.mean(ops.exp(ops.abs(y_true - y_pred)), axis=-1))


def beyond_float16(y_true, y_pred):
    large = 1e4 * ops.square(y_true - y_pred)
    return ops.mean(large - large / 2, axis=-1)


def counting(y_true, y_pred):
    return by_class(y_true, y_pred) * int(y_pred.shape[-1])


ROWS = {**INTEGER, "y_true": ("one_hot", "integer")}
GRADES = {**INTEGER, "y_true": ("one_hot", "ordered"), "task": ("ordinal",)}
RANKED = {"y_true": "relevance", "y_pred": "scores", "task": ("ranking",), "per": "sample"}
IMAGE = {"per": "sample", "task": ("segmentation",)}

GOOD = [
    pytest.param("finite_values", squared, {}, id="finite values"),
    pytest.param("finite_values", overlap, BINARY, id="one value for a batch, as axis=None says"),
    pytest.param(
        "finite_values", for_the_batch, {"per": "batch"}, id="one value, as the spec says"
    ),
    pytest.param("finite_gradients", squared, {}, id="finite gradients"),
    pytest.param("saturated_model_learns", on_logits, LOGITS, id="logits that aren't clipped"),
    pytest.param("numerical_gradient", squared, {}, id="a gradient that is the derivative"),
    pytest.param("numerical_gradient", weighted, {}, id="weights, as many as there are outputs"),
    pytest.param("custom_gradient", own_gradient, {}, id="a gradient of its own"),
    pytest.param("compiled", squared, {}, id="compiled as it is"),
    pytest.param("permuted_batch", squared, {}, id="order doesn't matter"),
    pytest.param("zero_weight", squared, {}, id="weights"),
    pytest.param("zero_weight", overlap, BINARY, id="weights with some axis"),
    pytest.param("reductions", squared, {}, id="reductions"),
    pytest.param("integer_labels", by_class, INTEGER, id="integers stay integers"),
    pytest.param("float16", at_least_float32, BINARY, id="at least float32"),
    pytest.param("config", weighted, {}, id="a list in a config"),
    pytest.param("pickling", weighted, {}, id="a list in a pickle"),
    pytest.param("unknown_parameter", squared, {}, id="only what it has"),
    pytest.param("unknown_parameter", Written, {}, id="a factory ignores no parameter"),
    pytest.param("parameter_type", squared, {}, id="a number only"),
    pytest.param("parameter_range", squared, {}, id="a range that holds"),
    pytest.param("parameter_range", of_known_classes, INTEGER, id="as many as the input needs"),
    pytest.param("shape_mismatch", squared, {}, id="shapes that lossreg refuses"),
    pytest.param("docstring", squared, {}, id="documented"),
    pytest.param("docstring", as_keras_writes, {}, id="documented as Keras does"),
    pytest.param("names", squared, {"aliases": ("never_heard",)}, id="free names"),
    pytest.param("usable", squared, {}, id="a value"),
    pytest.param("no_variables", squared, {}, id="no weights"),
    pytest.param("memory", moving_mean, {}, id="a moving mean"),
    pytest.param("repeated", squared, {}, id="the same again"),
    pytest.param(
        "permuted_batch", relative, {"couples_batch": True}, id="coupled, and in any order"
    ),
    pytest.param("label_dtypes", by_class, INTEGER, id="class numbers of any type"),
    pytest.param("label_dtypes", on_logits, LOGITS, id="labels of any type"),
    pytest.param("ignored_class", ignoring, INTEGER, id="an ignored class"),
    pytest.param("ignored_class", soft, ROWS, id="a class that lossreg ignores"),
    pytest.param("ignored_class", by_order, GRADES, id="a grade that lossreg ignores"),
    pytest.param("padding", list_wise, RANKED, id="a mean over what isn't padding"),
    pytest.param("axis", along, {}, id="any axis"),
    pytest.param("unknown_classes", by_class, INTEGER, id="any number of classes"),
    pytest.param("finite_values", one_each, {"per": "entry"}, id="one value per entry"),
    pytest.param("finite_values", of_image, IMAGE, id="one value per sample"),
    pytest.param("numerical_gradient", soft, ROWS, id="several forms of labels"),
    pytest.param("shape_mismatch", by_order, GRADES, id="rows, or numbers with an order"),
]
BROKEN = [
    pytest.param(
        "finite_values",
        for_the_batch,
        {},
        r"one value per position, shape \(6,\).*shape \(\) for",
        id="one value for a batch",
    ),
    pytest.param("finite_values", for_each_entry, {}, r"got shape \(6, 5\)", id="not reduced"),
    pytest.param("finite_values", unclipped, BINARY, "got (inf|nan).*Clip", id="log of 0"),
    pytest.param(
        "finite_gradients", rooted, {}, "and perfect predictions.*got (nan|inf)", id="root at 0"
    ),
    pytest.param(
        "saturated_model_learns",
        clipped,
        BINARY,
        "probabilities that are wrong by 30.*got 0",
        id="clipped probabilities",
    ),
    pytest.param(
        "saturated_model_learns",
        clipped_logits,
        LOGITS,
        "and logits that are wrong by 30",
        id="logits turned into probabilities",
    ),
    pytest.param("numerical_gradient", half_constant, {}, "slope of", id="a gradient cut off"),
    pytest.param("numerical_gradient", in_float32, {}, "values in float32", id="no float64"),
    pytest.param(
        "custom_gradient", own_gradient_for_floats, {}, "its function raises", id="a float inside"
    ),
    pytest.param("compiled", counted, {}, "under tf.function: .*differ", id="state"),
    pytest.param("compiled", by_numpy, {}, "It raised .*[Nn]um[Pp]y", id="numpy"),
    pytest.param("compiled", fixed_batch, {}, "It raised .*TypeError", id="a fixed size of batch"),
    pytest.param("compiled", branching, {}, "It raised .*Python .?bool", id="a Python if"),
    pytest.param("permuted_batch", by_place, {}, "elsewhere", id="place in the batch"),
    pytest.param(
        "permuted_batch", by_place, {"couples_batch": True}, "the same sum", id="place, coupled"
    ),
    pytest.param("zero_weight", relative, {}, "the sum of the others", id="coupled samples"),
    pytest.param("reductions", counted, {}, "reduction=", id="other values at each call"),
    pytest.param("integer_labels", cast_labels, INTEGER, "never y_true", id="labels cast"),
    pytest.param("float16", clipped, BINARY, "got nan", id="an epsilon that float16 hasn't"),
    pytest.param("config", keyed, {}, "the keys of a mapping are strings", id="numbers as keys"),
    pytest.param("pickling", called, {}, "can't be pickled", id="a function as a parameter"),
    pytest.param("unknown_parameter", variadic, {}, "declare each parameter", id="**kwargs"),
    pytest.param("parameter_type", anything, {}, "Write what the parameter takes", id="no type"),
    pytest.param("parameter_type", lenient, {}, "scale=True", id="a type that converts"),
    pytest.param(
        "parameter_range", unbounded, {}, "temperature=0.0, which its range allows", id="no range"
    ),
    pytest.param(
        "parameter_range", choosy, {}, "norm='l1', which its range allows.*KeyError", id="a choice"
    ),
    pytest.param(
        "parameter_range", below_two, {}, "window=1, which its range allows", id="an open low end"
    ),
    pytest.param(
        "parameter_range", at_eight, {}, "degree=8, which its range allows", id="an open high end"
    ),
    pytest.param("parameter_range", default_outside, {}, "outside its own range", id="the default"),
    pytest.param("parameter_range", with_a_way_out, {}, "scale=-1", id="a way around the range"),
    pytest.param(
        "shape_mismatch", squared, {"y_true": "unspecified"}, "Say in the spec", id="broadcast"
    ),
    pytest.param(
        "docstring",
        undocumented,
        {},
        "lacks a formula.*'Returns:', a section 'Source:', 'scale' in Args",
        id="sections",
    ),
    pytest.param("docstring", squared, {"summary": "Another."}, "begins with", id="the summary"),
    pytest.param(
        "docstring",
        undocumented,
        {"summary": "Another."},
        r"begins with .* is 'Another\.'(.|\n)*lacks a formula.*'scale' in Args",
        id="the summary and sections",
    ),
    pytest.param("names", squared, {"aliases": ("mse",)}, "keras .* offers", id="a built-in's"),
    pytest.param("names", squared, {"aliases": ("sparse_focal",)}, "lossreg-focal", id="known"),
]


BROKEN += [
    pytest.param("memory", forgetting, {}, "another state than at first", id="a constant state"),
    pytest.param("usable", misspelled, {}, "It raised AttributeError", id="it fails"),
    pytest.param("no_variables", learned, {}, "holds weights, in 'CENTRES'", id="a variable"),
    pytest.param("repeated", remembering, {}, "the values of the first call", id="a closure"),
    pytest.param(
        "label_dtypes", picky, INTEGER, "labels of (int32|uint8|float32)", id="int64 only"
    ),
    pytest.param(
        "ignored_class", ignoring_late, INTEGER, "expected a gradient of 0", id="0 times NaN"
    ),
    pytest.param(
        "padding", mean_over_padding, RANKED, "two more entries of padding", id="the padding counts"
    ),
    pytest.param("axis", along_the_last, {}, "the values for axis=-1", id="an axis ignored"),
    pytest.param("finite_values", by_positives, BINARY, "got (nan|inf)", id="no positives"),
    pytest.param("finite_values", overflowing, {}, "got inf", id="an exponential of an error"),
    pytest.param("float16", beyond_float16, {}, "got nan", id="more than float16 holds"),
    pytest.param(
        "unknown_classes", counting, INTEGER, r"can't be computed.*TypeError", id="a fixed count"
    ),
]


OF_A_STATE = {
    "numerical_gradient",
    "compiled",
    "permuted_batch",
    "repeated",
    "zero_weight",
    "reductions",
    "label_dtypes",
    "pickling",
}
# What else such a loss breaks: a NaN is one in float16 too, and a state shows wherever a loss is
# called twice.
ALSO = {
    "log of 0": {"finite_gradients", "saturated_model_learns", "float16"},
    "root at 0": {"float16"},
    "clipped probabilities": {"float16"},
    "logits turned into probabilities": {"finite_gradients", "float16"},
    "numpy": {"numerical_gradient"},
    "an epsilon that float16 hasn't": {"saturated_model_learns"},
    "a function as a parameter": {"config"},
    "**kwargs": {"usable", "parameter_type"},
    "the default": {"usable"},
    "a variable": {"usable"},
    "no positives": {"finite_gradients", "saturated_model_learns", "float16"},
    "an exponential of an error": {"finite_gradients", "zero_weight", "float16"},
    "state": OF_A_STATE,
    "other values at each call": OF_A_STATE,
    "a closure": OF_A_STATE,
}


@pytest.mark.parametrize(("check", "target", "fields"), GOOD)
def test_a_check_passes_a_loss_that_keeps_its_promise(check, target, fields):
    run(check, target, **fields)


@pytest.mark.parametrize(("check", "target", "fields", "message"), BROKEN)
def test_a_check_catches_the_loss_that_breaks_its_promise(check, target, fields, message):
    with pytest.raises(
        ConformanceError, match=f"(?s)(acme-losses|local)/made_up.*{check}: .*{message}"
    ):
        run(check, target, **fields)


@pytest.mark.parametrize(("check", "target", "fields", "message"), BROKEN)
def test_no_other_check_blames_a_broken_loss(request, check, target, fields, message):
    del message
    fault = request.node.callspec.id
    registry = suite_of(target, **fields).registry
    results = run_checks("acme-losses", registry=registry, loss="made_up")
    # These losses aren't documented.
    failed = {each.check for each in results if each.state == "failed"} - {"docstring"}
    assert failed - {check} == ALSO.get(fault, set()) - {check}
    # Where a loss can't be used at all, the other checks of its values aren't run.
    assert check in failed or check == "docstring" or "usable" in failed


def test_at_least_forty_faults_are_planted():
    assert len({case.id for case in BROKEN}) >= 40
    assert ALSO.keys() <= {case.id for case in BROKEN}


def test_every_check_has_a_loss_that_it_passes_and_one_that_it_catches():
    passed = {case.values[0] for case in GOOD} | {"fresh_process", "light_import"}
    caught = {case.values[0] for case in BROKEN}
    assert passed == caught | {"fresh_process", "light_import"} == set(CHECKS)


@pytest.mark.parametrize(
    ("check", "fields", "message"),
    [
        ("zero_weight", {"couples_batch": True}, "no value per sample"),
        ("integer_labels", {}, "no class numbers above 256"),
        ("saturated_model_learns", {}, "neither logits nor probabilities"),
        ("finite_values", {"y_pred": "unspecified"}, "no input can be drawn"),
        ("light_import", {}, "isn't installed"),
        ("fresh_process", {}, "isn't installed"),
    ],
)
def test_a_check_without_a_meaning_says_why(check, fields, message):
    with pytest.raises(NotApplicableError, match=message):
        run(check, squared, **fields)


def test_a_required_parameter_gets_a_value_that_works():
    subject = suite_of(Written).subjects["made_up"]
    assert set(subject.defaults) == {"factor", "power"}
    assert subject.defaults["power"] == 2
    assert subject.changed["factor"] != subject.defaults["factor"]
    assert subject.changed["power"] != 2


def test_a_list_gets_as_many_entries_as_there_are_outputs():
    subject = suite_of(weighted).subjects["made_up"]
    assert len(subject.changed["weights"]) == 5


def test_a_parameter_is_changed_where_no_input_can_be_drawn():
    subject = suite_of(squared, y_true="unspecified").subjects["made_up"]
    assert subject.changed == {"scale": 0.5}


def on_logits_alone(y_true, y_pred, *, from_logits: Literal[True] = True):
    return on_logits(y_true, y_pred)


def test_a_loss_may_take_logits_alone():
    subject = suite_of(on_logits_alone, **LOGITS).subjects["made_up"]
    assert subject.bases == [{"from_logits": True}]
    run("finite_values", on_logits_alone, **LOGITS)


def test_what_only_another_value_of_a_parameter_breaks_is_found():
    with pytest.raises(ConformanceError, match=r"With made_up\(power=0.5\) and perfect pred"):
        run("finite_gradients", fragile)


# In processes of their own

PLUGIN = """
import os, sys

@hookimpl
def lossreg_losses():
    specs = [spec("steady"), spec("moody"), spec("heavy", f"{__package__}.heavy:heavy")]
    return [*specs, spec("fleeting")] if "pytest" in sys.modules else specs
"""
LOSSES = """
import os
from typing import Annotated
from annotated_types import Ge
import lossreg
from lossreg import State
from lossreg.lazy import ops
from lossreg.registry import discovery, installed

def steady(y_true, y_pred, *, scale: Annotated[float, Ge(0)] = 1.0):
    return scale * ops.mean(ops.square(y_true - y_pred), axis=-1)

def moody(y_true, y_pred, *, scale: Annotated[float, Ge(0)] = 1.0):
    return os.getpid() * steady(y_true, y_pred, scale=scale)

def fleeting(y_true, y_pred):
    return steady(y_true, y_pred)
"""
HEAVY = """
import keras

def heavy(y_true, y_pred):
    return keras.ops.mean(y_pred, axis=-1)
"""


@pytest.fixture(scope="module")
def installed_suite(tmp_path_factory):
    """An installed package with losses that only a fresh process finds out."""
    site = tmp_path_factory.mktemp("site")
    package = install(site, PLUGIN, losses=LOSSES)
    (site / package / "heavy.py").write_text(HEAVY)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(site)
        found = [p for p in discovery.installed_plugins() if p.provider == ACME]
        yield Suite(discovery.discover(found), "acme-losses")


@pytest.mark.fresh
@pytest.mark.parametrize("check", ["fresh_process", "light_import"])
def test_a_loss_passes_that_another_process_finds_as_it_was(installed_suite, check):
    run_check(installed_suite, "steady", check)


@pytest.mark.fresh
@pytest.mark.parametrize(
    ("check", "loss", "message"),
    [
        ("fresh_process", "moody", "expected the values that it had"),
        ("fresh_process", "fleeting", "can't be loaded: UnknownLossError"),
        ("light_import", "heavy", "an import of keras.*lossreg.lazy"),
    ],
)
def test_a_loss_is_caught_that_another_process_finds_changed(installed_suite, check, loss, message):
    with pytest.raises(ConformanceError, match=f"(?s)acme-losses/{loss}.*{message}"):
        run_check(installed_suite, loss, check)


@pytest.mark.fresh
def test_a_plugin_module_that_imports_keras_is_caught(tmp_path, monkeypatch):
    package = install(tmp_path, "import keras\n" + PLUGIN, losses=LOSSES)
    monkeypatch.syspath_prepend(tmp_path)
    found = [p for p in discovery.installed_plugins() if p.provider == ACME]
    suite = Suite(discovery.discover(found), "acme-losses")
    with pytest.raises(ConformanceError, match=f"'import {package}.plugin'.*import of keras"):
        run_check(suite, "steady", "light_import")
