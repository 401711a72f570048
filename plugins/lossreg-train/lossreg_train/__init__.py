"""From a config to a trained model, and from several losses to the one that wins.

`compare` compares losses on the same folds. Importing this package imports neither Keras nor NumPy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .comparison import Comparison as Comparison
    from .comparison import Metric as Metric
    from .comparison import RayPool as RayPool
    from .comparison import compare as compare

__all__ = ["Comparison", "Metric", "RayPool", "compare"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from . import comparison

    return getattr(comparison, name)
