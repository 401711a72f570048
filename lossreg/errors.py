"""Every exception and warning that lossreg raises, and the faults of a config.

`LossregError` is the base of all errors. Nothing here imports another module of lossreg.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Self

Path = tuple[str | int, ...]
"""The keys and indexes that lead to a place in a config."""

MOST_FAULTS = 100
"""The most faults of one error. Nobody mends more at once."""

LONGEST_MESSAGE = 4096
"""The most characters of one error's message, whatever a config, a file or a package holds."""

_LONGEST_PATH = 300
_PLAIN = re.compile(r"[\w/-]+")

# Control characters without the tab and the newline, and what is invisible or turns the reading
# order around: all of it can make a terminal or a log show something else than was written.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    r"""Return a string that a terminal and a log show as it is, line by line.

    Every control character but the tab and the newline, and every invisible character, is
    escaped as in a Python string.

    >>> printable("\x1b[2Jred\r")
    '\\x1b[2Jred\\r'
    """
    return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault of a config.

    Args:
        message: What is wrong, what is allowed and what to do next.
        path: The keys and indexes that lead to it.
        at_key: Whether the key is wrong, and not its value.
        line: The line in the file, counted from 1, where it is known.
        column: The character in that line, counted from 1.
    """

    message: str
    path: Path = ()
    at_key: bool = False
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"{key_path(self.path)}: {self.message}" if self.path else self.message


def key_path(path: Path) -> str:
    """Return a path as a string.

    >>> key_path(("model", 0, "Dense", "units"))
    'model[0].Dense.units'
    """
    text = ""
    for part in path:
        if isinstance(part, int) or not _PLAIN.fullmatch(part):
            text += f"[{part!r}]"
        else:
            text += f".{part}" if text else part
    return _cut(text, _LONGEST_PATH)


def _cut(text: str, longest: int) -> str:
    """Return a string, without its end if it is longer."""
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def fault_lines(faults: Sequence[Fault], source: str | None = None) -> str:
    """Return a line for each fault, with its place in the file where that is known.

    >>> print(fault_lines([Fault(message="Not here.", path=("loss",), line=2, column=7)], "a.yaml"))
    a.yaml:2:7: loss: Not here.

    Lines that don't fit into `LONGEST_MESSAGE` are counted.
    """
    lines: list[str] = []
    room = LONGEST_MESSAGE - len("and 100 more faults.")
    for index, fault in enumerate(faults):
        places = [source, fault.line, fault.column]
        where = ":".join(str(place) for place in places if place is not None)
        line = printable(f"{where}: {fault}" if where else str(fault))
        if index == 0:
            line = _cut(line, room - 1)
        room -= len(line) + 1
        if room < 0:
            more = len(faults) - index
            return "\n".join([*lines, f"and {more} more fault{'s' * (more > 1)}."])
        lines.append(line)
    return "\n".join(lines)


class LossregError(Exception):
    """The base of every error that lossreg raises. Its string can be printed, and is short.

    >>> import lossreg
    >>> try:
    ...     lossreg.bind("hubert")
    ... except lossreg.LossregError as error:
    ...     print(type(error).__name__)
    UnknownLossError
    """

    @classmethod
    def _with(cls, message: str, **attributes: Any) -> Self:
        error = cls(message)
        vars(error).update(attributes)
        return error

    def __str__(self) -> str:
        return _cut(printable(super().__str__()), LONGEST_MESSAGE)


# In a tf.function TensorFlow raises an error anew, with the lines of the function, and keeps its
# class only where this is so. Any other error becomes a StagingError.
LossregError.__init__ = Exception.__init__  # type: ignore[method-assign]


class LossNameError(LossregError, ValueError):
    """A string that can't be the name of a loss, whatever is installed."""


class LossLookupError(LossregError, LookupError, ValueError):
    """A legal name that doesn't mean exactly one working loss.

    It is a ValueError too, since `keras.losses.get` raises one for an unknown name.
    """


class UnknownLossError(LossLookupError):
    """No known package offers a loss of this name, installed or not.

    >>> import lossreg
    >>> lossreg.bind("hubert")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    lossreg.errors.UnknownLossError: No loss named 'hubert'. Did you mean 'huber'...
    """


class AmbiguousLossError(LossLookupError):
    """Several installed packages offer a loss of this name."""


class NotInstalledError(LossLookupError):
    """The package that offers this loss isn't installed."""


class NotRegisteredError(LossLookupError):
    """A loss that `lossreg.register` added in another process."""


class BrokenPluginError(LossLookupError):
    """An installed package offers this loss, and it doesn't work; see the cause."""


class BlockedPluginError(LossLookupError):
    """`LOSSREG_PLUGINS` or `LOSSREG_BLOCK` keeps the package of this loss from loading."""

    @classmethod
    def of(cls, loss: str, provider: object, rule: str) -> Self:
        """Return the error for a loss of an installed package that a rule leaves out."""
        return cls(
            f"Loss {loss!r} can't be used: {provider} is installed, but {rule} keeps it from "
            "loading. Change that variable to load it."
        )


