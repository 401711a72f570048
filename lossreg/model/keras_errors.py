"""What Keras raises for a config that it refuses, as faults with places."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..errors import ConfigError, Fault, LossregError, Path, keras_reason


@contextmanager
def refused_by_keras(
    title: str, path: Path, places: Mapping[str, Path] | None = None
) -> Iterator[None]:
    """Raise a `ConfigError` with one fault for whatever Keras raises.

    Args:
        title: How the message begins.
        path: Where the fault is.
        places: Where each argument stands that Keras got. The fault is there if the error
            names the argument.
    """
    try:
        yield
    except LossregError:
        raise
    # Keras checks its arguments by using them. Any exception may come of that, from Keras, its
    # backend or Python, and each means that the config doesn't fit.
    except Exception as error:
        why = keras_reason(error)
        named = [name for name in places or {} if re.search(rf"`{name}`|\b{name}=", why)]
        at = (places or {})[named[0]] if named else path
        raise ConfigError.at(at, f"{title}: {why}") from error


@contextmanager
def collected(faults: list[Fault], path: Path = ()) -> Iterator[None]:
    """Add the faults of an error to a list, and go on.

    Args:
        faults: The list.
        path: Where an error without places is.
    """
    try:
        yield
    except LossregError as error:
        found = error.faults if isinstance(error, ConfigError) else ()
        faults += found or [Fault(message=str(error), path=path)]
