"""A comparison of losses: the same folds, seeds and budget for each, and what is noise.

`compare` is the whole of it. The driver imports no Keras; each worker imports it once. Nothing
here schedules or locks: cells go through an executor, and a result is a file.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .driver import compare as compare
    from .metrics import Metric as Metric
    from .on_ray import RayPool as RayPool
    from .report import Comparison as Comparison

_HOMES = {"compare": "driver", "Metric": "metrics", "Comparison": "report", "RayPool": "on_ray"}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    # A worker's first import, that of its task, must not read NumPy before the driver's settings.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)
