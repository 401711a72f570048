"""The types of parameters taken apart: the members of a union, and the range of a number.

Nothing here imports pydantic.
"""

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Union


@dataclass(frozen=True, kw_only=True)
class Range:
    """The range of a number; None where a side is open to infinity."""

    low: float | None
    high: float | None
    closed_low: bool
    closed_high: bool


def range_of(annotation: Any) -> Range:
    """Return the range in the annotation of a number."""
    found: dict[str, float] = {}
    for constraint in _metadata(annotation):
        # pydantic's Field keeps its constraints in a list of its own.
        for one in (constraint, *getattr(constraint, "metadata", ())):
            for bound in ("ge", "gt", "le", "lt"):
                if getattr(one, bound, None) is not None:
                    found[bound] = getattr(one, bound)
    return Range(
        low=found.get("ge", found.get("gt")),
        high=found.get("le", found.get("lt")),
        closed_low="gt" not in found,
        closed_high="lt" not in found,
    )


def union_members(annotation: Any) -> Iterator[Any]:
    """Yield the members of a union, each with the range of all, None last; or the type itself."""
    plain = plain_type(annotation)
    if typing.get_origin(plain) not in (Union, types.UnionType):
        yield annotation
        return
    metadata = _metadata(annotation)
    for member in sorted(typing.get_args(plain), key=lambda member: member is type(None)):
        yield from union_members(Annotated[(member, *metadata)] if metadata else member)


def plain_type(annotation: Any) -> Any:
    """Return a type without its annotations."""
    return typing.get_args(annotation)[0] if _metadata(annotation) else annotation


def _metadata(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation)[1:] if typing.get_origin(annotation) is Annotated else ()
