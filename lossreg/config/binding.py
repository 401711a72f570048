"""The bound loss of a name, a config or a function, and the config of a bound loss."""

import contextlib
import copyreg
import functools
import itertools
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, overload

from ..errors import (
    MOST_FAULTS,
    ConfigError,
    Fault,
    LossLookupError,
    LossregError,
    ParameterError,
    Path,
    fault_lines,
)
from ..lazy import keras
from ..loss import (
    LOCAL,
    PROJECT,
    Bound,
    BoundLoss,
    BoundOutputs,
    BoundSum,
    Entry,
    WeightedLoss,
    json_data,
    plain,
    shown,
)
from ..registry import Registry, describe, installed
from .expression import Call, is_expression, parse_schedule
from .foreign import read_saved
from .loss import read, read_with_faults
from .terms import FORMS, LossTerms, Reading, Term, Terms

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


@overload
def bind(identifier: BoundLoss | Callable[..., Any], /, **params: Any) -> BoundLoss: ...
@overload
def bind(identifier: str | BoundSum | Sequence[Any], /, **params: Any) -> BoundLoss | BoundSum: ...
@overload
def bind(identifier: "Mapping[str, Any] | LossConfig", /, **params: Any) -> Bound: ...
def bind(identifier: Any, /, **params: Any) -> Any:
    """Return a loss with its checked, complete parameters, without Keras.

    >>> bind("huber", delta=2).params
    {'delta': 2.0}
    >>> str(bind("mse + 0.5 * huber(2)"))
    'mean_squared_error() + 0.5 * huber(delta=2.0)'

    Args:
        identifier: As `get_loss` takes it, except a `Loss` and None.
        params: The loss's parameters.

    Returns:
        A `BoundLoss`, a `BoundSum`, or a dictionary of them where each output has a loss.

    Raises:
        LossregError: As `get_loss` raises it.
    """
    return bind_in(installed(), identifier, params)


# What a pickle names: a public place, whatever modules there are.
bind.__module__ = PROJECT


def portable_config(bound: Bound) -> dict[str, Any] | None:
    """Return the config that means a loss in every process that has its package, or None.

    A loss that this process registered, or that is in a `Registry` of its own, has none.
    """
    config = bound.config()
    try:
        is_same = bind(config) == bound
    except LossregError:
        return None
    is_local = any(loss.provider.is_local for loss in bound.losses())
    return config if is_same and not is_local else None


def _reduced(bound: Any) -> Any:
    """Return how a loss is pickled: by `bind` and its config, which checks all of it again."""
    config = portable_config(bound)
    return object.__reduce_ex__(bound, 2) if config is None else (bind, (config,))


for _kind in (BoundLoss, BoundSum, BoundOutputs):
    copyreg.pickle(_kind, _reduced)


def bind_in(registry: Registry, identifier: Any, params: Mapping[str, Any]) -> Bound:
    """Return the loss that an identifier means in a registry; `bind` lists the identifiers."""
    if isinstance(identifier, str):
        bound: Bound = registry.remember(
            "bind", identifier, params, lambda: _bind_string(registry, identifier, params)
        )
        return bound
    # A Keras loss exists only where Keras is imported.
    if "keras" in sys.modules and isinstance(identifier, keras.losses.Loss):
        raise ConfigError(
            f"{identifier!r} is already built, for compile(). Give the loss's name with its "
            "parameters."
        )
    # A LossConfig and what get_loss_fn returned have the loss in them.
    known = getattr(identifier, "bound", identifier)
    if isinstance(known, Bound):
        return known.with_params(params)
    if isinstance(identifier, Mapping | Sequence) and not isinstance(identifier, bytes | bytearray):
        return _bind_terms(registry, read(plain_data(identifier)), params)
    if callable(identifier):
        return _bind_entry(registry, _find_entry(registry, identifier), params)
    raise ConfigError(
        f"{shown(identifier)} ({type(identifier).__name__}) doesn't describe a loss. "
        f"{FORMS} A function or a class is a loss too."
    )


def _bind_string(registry: Registry, string: str, params: Mapping[str, Any]) -> Bound:
    if registry.recall("lookup", string) or not is_expression(string):
        return _bind_entry(registry, registry.lookup(string), params)
    return _bind_terms(registry, read(string), params)


def _bind_terms(registry: Registry, terms: Terms, params: Mapping[str, Any]) -> Bound:
    if isinstance(terms, LossTerms):
        return _bind_one(registry, terms, params)
    outputs = BoundOutputs()
    for name, loss in terms.items():
        outputs[name] = None if loss is None else _bind_one(registry, loss, {})
    return outputs.with_params(params)


