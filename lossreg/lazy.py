"""`keras` and `keras.ops`, imported at their first use.

A loss module that takes `keras` and `ops` from here can be imported, and its
signatures read, without the ten seconds that Keras takes to import.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """Another module under the same name, imported when an attribute is first read."""

    def __getattr__(self, attribute: str) -> Any:
        # inspect and doctest look for attributes such as __wrapped__ in all that a
        # module holds; that must not import Keras.
        if attribute.startswith("__"):
            raise AttributeError(f"{self!r} has no attribute {attribute!r} before its first use")
        value = getattr(importlib.import_module(self.__name__), attribute)
        # The next access is as fast as one to the module itself.
        setattr(self, attribute, value)
        return value

    def __repr__(self) -> str:
        return f"<{self.__name__}, imported at first use>"


# mypy reads Keras without types either way; Any says so once.
keras: Any = LazyModule("keras")
ops: Any = LazyModule("keras.ops")


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Import a module of ours right after the program has imported Keras."""

    def __init__(self, module: str) -> None:
        self.module = module

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "keras" or self not in sys.meta_path:
            return None
        # Without us, so that whoever finds Keras otherwise finds it now.
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("keras")
        if spec is None or spec.loader is None:
            sys.meta_path.insert(0, self)
            return spec
        execute = spec.loader.exec_module

        def execute_then_import(module: ModuleType) -> None:
            try:
                execute(module)
            except BaseException:
                sys.meta_path.insert(0, self)
                raise
            importlib.import_module(self.module)

        # The loader belongs to this one spec: nobody else sees the change.
        spec.loader.exec_module = execute_then_import  # type: ignore[method-assign]
        return spec


def import_after_keras(module: str) -> None:
    """Import a module as soon as Keras is imported, or now if it is."""
    if "keras" in sys.modules:
        importlib.import_module(module)
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras(module))
