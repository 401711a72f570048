"""Keras in half the time, for a process of the kit's own.

Nothing that a loss imports is kept from it.
"""

import gc
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

# Keras 3.15.1 and TensorFlow 2.21 import them wherever they are installed, and do without
# otherwise: for adapters, conversions and pictures, none of which computes a loss.
_EXTRAS = ("sklearn", "pandas", "matplotlib")
# Of TensorFlow only, for conversions; it may be Keras' backend as well.
_EXTRA_OF_TENSORFLOW = "jax"


class _Extras(importlib.abc.MetaPathFinder):
    """Finds no extras, as on a machine that hasn't installed them."""

    def __init__(self) -> None:
        self._had_tensorflow = "tensorflow" in sys.modules

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> importlib.machinery.ModuleSpec | None:
        of_tensorflow = not self._had_tensorflow and "tensorflow" in sys.modules
        if name in _EXTRAS or (name == _EXTRA_OF_TENSORFLOW and of_tensorflow):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        return None


class _LeanKeras(importlib.abc.MetaPathFinder):
    """Has Keras imported without extras."""

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> importlib.machinery.ModuleSpec | None:
        if name != "keras":
            return None
        spec = importlib.machinery.PathFinder.find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def execute_lean(module: ModuleType) -> None:
            sys.meta_path.remove(self)
            _execute(execute, module)

        # The loader belongs to this spec alone.
        spec.loader.exec_module = execute_lean  # type: ignore[method-assign]
        return spec


def _execute(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    extras = _Extras()
    sys.meta_path.insert(0, extras)
    # All that an import makes stays, and looking for garbage in it takes a tenth of the time.
    gc.disable()
    try:
        execute(module)
    finally:
        gc.enable()
        gc.freeze()
        sys.meta_path.remove(extras)


def import_keras_lean() -> None:
    """See to it that Keras, once it is imported, comes without the packages that it can lack.

    Call it in a process of the kit's own only: Keras will take no pandas frames there. Where Keras
    is imported already, it does nothing.

    >>> import_keras_lean()
    """
    if "keras" not in sys.modules:
        # In front of Python's own, and behind the finder of `lossreg.lazy`: what that one imports
        # after Keras are packages, which may need the extras.
        own = importlib.machinery.PathFinder
        place = sys.meta_path.index(own) if own in sys.meta_path else len(sys.meta_path)
        sys.meta_path.insert(place, _LeanKeras())
