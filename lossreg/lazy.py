"""`keras` and `keras.ops`, imported at their first use.

A loss module that takes `keras` and `ops` from here can be imported, and its
signatures read, without the ten seconds that Keras takes to import.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
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
        self._asking = threading.local()

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "keras" or hasattr(self._asking, "others"):
            return None
        # Whoever finds Keras without us finds it now.
        self._asking.others = True
        try:
            spec = importlib.util.find_spec("keras")
        finally:
            del self._asking.others
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_then_import(module: ModuleType) -> None:
            execute(module)
            # Not before: many programs look for Keras and don't import it, or it fails.
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            # importlib.import_module raises where another thread imports our module, which
            # waits for Keras; the statement, and this, let that thread finish.
            __import__(self.module)

        # The loader belongs to this one spec: nobody else sees the change.
        spec.loader.exec_module = execute_then_import  # type: ignore[method-assign]
        return spec


def import_after_keras(module: str) -> None:
    """Import a module as soon as Keras is imported, or now if it is."""
    if "keras" in sys.modules:
        importlib.import_module(module)
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras(module))
