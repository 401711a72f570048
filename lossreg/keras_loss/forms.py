"""The two forms of a loss for Keras: an object for `compile`, a function for training loops.

This module imports Keras at the first use of a loss, and never before.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, overload

from .. import registry
from ..config import LossConfig, bind_in
from ..errors import ParameterError
from ..lazy import keras
from ..loss import OPTIONS, PROJECT, Bound, BoundLoss, BoundOutputs, BoundSum

if TYPE_CHECKING:
    from .loss import RegisteredLoss

One = str | BoundLoss | BoundSum | Sequence[Any] | Callable[..., Any]
"""What describes one loss, and never a loss for each output."""

Config = Mapping[str, Any] | LossConfig
"""What describes one loss or a loss for each output."""

Function = Callable[[Any, Any], Any]
Functions = dict[str, Function | None]
Losses: TypeAlias = "dict[str, RegisteredLoss | None]"


@overload
def get_loss(identifier: None, /) -> None: ...
@overload
def get_loss(identifier: BoundOutputs, /, **params: Any) -> Losses: ...
@overload
def get_loss(identifier: One, /, **params: Any) -> "RegisteredLoss": ...
@overload
def get_loss(identifier: Config, /, **params: Any) -> "RegisteredLoss | Losses": ...
def get_loss(identifier: Any, /, **params: Any) -> Any:
    """Return a loss for `compile`, by its name or from whatever Keras takes as a loss.

    >>> loss = get_loss("huber", delta=2)
    >>> float(loss([[0.0], [4.0]], [[1.0], [0.0]]))
    3.25
    >>> model.compile("adam", loss=get_loss("mse + 0.5 * huber(delta=2)"))

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
        A `keras.losses.Loss`; a dictionary of them where each output has a loss; None for None.

    Raises:
        LossNameError: No loss can have this name.
        LossLookupError: The name doesn't mean exactly one working loss.
        ParameterError: The loss refuses parameters; all of them are named.
        ConfigError: The identifier doesn't describe a loss.
    """
    losses = registry.installed()
    if not params and type(identifier) is str:
        # The short path of a loop over names.
        make = losses.recall("class", identifier)
        if make is not None:
            return make()
    return _get_loss(losses, identifier, params)


@overload
def get_loss_fn(identifier: BoundOutputs, /, **params: Any) -> Functions: ...
@overload
def get_loss_fn(identifier: One, /, **params: Any) -> Function: ...
@overload
def get_loss_fn(identifier: Config, /, **params: Any) -> Function | Functions: ...
def get_loss_fn(identifier: Any, /, **params: Any) -> Any:
    """Return a loss as a function of `(y_true, y_pred)` that gives one value per sample.

    >>> values = get_loss_fn("huber", delta=2)([[0.0], [4.0]], [[1.0], [0.0]])
    >>> [float(value) for value in values]
    [0.5, 6.0]

    Args:
        identifier: As `get_loss` takes it, except a `Loss` and None. Where each output has
            a loss, the result is a dictionary of functions.
        params: The loss's parameters. A function takes none of Keras' options.

    Raises:
        LossregError: As `get_loss` raises it.
    """
    losses = registry.installed()
    if not params and type(identifier) is str:
        function = losses.recall("function", identifier)
        if function is not None:
            return function
    return _get_loss_fn(losses, identifier, params)


# What a pickle names: a public place, whatever modules there are.
get_loss.__module__ = get_loss_fn.__module__ = PROJECT


class Registry(registry.Registry):
    """Losses by name: an ordinary object, and empty at first.

    `lossreg.bind`, `get_loss` and `get_loss_fn` do the same with the losses that are installed.

    >>> Registry().entries()
    []
    """

    @overload
    def bind(self, identifier: One, /, **params: Any) -> BoundLoss | BoundSum: ...
    @overload
    def bind(self, identifier: Config, /, **params: Any) -> Bound: ...
    def bind(self, identifier: Any, /, **params: Any) -> Any:
        """Return a loss of this registry as `lossreg.bind` does."""
        return bind_in(self, identifier, params)

    @overload
    def get_loss(self, identifier: One, /, **params: Any) -> "RegisteredLoss": ...
    @overload
    def get_loss(self, identifier: Config, /, **params: Any) -> "RegisteredLoss | Losses": ...
    def get_loss(self, identifier: Any, /, **params: Any) -> Any:
        """Return a loss of this registry as `lossreg.get_loss` does."""
        return _get_loss(self, identifier, params)

    @overload
    def get_loss_fn(self, identifier: One, /, **params: Any) -> Function: ...
    @overload
    def get_loss_fn(self, identifier: Config, /, **params: Any) -> Function | Functions: ...
    def get_loss_fn(self, identifier: Any, /, **params: Any) -> Any:
        """Return a loss of this registry as a function, as `lossreg.get_loss_fn` does."""
        return _get_loss_fn(self, identifier, params)


def _get_loss(losses: registry.Registry, identifier: Any, params: dict[str, Any]) -> Any:
    options = {key: params.pop(key) for key in OPTIONS if key in params} if params else {}
    if not isinstance(identifier, str) and (
        identifier is None or isinstance(identifier, keras.losses.Loss)
    ):
        if params or options:
            given = ", ".join([*params, *options])
            raise ParameterError(
                f"{identifier!r} is already built and takes no parameters, got {given}. "
                "Give the loss's name with its parameters."
            )
        return identifier
    from .loss import class_maker

    def each_output(make: Callable[[Any], Any]) -> Any:
        return bind_in(losses, identifier, params).with_options(options).each_output(make)

    if not params and not options and isinstance(identifier, str):
        return losses.remember("class", identifier, {}, lambda: each_output(class_maker))()
    return each_output(lambda bound: class_maker(bound)())


def _get_loss_fn(losses: registry.Registry, identifier: Any, params: dict[str, Any]) -> Any:
    from .function import RegisteredFunction

    def build() -> Any:
        return bind_in(losses, identifier, params).each_output(RegisteredFunction)

    # Keras compiles a function again for every new function object.
    if isinstance(identifier, str):
        return losses.remember("function", identifier, params, build)
    return build()
