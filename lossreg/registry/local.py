"""Losses that this process registers. They end with the process, and no file is read here."""

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, TypedDict, Unpack

from ..errors import LossNameError, RegistrationError, SpecError
from ..loss import (
    LOCAL,
    NO_WEIGHTS,
    Entry,
    Labels,
    LossSpec,
    Outputs,
    Per,
    Provider,
    Signature,
    Task,
    find_variable,
    keras_bases,
    parse,
)
from .registry import Registry

_PROVIDER = Provider(distribution=LOCAL, version="")


class About(TypedDict, total=False):
    """The fields of `LossSpec` that a program may give to a loss that it registers."""

    name: str
    summary: str
    task: tuple[Task, ...]
    y_true: Labels | tuple[Labels, ...]
    y_pred: Outputs
    aliases: tuple[str, ...]
    per: Per
    couples_batch: bool
    bounded: bool
    surrogate_gradient: bool
    rules: tuple[str, ...]
    axis: str | None
    ignore_class: str | None
    from_logits: str | None


def describe(target: Callable[..., Any], **about: Unpack[About]) -> Entry:
    """Return an entry for a function or class of this process.

    Raises:
        LossNameError: Its name can't be the name of a loss.
        SpecError: It isn't a loss, or a field breaks a rule.
    """
    called = getattr(target, "__qualname__", type(target).__qualname__)
    kind: type = target if isinstance(target, type) else type(target)
    bases = keras_bases(kind)
    if "Loss" in bases and kind is not target:
        raise SpecError(f"{target!r} is a loss that is already built; give its class.")
    if bases and "Loss" not in bases:
        raise SpecError(
            f"{called!r} is a Keras class and not a loss. Give a function or a Loss subclass."
        )
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
    fields["name"] = parse(fields["name"]).loss
    held = find_variable(target)
    if held is not None:
        raise SpecError(f"{called!r} holds weights, in {held!r}. {NO_WEIGHTS}")
    spec = LossSpec(**fields, target=f"{_dotted(target.__module__)}:{_dotted(called)}")
    return Entry(spec=spec, provider=_PROVIDER, load=functools.partial(_itself, target))


def add(registry: Registry, entry: Entry, *, replace: bool) -> None:
    """Add a loss of this process to a registry.

    A new definition of the same module and qualified name replaces the old one, such as when a
    notebook cell runs again.

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
    if old is not None and old.spec.target != entry.spec.target and not replace:
        raise RegistrationError(
            f"Another loss is registered as {entry.spec.name!r}. "
            "Replace it with replace=True, or choose another name."
        )
    registry.add(entry.spec, entry.provider, entry.load, instead_of=old)


def _itself(target: Callable[..., Any]) -> Callable[..., Any]:
    return target


def _dotted(name: str) -> str:
    """Return a string as a dotted Python name, such as "_lambda_" for "<lambda>"."""
    return re.sub(r"[^\w.]", "_", name, flags=re.ASCII)
