"""A bound loss as a function of labels and predictions, with checked shapes and labels.

It knows no reduction, weights or masks. Keras is imported when a function is called.
"""

import functools
from collections.abc import Callable
from typing import Any

from ..errors import (
    BrokenPluginError,
    ConfigError,
    LossregError,
    ParameterError,
    ShapeError,
    error_line,
)
from ..lazy import keras, ops
from ..numerics import leave_out, logits_of
from .bound import BoundLoss, BoundSum
from .labels import check_labels
from .names import shown
from .shapes import align, form_of
from .variables import NO_WEIGHTS, find_variable, keras_bases

Function = Callable[[Any, Any], Any]


def make(bound: BoundLoss, dtype: str | None = None) -> Any:
    """Return the function of a loss with its parameters, or what its factory makes of them.

    Args:
        bound: The loss.
        dtype: Keras' option, for a factory that takes it.

    Returns:
        A function of `(y_true, y_pred)`, or a Keras loss.

    Raises:
        BrokenPluginError: The factory returned something else, or failed; or the loss holds
            weights, which nothing would train.
        ParameterError: The factory refuses the values of the parameters.
    """
    entry, params = bound.entry, _arguments(bound)
    if entry.signature.is_function:
        entry.check_variables()
        return functools.partial(entry.target, **params)
    takes_dtype = dtype is not None and entry.signature.takes_dtype
    where = f"Loss {bound.name!r} of {bound.provider} can't be used"
    try:
        made = entry.target(**params, **({"dtype": dtype} if takes_dtype else {}))
    except (KeyboardInterrupt, LossregError):
        raise
    except (TypeError, ValueError) as error:
        raise ParameterError(
            f"Loss {bound.label!r} of {bound.provider} can't be made: its factory refuses the "
            f"parameters ({error_line(error)})."
        ) from error
    except BaseException as error:
        raise BrokenPluginError(
            f"{where}: its factory raised {error_line(error)}. Repair or update that package."
        ) from error
    bases = keras_bases(type(made))
    # Metrics and layers of Keras are callable too, and aren't losses.
    if not callable(made) or (bases and "Loss" not in bases):
        raise BrokenPluginError(
            f"{where}: its factory returned {shown(made)}, which is neither a Keras loss nor a "
            "function of (y_true, y_pred)."
        )
    held = find_variable(made)
    if held is not None:
        raise BrokenPluginError(f"{where}: it holds weights, in {held!r}. {NO_WEIGHTS}")
    return made


def values_of(bound: BoundLoss | BoundSum) -> Function:
    """Return the function from labels and predictions to the values of a loss or of a sum."""
    check_plain(bound)
    if isinstance(bound, BoundSum):
        # Of a plain sum every weight is a number.
        terms = [(term.weight, values_of(term.loss)) for term in bound.terms]
        return lambda y_true, y_pred: add_values(
            bound, [_times(weight, values(y_true, y_pred)) for weight, values in terms]
        )
    return checked(bound, make(bound))


def checked(bound: BoundLoss, made: Any) -> Function:
    """Return what computes the values of a loss, with checked shapes and labels.

    Args:
        bound: The loss.
        made: What `make` returned for it.
    """
    function = value_function(made)
    views = {form: bound.taking(form) for form in bound.spec.forms}
    is_own_class = "Loss" in keras_bases(type(made))

    def values(y_true: Any, y_pred: Any) -> Any:
        if keras.tree.is_nested(y_pred):
            # Several outputs in one loss: only the loss knows what belongs to what.
            return function(y_true, y_pred)
        form = form_of(bound, y_true, y_pred)
        fitted = align(views[form], y_true, y_pred)
        check_labels(views[form], *fitted)
        if is_own_class:
            # Somebody's own class gets its tensors as Keras would give them.
            return function(y_true, y_pred)
        try:
            return _converted(bound, function, form, *fitted)
        except Exception as error:
            # What a program registered may raise errors of its own.
            if bound.provider.is_local or _has_other_cause(error):
                raise
            return _of_nothing(bound, *fitted, error)

    return values


