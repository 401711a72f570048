"""`keras`, `keras.ops` and `numpy`, imported at their first use.

A loss module that takes `keras` and `ops` from here can be imported, and its
signatures read, without the ten seconds that Keras takes to import.
"""

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Any


class LazyModule(ModuleType):
    """A module that is imported when one of its attributes is first read."""

    def __getattr__(self, attribute: str) -> Any:
        # inspect and doctest look for attributes such as __wrapped__ in everything that a
        # module holds; that must not import Keras.
        if attribute.startswith("__"):
            raise AttributeError(f"{self!r} has no attribute {attribute!r} before its first use")
        value = getattr(importlib.import_module(self.__name__), attribute)
        # The next access is as fast as one to the module itself.
        setattr(self, attribute, value)
        return value

    def __repr__(self) -> str:
        return f"<{self.__name__}, imported at first use>"


# Keras has no types for mypy.
keras: Any = LazyModule("keras")
"""Keras.

>>> keras.losses.get("mse").__name__
'mean_squared_error'
"""

ops: Any = LazyModule("keras.ops")
"""`keras.ops`, for the formulas of losses.

>>> float(ops.sum(ops.ones(3)))
3.0
"""

numpy: Any = LazyModule("numpy")
"""NumPy.

>>> numpy.ones(3).shape
(3,)
"""


class _AfterKeras(importlib.abc.MetaPathFinder):
    """A finder that imports a module of ours right after the program imports Keras."""

    def __init__(self, module: str) -> None:
        self.module = module
        self._asking = threading.local()

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        if name != "keras" or hasattr(self._asking, "others"):
            return None
        # The other finders look for it, and this one must not answer them.
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
            # Not earlier: a program may look for Keras without importing it, or fail to.
            if self in sys.meta_path:
                sys.meta_path.remove(self)
            # importlib.import_module raises while another thread imports our module and waits
            # for Keras; `__import__` lets that thread finish.
            __import__(self.module)

        # The loader belongs to this spec alone.
        spec.loader.exec_module = execute_then_import  # type: ignore[method-assign]
        return spec


def import_after_keras(module: str) -> None:
    """Import a module as soon as Keras is imported, or now if it is."""
    if "keras" in sys.modules:
        importlib.import_module(module)
    elif not any(isinstance(finder, _AfterKeras) for finder in sys.meta_path):
        sys.meta_path.insert(0, _AfterKeras(module))