def _bind_one(
    registry: Registry, loss: LossTerms, params: Mapping[str, Any]
) -> BoundLoss | BoundSum:
    first = loss.terms[0]
    bound: BoundLoss | BoundSum
    if len(loss.terms) == 1 and first.weight == 1 and first.field is None:
        entry = registry.lookup(first.name)
        bound = _bind_entry(registry, entry, {**first.params, **params}, first.args)
    else:
        weighted = tuple(_bind_term(registry, term) for term in loss.terms)
        bound = BoundSum(terms=weighted).with_params(params)
    return bound.with_options(loss.options)


def _bind_term(registry: Registry, term: Term) -> WeightedLoss:
    entry = registry.lookup(term.name)
    bound = _bind_entry(registry, entry, term.params, term.args)
    return WeightedLoss(weight=term.weight, loss=bound, field=term.field)


def _bind_entry(
    registry: Registry, entry: Entry, params: Mapping[str, Any], args: tuple[Any, ...] = ()
) -> BoundLoss:
    """Return a loss with its parameters, of which some may be losses or schedules."""
    # A config file, and what we save, has a schedule as a string.
    params = {name: _parameter(value) for name, value in params.items()}
    return entry.bind(params, args, bind_loss=functools.partial(bind_parameter, registry))


def _parameter(value: Any) -> Any:
    """Return the value of a parameter, with a schedule in place of a string that holds one."""
    try:
        schedule = parse_schedule(value) if isinstance(value, str) else None
    except ConfigError as error:
        raise ParameterError(str(error)) from None
    return value if schedule is None else schedule


def bind_parameter(registry: Registry, config: Any) -> BoundLoss | BoundSum:
    """Return the loss that a parameter of another loss is.

    Raises:
        ConfigError: It has Keras' options, or is a loss for each output.
    """
    bound = bind_in(registry, str(config) if isinstance(config, Call) else config, {})
    if isinstance(bound, BoundOutputs) or bound.options:
        raise ConfigError(
            f"It has one loss without options, got {shown(config)}. Give a name, a call or a sum."
        )
    return bound


def bind_saved(config: Mapping[str, Any]) -> BoundLoss | BoundSum:
    """Return the loss that `saved_form` wrote, without Keras' options.

    Raises:
        ConfigError: It has another form, or a loss refuses a parameter that was saved.
        LossLookupError: A loss isn't here; the message names the package to install.
    """
    reading = Reading()
    read_terms = read_saved(reading, plain_data(config), ())
    if reading.faults:
        message = f"This isn't the config of a registered loss: {shown(dict(config))}."
        message = f"{message}\n{fault_lines(reading.faults)}"
        raise ConfigError.of(reading.faults, message=message)
    terms = tuple(map(_bind_saved_term, read_terms))
    return BoundSum(terms=terms) if "sum" in config else terms[0].loss


def _bind_saved_term(term: Term) -> WeightedLoss:
    try:
        return _bind_term(installed(), term)
    except (LossLookupError, ParameterError) as error:
        # Not a ParameterError: it is a TypeError, which Keras would bury in advice of its own.
        kind = ConfigError if isinstance(error, ParameterError) else type(error)
        # A file may hold anything there. A repr has no line breaks.
        version = shown(term.version).strip("'")
        saved_with = f"{term.name.partition('/')[0]} {version}"
        where = "" if term.name.startswith(f"{LOCAL}/") else f" (It was saved with {saved_with}.)"
        raise kind(
            f"{error}{where} To load a model without its loss: "
            "keras.models.load_model(..., compile=False)"
        ) from error


def examine(value: Any, at: Path = ()) -> tuple[Bound | None, list[Fault]]:
    """Return the loss of a config, or None, and every fault in the config.

    Args:
        value: A config, or anything else, which is a fault.
        at: Its place in a larger config.
    """
    terms, faults = read_with_faults(value, at)
    losses = terms.values() if isinstance(terms, dict) else [terms]
    each = itertools.chain.from_iterable(loss.terms for loss in losses if loss)
    for term in each:
        if len(faults) > MOST_FAULTS:
            # Looking for the nearest names takes milliseconds each.
            break
        faults += _find_faults(term)
    return (None if faults else _bind_terms(installed(), terms, {})), faults


def _find_faults(term: Term) -> list[Fault]:
    """Return the faults of a loss's name or of its parameters."""
    try:
        entry = installed().lookup(term.name)
        _bind_entry(installed(), entry, term.params, term.args)
    except ParameterError as error:
        if term.params_at is None or not error.faults:
            # A loss without parameters has one message for all that are given.
            messages = dict.fromkeys(error.faults.values()) or [str(error)]
            return [Fault(path=term.name_at, message=message) for message in messages]
        known = {parameter.name for parameter in entry.signature.parameters}
        return [
            Fault(path=(*term.params_at, name), message=message, at_key=name not in known)
            for name, message in error.faults.items()
        ]
    except LossregError as error:
        return [Fault(path=term.name_at, message=str(error))]
    return []


