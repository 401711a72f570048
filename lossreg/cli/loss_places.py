"""Where in another program's config a loss may stand: by the names of keys and by the values."""

import itertools
import re
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]

_MOST_VALUES = 2_000  # that are looked at
_MOST_PLACES = 3
_NAMED = re.compile(r"(?:^|_)(?:loss|losses|criterion|objective|cost)(?:_fn|_function)?$", re.I)


def loss_places(data: Any) -> list[Place]:
    """Return the places that may hold a loss, the most likely first; none if nothing looks like it.

    A key that is named like a loss counts, whatever it has, and any string that is the call of a
    known loss.
    """
    likely: list[tuple[int, Place]] = []
    for place, value in itertools.islice(_values(data), _MOST_VALUES):
        named = isinstance(place[-1], str) and _NAMED.search(place[-1])
        if named and isinstance(value, str | dict):
            likely.append((0 if _is_loss(value) else 1, place))
        elif not named and isinstance(value, str) and "(" in value and _is_loss(value):
            likely.append((2, place))
    places = [place for _, place in sorted(likely, key=lambda each: each[0])]
    return places[:_MOST_PLACES]


def _values(data: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield each value below, with a path that --at can say."""
    if isinstance(data, dict):
        inner: Any = ((key, each) for key, each in data.items() if isinstance(key, str))
        inner = (pair for pair in inner if "." not in pair[0])
    elif isinstance(data, list):
        inner = enumerate(data)
    else:
        return
    for key, value in inner:
        yield (*place, key), value
        yield from _values(value, (*place, key))


def _is_loss(value: Any) -> bool:
    # It imports pydantic, which a file that can't be read doesn't need.
    from ..config import examine

    return examine(value)[0] is not None
