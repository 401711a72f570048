"""What Keras says of a config that it refuses, as faults."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ..errors import ConfigError, LossregError
from ..fault import Fault, Path

_LONGEST = 400  # characters of a reason

# Keras prints what a layer's `call` raised in bold, between two explanations of its own.
_BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
# Where Keras begins to print the config that it was given, or Python its own advice.
_REST = re.compile(r"\s*(?:Full (?:object )?config:|config=\{|Arguments received by).*", re.DOTALL)


@contextmanager
def refused_by_keras(
    said: str, path: Path, arguments: Mapping[str, Path] | None = None
) -> Iterator[None]:
    """Raise what Keras raises as a `ConfigError` with one fault.

    Args:
        said: How the message begins.
        path: Where the fault is.
        arguments: Where each argument that Keras got stands: a reason that names one is
            a fault of that one.
    """
    try:
        yield
    except LossregError:
        raise
    # Keras checks its arguments by using them: anything may come of it, from Keras, from the
    # backend and from Python, and all of it means that the config doesn't fit.
    except Exception as error:
        why = reason(error)
        named = [name for name in arguments or {} if re.search(rf"`{name}`|\b{name}=", why)]
        at = (arguments or {})[named[0]] if named else path
        fault = Fault(message=f"{said}: {why}", path=at)
        raise ConfigError(str(fault), [fault]) from error


def reason(error: Exception) -> str:
    """Return what an error of Keras says, without the configs that it prints.

    >>> reason(ValueError("Bad rate. Full object config: {'rate': 7}"))
    'Bad rate.'
    """
    # A wrapper of Keras' tells what it wraps at its end.
    _, wrapped, text = str(error).rpartition("Exception encountered: ")
    bold = _BOLD.search(text)
    text = " ".join(_REST.sub("", bold[1] if bold else text).split())
    if not text or not (wrapped or isinstance(error, ValueError)):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if len(text) > _LONGEST:
        text = f"{text[:_LONGEST]}..."
    return text if text.endswith((".", "!", "?")) else f"{text}."


@contextmanager
def collected(faults: list[Fault], path: Path = ()) -> Iterator[None]:
    """Add the faults of an error to a list, and go on.

    Args:
        faults: The list.
        path: Where an error without places is.
    """
    try:
        yield
    except ConfigError as error:
        faults += error.faults or [Fault(message=str(error), path=path)]
    except LossregError as error:
        faults.append(Fault(message=str(error), path=path))