def _find_entry(registry: Registry, target: Callable[..., Any]) -> Entry:
    """Return the entry of a function or class, which may be registered or not."""
    module = getattr(target, "__module__", "") or ""
    called = getattr(target, "__qualname__", "")
    if module.partition(".")[0] == "keras" and getattr(keras.losses, called, None) is target:
        return registry.lookup(f"keras/{called}")
    for entry in registry.entries():
        if entry.spec.target == f"{module}:{called}" and entry.target is target:
            return entry
    # Keras takes a lambda too, and it has no name of its own.
    named = called.rpartition(".")[2].isidentifier()
    return describe(target) if named else describe(target, name="unnamed")


def to_config(loss: Any, /) -> dict[str, Any]:
    """Return a loss as data, of which `get_loss` makes the same loss again.

    >>> to_config(bind("huber", delta=2))
    {'name': 'keras/huber', 'params': {'delta': 2.0}}

    Args:
        loss: What `get_loss` or `bind` returned.

    Returns:
        A mapping of strings, numbers, lists and mappings, for any file format. Names
        are qualified, so that they mean the same loss wherever they are read.

    Raises:
        ConfigError: It isn't a registered loss.
    """
    if isinstance(loss, LossConfig):
        return loss.canonical
    if isinstance(loss, dict):
        outputs = {name: each if each is None else _config(each) for name, each in loss.items()}
        return {"outputs": outputs}
    return _config(loss)


def _config(loss: Any) -> dict[str, Any]:
    # What get_loss builds has the bound loss in it, and adds Keras' options to its config.
    if not isinstance(getattr(loss, "bound", loss), Bound):
        raise ConfigError(f"{shown(loss)} isn't a loss of lossreg. Build it with get_loss first.")
    config: dict[str, Any] = loss.config()
    return config


class LossConfig:
    """A loss as data, checked without Keras; `get_loss` and `bind` take it.

    It is also a type for a field of a pydantic model. The field takes every form of a config,
    as JSON too, which environment variables hold, and refuses a misspelled loss or parameter as
    it refuses a wrong number. A default is `LossConfig("huber")`. Dumping the model gives the
    canonical form.

    >>> LossConfig("huber(2)")
    LossConfig({'name': 'keras/huber', 'params': {'delta': 2.0}})

    Args:
        config: A name, an expression, a mapping or a list, as `get_loss` takes it.

    Raises:
        ConfigError: The config has faults; all of them are named.
    """

    __module__ = PROJECT

    def __init__(self, config: Any) -> None:
        self.config = plain_data(config)
        bound, faults = examine(self.config)
        if bound is None:
            raise ConfigError.of(faults)
        self.bound: Bound = bound

    @property
    def canonical(self) -> dict[str, Any]:
        """The loss with its qualified name and every parameter, and the options that were given."""
        return self.bound.config()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LossConfig) and self.canonical == other.canonical

    def __reduce__(self) -> tuple[Any, ...]:
        return LossConfig, (self.config,)

    def __hash__(self) -> int:
        # Equal mappings may have their keys in another order.
        return hash(frozenset(loss.qualified_name for loss in self.bound.losses()))

    def __repr__(self) -> str:
        return f"LossConfig({self.canonical!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> "CoreSchema":
        del source, handler
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                # pydantic doesn't check the default of a field, which may be any form.
                lambda value: (value if isinstance(value, cls) else cls(value)).canonical
            ),
        )

    @classmethod
    def _validate(cls, value: Any) -> "LossConfig":
        if isinstance(value, LossConfig):
            return value
        if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
            # What isn't JSON, the message is about as a string. Deep JSON ends the recursion.
            with contextlib.suppress(ValueError, RecursionError):
                value = json.loads(value)
        try:
            return cls(value)
        except ConfigError as error:
            raise validation_error("LossConfig", value, error.faults) from error

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: "CoreSchema", handler: "GetJsonSchemaHandler"
    ) -> dict[str, Any]:
        del schema, handler
        from .schema import inlined_schema

        return inlined_schema()


def plain_data(config: Any) -> Any:
    """Return a copy of a config as plain data, which a later change of the config can't reach.

    Raises:
        ConfigError: It is nested too deep.
    """
    try:
        return json_data(plain(config))
    except ParameterError as error:
        raise ConfigError.at((), str(error)) from None


def validation_error(title: str, value: Any, faults: Sequence[Fault]) -> Exception:
    """Return faults as pydantic's error, which puts its own path before theirs."""
    from pydantic import ValidationError
    from pydantic_core import InitErrorDetails, PydanticCustomError

    def details(fault: Fault) -> InitErrorDetails:
        # The message is a value, since braces in a template have a meaning.
        values = {"message": fault.message, "at_key": fault.at_key}
        error = PydanticCustomError("lossreg", "{message}", values)
        return InitErrorDetails(type=error, loc=fault.path, input=value)

    # One too many, so that the rest is mentioned.
    most = map(details, faults[: MOST_FAULTS + 1])
    return ValidationError.from_exception_data(title, [*most])
