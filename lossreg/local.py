"""Losses of the running process: what `register` adds."""

import functools
import inspect
import re
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any, TypedDict, Unpack

from . import names
from .entry import Entry, keras_bases
from .errors import LossNameError, RegistrationError, SpecError
from .params import Signature
from .provider import LOCAL, Provider
from .registry import Registry
from .spec import Labels, LossSpec, Outputs, Task

_PROVIDER = Provider(distribution=LOCAL, version="")


class About(TypedDict, total=False):
    """What a program may say of a loss that it registers: fields of `LossSpec`."""

    name: str
    summary: str
    task: tuple[Task, ...]
    y_true: Labels
    y_pred: Outputs
    aliases: tuple[str, ...]
    couples_batch: bool


def describe(target: Callable[..., Any], **about: Unpack[About]) -> Entry:
    """Return an entry for a function or class of this process.

    Raises:
        LossNameError: Its name can't be a loss's.
        SpecError: It is no loss, or what is said of it breaks a rule.
    """
    called = getattr(target, "__qualname__", type(target).__qualname__)
    kind: type = target if isinstance(target, type) else type(target)
    of_keras = keras_bases(kind)
    if "Loss" in of_keras and kind is not target:
        raise SpecError(f"{target!r} is a loss that is already built; give its class.")
    if of_keras and "Loss" not in of_keras:
        raise SpecError(f"{called!r} is of Keras and no loss. Give a function or a Loss subclass.")
    if "name" not in about and not called.rpartition(".")[2].isidentifier():
        raise LossNameError(f"{called!r} can't name a loss; give one: name='my_loss'.")
    try:
        Signature(target, packaged=False)
    except SpecError as error:
        raise SpecError(f"{called!r} can't be a loss: {error}.") from error
    first_line = (inspect.getdoc(target) or "").strip().partition("\n")[0]
    fields: dict[str, Any] = {
        "name": called.rpartition(".")[2],
        "summary": first_line or "Registered by this program.",
        "task": ("unspecified",),
        "y_true": "unspecified",
        "y_pred": "unspecified",
        **about,
    }
    fields["name"] = names.parse(fields["name"]).loss
    spec = LossSpec(**fields, target=f"{_word(target.__module__)}:{_word(called)}")
    return Entry(spec=spec, provider=_PROVIDER, load=functools.partial(_itself, target))


def register(registry: Registry, entry: Entry, *, replace: bool) -> None:
    """Add a loss of this process, or leave an identical one.

    Raises:
        RegistrationError: A built-in or another loss of this process has the name.
    """
    for name in entry.spec.names:
        taken = registry.builtin(name)
        if taken is not None:
            raise RegistrationError(
                f"{name!r} is a built-in loss, {taken.qualified_name!r}, and can't be taken. "
                "Register yours under another name: name='my_...'."
            )
    old = registry.get(entry.qualified_name)
    if old is not None:
        same = old.spec == entry.spec and _content(old.target) == _content(entry.target)
        if not same and not replace:
            raise RegistrationError(
                f"Another loss is registered as {entry.spec.name!r}. "
                "Replace it with replace=True, or choose another name."
            )
        registry.remove(old)
    registry.add(entry.spec, entry.provider, entry.load)


def _itself(target: Callable[..., Any]) -> Callable[..., Any]:
    return target


def _word(text: str) -> str:
    """Return a text as a dotted Python name: "<lambda>" as "_lambda_"."""
    return re.sub(r"[^\w.]", "_", text, flags=re.ASCII)


def _content(value: Any) -> Any:
    """Return what makes two definitions the same, as when a notebook cell runs again."""
    match value:
        case FunctionType():
            cells = [
                # A function or class among the cells may lead back to this one.
                _content(held.__code__) if isinstance(held, FunctionType) else _content(held)
                for name, held in inspect.getclosurevars(value).nonlocals.items()
                if name != "__class__"
            ]
            defaults = (value.__defaults__, value.__kwdefaults__, repr(value.__annotations__))
            return (_content(value.__code__), cells, repr(defaults))
        case CodeType():
            # Not its line numbers: a cell may have moved down.
            constants = tuple(_content(constant) for constant in value.co_consts)
            return (value.co_code, value.co_names, value.co_varnames, constants)
        case type():
            members = {
                name: _content(member)
                for name, member in vars(value).items()
                if name not in ("__dict__", "__weakref__", "__module__", "__firstlineno__")
            }
            return (value.__qualname__, value.__bases__, repr(sorted(members.items(), key=str)))
        case staticmethod() | classmethod():
            return _content(value.__func__)
        case property():
            return (_content(value.fget), _content(value.fset))
        case None | bool() | int() | float() | str() | bytes() | tuple() | frozenset():
            return (type(value).__name__, repr(value))
    return id(value)
