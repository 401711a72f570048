"""What users call; each function works on the registry of the process."""

import functools
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, Unpack, get_args, overload

from . import config, discovery, lazy, local
from .binding import (
    CACHED,
    Bound,
    as_config,
    bind_config,
    bind_sum,
    bind_text,
    cached_bind,
    entry_of,
    is_config,
)
from .entry import BoundLoss, BoundSum
from .errors import ConfigError, ParameterError
from .local import About
from .loss_config import LossConfig
from .loss_terms import LossTerms
from .names import did_you_mean, shown
from .options import OPTIONS
from .provider import PluginRecord
from .spec import Labels, LossSpec, Task

# load_model looks both classes up among those that Keras knows by then.
lazy.import_after_keras("lossreg.keras_sum")
_keras_loss: Any = lazy.LazyModule("lossreg.keras_loss")
_keras_sum: Any = lazy.LazyModule("lossreg.keras_sum")

Target = TypeVar("Target", bound=Callable[..., Any])


def get_loss(identifier: Any, /, **params: Any) -> Any:
    """Return a loss for `compile`, by name or from whatever Keras takes for one.

    Args:
        identifier: A name in any spelling, an alias, a qualified name such as
            `"lossreg-focal/focal"`, a call or a sum such as `"dice + 0.5 * focal(gamma=2)"`,
            a mapping (`{"name": "focal", "params": {"gamma": 2}}`, `{"outputs": {...}}` with
            a loss for each output, or what Keras wrote), a list of losses to add, a
            `LossConfig`, a function, a class, a bound loss, a `keras.losses.Loss` (returned
            as it is) or None.
        params: The loss's parameters, and Keras' options `name`, `reduction`
            and `dtype`.

    Returns:
        A `keras.losses.Loss`; a dictionary of them for a loss for each output; None for None.

    Raises:
        LossNameError: No loss can have this name.
        LossLookupError: The name doesn't mean exactly one working loss.
        ParameterError: The loss refuses parameters; all of them are named.
        ConfigError: The identifier is of no kind that describes a loss.
    """
    if not params and type(identifier) is str:
        # What a loop over names pays; the rest of this function is for the other kinds.
        return _build(cached_bind(identifier), params)
    options = {key: params.pop(key) for key in OPTIONS if key in params}
    if isinstance(identifier, str):
        return _build(bind_text(identifier, params), options)
    if identifier is None or isinstance(identifier, lazy.keras.losses.Loss):
        if params or options:
            given = ", ".join([*params, *options])
            raise ParameterError(
                f"{identifier!r} is already built and takes no parameters, got {given}. "
                "Give the loss's name with its parameters."
            )
        return identifier
    if isinstance(identifier, LossConfig):
        identifier = identifier.config
    if is_config(identifier):
        said = config.read(identifier)
        bound = bind_config(said, params)
        if isinstance(said, LossTerms):
            return _build(bound, {**said.options, **options})
        # They have one form, and mypy can't know it.
        assert isinstance(bound, dict)
        return {
            output: terms and _build(bound[output], {**terms.options, **options})
            for output, terms in said.items()
        }
    return _build(bind(identifier, **params), options)


def _build(bound: Any, options: Mapping[str, Any]) -> Any:
    if isinstance(bound, BoundSum):
        return _keras_sum.RegisteredSum(bound, **options)
    return _keras_loss.RegisteredLoss(bound, **options)


def get_loss_fn(identifier: Any, /, **params: Any) -> Any:
    """Return the function form of a loss: `(y_true, y_pred)` to a value per sample.

    Args:
        identifier: As `get_loss` takes it, but no `Loss` and not None. For a loss for
            each output there is a dictionary of functions.
        params: The loss's parameters. Keras' options belong to the class form.

    Raises:
        LossregError: As `get_loss` raises it.
    """
    if isinstance(identifier, str) and (
        not params or CACHED.issuperset(map(type, params.values()))
    ):
        return _cached_function(identifier, **params)
    return _function(bind(identifier, **params))


def bind(identifier: Any, /, **params: Any) -> Any:
    """Return a loss with its checked, complete parameters, without Keras.

    >>> bind("huber", delta=2).params
    {'delta': 2.0}
    >>> str(bind("mse + 0.5 * huber(2)"))
    'mean_squared_error() + 0.5 * huber(delta=2.0)'

    Args:
        identifier: As `get_loss` takes it, but no `Loss` and not None.
        params: The loss's parameters.

    Returns:
        A `BoundLoss`, a `BoundSum`, or a dictionary of them for a loss for each output.

    Raises:
        LossregError: As `get_loss` raises it.
    """
    if isinstance(identifier, LossConfig):
        identifier = identifier.config
    if isinstance(identifier, str):
        return bind_text(identifier, params)
    if isinstance(identifier, BoundLoss):
        return identifier.entry.bind({**identifier.params, **params}) if params else identifier
    if isinstance(identifier, BoundSum):
        return bind_sum(identifier, params)
    if is_config(identifier):
        return bind_config(config.read(identifier), params)
    # Nobody holds a loss of Keras who hasn't imported it.
    if "keras" in sys.modules and isinstance(identifier, lazy.keras.losses.Loss):
        raise ConfigError(
            f"{identifier!r} is already built, for compile(). Give the loss's name with its "
            "parameters."
        )
    if callable(identifier):
        return entry_of(identifier).bind(params)
    raise ConfigError(
        f"{shown(identifier)} ({type(identifier).__name__}) describes no loss. "
        f"{config.FORMS} A function or a class is a loss too."
    )