def _has_other_cause(error: Exception) -> bool:
    """Tell whether an error comes from the loss's code or the machine, whatever the shapes are."""
    # What the code gets wrong, or what a backend doesn't implement, is the same for all shapes.
    others = (LossregError, AttributeError, ImportError, NameError, NotImplementedError, OSError)
    # Each backend has an error of its own for a lack of memory; all of them use one of these words.
    out_of_memory = isinstance(error, MemoryError) or any(
        word in error_line(error).lower()
        for word in ("out of memory", "resource_exhausted", "resourceexhausted")
    )
    return isinstance(error, others) or out_of_memory


def _of_nothing(bound: BoundLoss, y_true: Any, y_pred: Any, error: Exception) -> Any:
    """Return the values of an empty batch, for which a maximum or an index fails.

    Raises:
        ShapeError: The batch isn't empty.
    """
    shape = tuple(y_pred.shape)
    if shape[:1] == (0,):
        return ops.zeros(bound.spec.shape_of_values(bound.params, shape), y_pred.dtype)
    raise ShapeError(
        f"Loss {bound.name!r} can't be computed from y_true of shape {tuple(y_true.shape)} and "
        f"y_pred of shape {shape} ({error_line(error)}). 'lossreg show {bound.name}' says which "
        "shapes it takes."
    ) from error


def add_values(bound: BoundLoss | BoundSum, values: list[Any]) -> Any:
    """Return the sum of the values of each term.

    Raises:
        ShapeError: They have several shapes.
    """
    if len(values) == 1:
        return values[0]
    shapes = [tuple(value.shape) for value in values]
    # An unknown size fits any.
    if any(len(shape) != len(shapes[0]) for shape in shapes) or any(
        len({size for size in sizes if size is not None}) > 1 for sizes in zip(*shapes, strict=True)
    ):
        raise ShapeError(
            f"The terms of {bound} have values of shapes {', '.join(map(str, shapes))}, which "
            "can't be added. Set a reduction, or take terms whose values have the same shape."
        )
    return functools.reduce(lambda total, value: total + value, values)


def _times(weight: Any, values: Any) -> Any:
    return values if weight == 1 else weight * values


def value_function(made: Any) -> Callable[[Any, Any], Any]:
    """Return a function of `(y_true, y_pred)` to values: itself, or what a Keras loss computes."""
    if "Loss" not in keras_bases(type(made)):
        return made  # type: ignore[no-any-return]  # it may be anything callable
    own = next(base for base in type(made).__mro__ if "call" in vars(base))
    # A Keras loss reduces in __call__, and `call` returns a value per sample; a class may have its
    # own __call__ and no `call`. The object is kept: a tf.function among its methods doesn't.
    if own.__module__.partition(".")[0] == "keras" and own.__name__ == "Loss":
        return lambda y_true, y_pred: made(y_true, y_pred)
    return lambda y_true, y_pred: made.call(y_true, y_pred)


def check_plain(bound: BoundLoss | BoundSum) -> None:
    """Raise for a loss that only `lossreg.compile` can carry.

    Raises:
        ConfigError: It has memory, takes several label tensors or other inputs, or changes.
    """
    if bound.is_plain:
        return
    found = {name: None for loss in bound.losses() for name in loss.memory.names}
    names = ", ".join(found) or "a weight that changes, or several label tensors"
    raise ConfigError(
        f"Loss {bound.name!r} needs more than labels and predictions ({names}), which a Keras loss "
        "can't have. Compile the model with it: "
        f"model = lossreg.compile(model, optimizer, loss={bound.label!r})"
    )


def _arguments(bound: BoundLoss) -> dict[str, Any]:
    """Return the parameters as the function takes them."""
    ours = bound.spec.adds_ignore_class and bound.spec.ignore_class
    # Of a loss that weighs others, the values come from who compiles the model.
    others = bound.memory.of_losses
    return {
        name: value if name == others else _argument(value)
        for name, value in bound.items
        if name != ours
    }


