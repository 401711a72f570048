"""`LossConfig`: a checked loss as a field of someone's settings."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from . import loss_schema
from .annotations import as_json, plain
from .binding import Bound, as_config, examine
from .config import read
from .errors import ConfigError, ParameterError
from .fault import Fault, listed
from .loss_terms import LossTerms

if TYPE_CHECKING:
    from pydantic import GetJsonSchemaHandler
    from pydantic_core import CoreSchema


class LossConfig:
    """A loss as data, checked without Keras; `get_loss` and `bind` take it.

    It is a type for a field of a pydantic model, which takes every form of a config and
    refuses a misspelled loss or parameter as it refuses a wrong number. Dumping the model
    gives the canonical form.

    >>> LossConfig("huber(2)")
    LossConfig({'name': 'keras/huber', 'params': {'delta': 2.0}})

    Args:
        config: A name, an expression, a mapping or a list, as `get_loss` takes it.

    Raises:
        ConfigError: Names everything that is wrong with it.
    """

    def __init__(self, config: Any) -> None:
        if not isinstance(config, str):
            config = as_data(config)
        bound, faults = examine(config)
        if bound is None:
            raise ConfigError(listed(faults), faults)
        self.config = config
        self.bound: Bound = bound

    @property
    def canonical(self) -> dict[str, Any]:
        """The loss with its qualified name and every parameter, and the options that were given."""
        said, bound = read(self.config), self.bound
        if isinstance(said, LossTerms):
            return _canonical(bound, said)
        # They have one form, and mypy can't know it.
        assert isinstance(bound, dict)
        outputs = {name: terms and _canonical(bound[name], terms) for name, terms in said.items()}
        return {"outputs": outputs}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LossConfig) and self.canonical == other.canonical

    def __hash__(self) -> int:
        # Equal mappings may have their keys in another order.
        return hash(frozenset(self.bound.items()) if isinstance(self.bound, dict) else self.bound)

    def __repr__(self) -> str:
        return f"LossConfig({self.canonical!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> "CoreSchema":
        del source, handler
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            cls._validated,
            serialization=core_schema.plain_serializer_function_ser_schema(
                lambda value: value.canonical
            ),
        )

    @classmethod
    def _validated(cls, value: Any) -> "LossConfig":
        if isinstance(value, LossConfig):
            return value
        try:
            return cls(value)
        except ConfigError as error:
            raise validation_error("LossConfig", value, error.faults) from error

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: "CoreSchema", handler: "GetJsonSchemaHandler"
    ) -> dict[str, Any]:
        del schema, handler
        return loss_schema.inlined()


def _canonical(bound: Any, said: LossTerms) -> dict[str, Any]:
    return {**as_config(bound), **({"options": said.options} if said.options else {})}


def as_data(config: Any) -> Any:
    """Return a copy of somebody's mapping or list as plain data, so that what is checked stays.

    Raises:
        ConfigError: It is nested too deep.
    """
    try:
        return as_json(plain(config))
    except ParameterError as error:
        raise ConfigError(str(error), [Fault(message=str(error))]) from None


def validation_error(title: str, value: Any, faults: "Sequence[Fault]") -> Exception:
    """Return faults as pydantic's error, which puts its own path before theirs."""
    from pydantic import ValidationError
    from pydantic_core import InitErrorDetails, PydanticCustomError

    return ValidationError.from_exception_data(
        title,
        [
            InitErrorDetails(
                # The message as a value, since braces in a template have a meaning.
                type=PydanticCustomError(
                    "lossreg", "{message}", {"message": fault.message, "at_key": fault.at_key}
                ),
                loc=fault.path,
                input=value,
            )
            for fault in faults
        ],
    )