def to_config(loss: Any, /) -> dict[str, Any]:
    """Return a loss as data; `get_loss` makes the same loss of it again.

    >>> to_config(bind("huber", delta=2))
    {'name': 'keras/huber', 'params': {'delta': 2.0}}

    Args:
        loss: What `get_loss` or `bind` returned.

    Returns:
        A mapping of texts, numbers, lists and mappings, for any file format. Names
        are qualified, so that they mean the same loss wherever they are read.

    Raises:
        ConfigError: It is no registered loss.
    """
    if isinstance(loss, LossConfig):
        return loss.canonical
    if isinstance(loss, dict):
        return {"outputs": {name: each and to_config(each) for name, each in loss.items()}}
    bound = getattr(loss, "bound", loss)
    options = {} if bound is loss else {"options": _options_of(loss)}
    if not isinstance(bound, BoundLoss | BoundSum):
        raise ConfigError(f"{loss!r} is no loss of lossreg. Make it by get_loss(...) first.")
    return {**as_config(bound), **options}


def _options_of(loss: Any) -> dict[str, Any]:
    return {option: getattr(loss, option) for option in OPTIONS}


@functools.lru_cache(maxsize=512, typed=True)
def _cached_function(text: str, /, **params: Any) -> Any:
    return _function(cached_bind(text, **params))


def _function(bound: Bound) -> Any:
    if isinstance(bound, dict):
        return {output: loss and _function(loss) for output, loss in bound.items()}
    if isinstance(bound, BoundSum):
        return _keras_sum.sum_form(bound)
    return _keras_loss.function_form(bound)


@overload
def register(target: Target, /, *, replace: bool = ..., **about: Unpack[About]) -> Target: ...
@overload
def register(*, replace: bool = ..., **about: Unpack[About]) -> Callable[[Target], Target]: ...
def register(target: Any = None, /, *, replace: bool = False, **about: Unpack[About]) -> Any:
    """Make a function or class of this process a loss like any other.

    A decorator, with or without arguments. Registering an identical one again,
    as a notebook cell does that runs twice, changes nothing.

    Args:
        target: A function of `(y_true, y_pred)` with its parameters after them, a
            `keras.losses.Loss` subclass, or a factory of either.
        replace: Whether to replace a different loss of this name.
        about: What is known of it, as in `LossSpec`. `name` is by default the target's own
            name, `summary` the first line of its documentation, everything else
            "unspecified". Integer labels stay integers where `y_true` is "integer" or
            "sequence"; otherwise Keras casts them to the loss dtype, as it always does.

    Returns:
        The target, unchanged.

    Raises:
        RegistrationError: A built-in has the name, or another loss and not `replace`.
        SpecError: The target is no loss.
    """
    if target is None:
        return functools.partial(register, replace=replace, **about)
    local.register(discovery.installed(), local.describe(target, **about), replace=replace)
    _forget()
    return target


def _forget() -> None:
    """Clear what the caches know of names that may mean something else now."""
    cached_bind.cache_clear()
    _cached_function.cache_clear()


def list_losses(
    pattern: str = "*",
    *,
    task: Task | None = None,
    y_true: Labels | None = None,
    plugin: str | None = None,
) -> list[LossSpec]:
    """Return the specs of the losses that match, the built-ins first, without Keras.

    >>> [spec.name for spec in list_losses("*hinge")]
    ['categorical_hinge', 'hinge', 'squared_hinge']

    Args:
        pattern: Shell pattern for the name or an alias.
        task: What the loss is for, such as "binary".
        y_true: What its labels are, such as "integer".
        plugin: The distribution that offers it.

    Raises:
        ParameterError: There is no such task, kind of label or plugin.
    """
    registry = discovery.installed()
    # A plugin that is broken or blocked is there too, with no losses.
    providers = [record.provider for record in registry.plugins]
    providers += [entry.provider for entry in registry.entries()]
    distributions = sorted({provider.distribution for provider in providers})
    for what, value, choices in (
        ("task", task, get_args(Task)),
        ("y_true", y_true, get_args(Labels)),
        ("plugin", plugin, distributions),
    ):
        if value is not None and value not in choices:
            raise ParameterError(
                f"There is no {what} {value!r}.{did_you_mean(str(value), choices)} "
                f"Choose from {', '.join(choices)}."
            )
    found = registry.entries(pattern, task=task, y_true=y_true, plugin=plugin)
    return [entry.spec for entry in found]


def plugins() -> list[PluginRecord]:
    """Return what was found at each plugin's entry point, and its state."""
    return list(discovery.installed().plugins)


def refresh() -> None:
    """See packages that were installed or removed since the program began.

    Losses that this process registered stay. A package that is already imported
    stays as it is, as Python keeps it; a new version of it needs a new process.
    """
    discovery.refresh()
    _forget()