def _argument(value: Any) -> Any:
    """Return the value of a parameter as a function takes it."""
    if isinstance(value, tuple):
        return tuple(map(_argument, value))
    if not isinstance(value, BoundLoss | BoundSum):
        return value
    if not value.is_plain:
        raise ConfigError(
            f"A loss within another must take labels and predictions alone, and {value.label!r} "
            "needs more. Make it a term of a sum instead."
        )
    return values_of(value)


def _converted(bound: BoundLoss, function: Function, form: str, y_true: Any, y_pred: Any) -> Any:
    """Return the values for labels of any kind that the loss takes."""
    spec, axis = bound.spec, bound.class_axis
    if len(spec.forms) == 1:
        return function(y_true, y_pred)
    match (spec.forms[0], form):
        case ("one_hot", _) if form == spec.number_form:
            return _of_class_numbers(bound, function, y_true, y_pred)
        case ("integer", "one_hot"):
            return function(ops.argmax(y_true, axis=axis), y_pred)
        case ("sign", _):
            y_true = ops.cast(y_true, y_pred.dtype)
            # As Keras does it: a batch of 0 and 1 alone has no signs yet.
            is_binary = ops.all(ops.logical_or(ops.equal(y_true, 0), ops.equal(y_true, 1)))
            return function(ops.where(is_binary, 2 * y_true - 1, y_true), y_pred)
        case ("one_hot", _):
            # Labels that may be class numbers aren't cast before.
            return function(ops.cast(y_true, y_pred.dtype), y_pred)
    return function(y_true, y_pred)


def _of_class_numbers(bound: BoundLoss, function: Function, labels: Any, y_pred: Any) -> Any:
    """Return the values of a loss of one-hot rows for class numbers."""
    axis, ignored = bound.class_axis, bound.params.get(bound.spec.ignore_class or "")
    leaves_out = bound.spec.adds_ignore_class
    labels, counts = ops.cast(labels, "int32"), None
    if ignored is not None:
        counts = ops.not_equal(labels, ignored)
        # Any class will do where lossreg leaves the values out.
        labels = ops.where(counts, labels, 0) if leaves_out else labels
        function, y_pred = _before_activation(bound, function, y_pred)
        # Before the formula: a gradient of 0 times NaN is NaN.
        y_pred = ops.where(ops.expand_dims(counts, axis), y_pred, _EVEN)
    classes = ops.arange(ops.shape(y_pred)[axis], dtype="int32")
    rank = len(y_pred.shape)
    classes = ops.reshape(classes, [-1 if at == axis % rank else 1 for at in range(rank)])
    hot = ops.cast(ops.equal(ops.expand_dims(labels, axis), classes), y_pred.dtype)
    # Where it can't be refused, a class that y_pred lacks must not cost nothing.
    there = ops.logical_and(labels >= 0, labels < ops.shape(y_pred)[axis])
    if counts is not None and not leaves_out:
        # A loss that has the parameter itself leaves out rows of zeros.
        there = ops.logical_or(there, ops.logical_not(counts))
        hot = ops.where(ops.expand_dims(counts, axis), hot, 0.0)
    values = function(ops.where(ops.expand_dims(there, axis), hot, float("nan")), y_pred)
    if counts is None or not leaves_out:
        return values
    values = ops.where(counts, values, 0.0)
    leave_out(values, counts)
    return values


_EVEN = 0.5
"""A logit or probability for what doesn't count; alike for all classes, it is finite anywhere."""


def _before_activation(bound: BoundLoss, function: Function, y_pred: Any) -> tuple[Function, Any]:
    """Return the loss on the logits that Keras left on its predictions, if there are any."""
    name = bound.spec.from_logits
    if name is None or name not in bound.params or bound.params[name]:
        return function, y_pred
    x = logits_of(y_pred, "softmax", from_logits=False, axis=bound.class_axis)
    if x is None:
        return function, y_pred
    return functools.partial(bound.entry.target, **{**_arguments(bound), name: True}), x