class ParameterError(LossregError, TypeError, ValueError):
    """Parameters that the loss doesn't have, or values that it doesn't allow.

    >>> import lossreg
    >>> try:
    ...     lossreg.bind("huber", delta=-1)
    ... except lossreg.ParameterError as error:
    ...     print(error.faults["delta"])
    Loss 'huber': 'delta' must be a number > 0, got -1 (int). 'lossreg show huber' says more.
    """

    faults: Mapping[str, str] = MappingProxyType({})
    """A message for each wrong parameter, where they are known."""

    @classmethod
    def of(cls, message: str, faults: Mapping[str, str]) -> Self:
        """Return the error for some wrong parameters."""
        return cls._with(message, faults=dict(faults))


class ConfigError(LossregError, ValueError):
    """A config that describes no registered loss, or no model.

    >>> import lossreg
    >>> try:
    ...     lossreg.bind({"nam": "huber"})
    ... except lossreg.ConfigError as error:
    ...     print(error.faults[0])
    nam: The key 'nam' isn't one of name, params, options. Did you mean 'name'?
    """

    faults: tuple[Fault, ...] = ()
    """Each fault with its place, where places are known."""

    @classmethod
    def at(cls, path: Path, message: str, *, at_key: bool = False) -> Self:
        """Return the error for one fault."""
        return cls.of([Fault(path=path, message=message, at_key=at_key)], message=message)

    @classmethod
    def of(
        cls, faults: Sequence[Fault], source: str | None = None, *, message: str | None = None
    ) -> Self:
        """Return the error for the faults of a config, by default with a line for each.

        Of more than `MOST_FAULTS` it has the first ones.
        """
        if len(faults) > MOST_FAULTS:
            more = f"There are more faults than these {MOST_FAULTS - 1}. Mend these first."
            faults = [*faults[: MOST_FAULTS - 1], Fault(message=more)]
        return cls._with(message or fault_lines(faults, source), faults=tuple(faults))


class SpecError(LossregError, ValueError):
    """A loss whose spec, signature or target breaks the rules for plugins."""


class RegistrationError(LossregError, ValueError):
    """A name that another loss already has."""


class ShapeError(LossregError, ValueError):
    """Labels and predictions whose shapes or values don't fit together."""

    fits: str | None = None
    """A loss that takes them, where one is known."""

    @classmethod
    def of(cls, message: str, fits: str | None) -> Self:
        """Return the error for data that another loss takes."""
        return cls._with(message, fits=fits)


class DataError(LossregError, ValueError):
    """Data that don't fit the loss, as `check_data` found.

    >>> import lossreg
    >>> findings = lossreg.check_data("bce", [-1, 1, 1], [0.2, 0.7, 0.4])
    >>> DataError.of("The labels don't fit.", findings).findings[0].fits
    'hinge'
    """

    findings: Sequence[Any] = ()
    """The findings, as `check_data` returns them."""

    @classmethod
    def of(cls, message: str, findings: Sequence[Any]) -> Self:
        """Return the error for some findings."""
        return cls._with(message, findings=list(findings))


class WeightError(LossregError, ValueError):
    """Weights or a mask for a loss that has no value per sample."""


class PluginWarning(UserWarning):
    """A plugin that is broken, or a rule for a plugin that isn't installed."""

    def __str__(self) -> str:
        return _cut(printable(super().__str__()), LONGEST_MESSAGE)


_LONGEST = 400  # characters of a reason
_MOST_SEARCHED = 10_000  # characters of a message of Keras


def error_line(error: BaseException) -> str:
    """Return the class of any error with its message, on one line of bounded length.

    >>> error_line(OSError("no disk"))
    'OSError: no disk'
    """
    # The class of a stranger's error may do anything.
    name = _tried(lambda: type(error).__name__, "an exception")
    text = _tried(lambda: " ".join(str(error).split()), "its message can't be read")
    text = _cut(printable(text), _LONGEST)
    return f"{name}: {text}" if text else name


def _tried(read: Callable[[], str], otherwise: str) -> str:
    """Return what a function reads, or another string if it raises anything."""
    try:
        return str(read())
    except KeyboardInterrupt:
        raise
    except BaseException:
        return otherwise


# Keras prints an error of a layer's `call` in bold, between two explanations of its own.
_BOLD = re.compile(r"\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
# Here Keras begins to print a config, or the arguments of a call.
_REST = re.compile(r"(?:Full (?:object )?config:|config=\{|Arguments received by).*", re.DOTALL)


def keras_reason(error: Exception) -> str:
    """Return the reason that a Keras error gives, without the configs that it prints.

    >>> keras_reason(ValueError("Bad rate. Full object config: {'rate': 7}"))
    'Bad rate.'
    """
    # If Keras wraps an error, its message ends with the wrapped one.
    _, wrapped, text = str(error).rpartition("Exception encountered: ")
    # A config of any length may stand in it, and a search for a pair of marks is quadratic.
    text = text[:_MOST_SEARCHED]
    bold = _BOLD.search(text)
    text = " ".join(_REST.sub("", bold[1] if bold else text).split())
    if not text or not (wrapped or isinstance(error, ValueError)):
        text = f"{type(error).__name__}: {text}" if text else type(error).__name__
    text = _cut(text, _LONGEST)
    return text if text.endswith((".", "!", "?")) else f"{text}."
