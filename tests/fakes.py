"""Losses and plugins that tests make up: no Keras, nothing installed."""

from collections.abc import Callable
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le

from lossreg import LossSpec, Registry
from lossreg.loss import BUILTIN, Provider

KERAS = Provider(distribution=BUILTIN, version="3.15.1", is_builtin=True)
ACME = Provider(distribution="acme-losses", version="1.2.0")
OTHER = Provider(distribution="other-losses", version="0.3.0")


def plain(y_true, y_pred):
    """Nothing to set."""
    return (y_true, y_pred)


def tuned(
    y_true,
    y_pred,
    *,
    gamma: Annotated[float, Ge(0)] = 2.0,
    alpha: Annotated[float, Ge(0), Le(1)] | None = 0.75,
    from_logits: bool = False,
):
    """Something to set.

    Args:
        y_true: Labels.
        y_pred: Predictions.
        gamma: How much,
            in two lines.
        alpha: Which share.
    """
    return (y_true, y_pred, gamma, alpha, from_logits)


def scaled(y_true, y_pred, *, scale: Annotated[float, Gt(0)]):
    """Without a default."""
    return (y_true, y_pred, scale)


def spec(name: str, target: Callable[..., Any] = plain, **fields: Any) -> LossSpec:
    """Return a spec of a fake loss."""
    defaults = {"summary": f"A fake {name}.", "task": ("regression",)}
    kinds = {"y_true": "real", "y_pred": "real"}
    where = f"{target.__module__}:{target.__qualname__}"
    return LossSpec(name=name, target=where, **{**defaults, **kinds, **fields})


def add(
    registry: Registry,
    name: str,
    target: Callable[..., Any] = plain,
    provider: Provider = ACME,
    **fields: Any,
) -> None:
    """Add a fake loss to a registry."""
    registry.add(spec(name, target, **fields), provider, lambda: target)
