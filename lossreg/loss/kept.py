"""A property that is computed at its first use, and kept. Nothing else is here."""

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class Kept(Generic[Value]):
    """`functools.cached_property` as it is since Python 3.12: without a lock.

    Python 3.11 holds one lock for all objects while it computes. A loss module that binds a loss
    while it is imported would wait for it, and the thread that has it for the module.
    """

    def __init__(self, compute: Callable[[Any], Value]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...
    def __get__(self, instance: object, owner: type) -> Self | Value:
        """Return the value. Threads that compute it at the same time all get the first one."""
        if instance is None:
            return self
        value: Value = vars(instance).setdefault(self.name, self.compute(instance))
        return value
