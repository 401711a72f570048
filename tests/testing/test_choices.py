"""Values that the kit tries for a parameter."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Gt, Interval, Le, Lt
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from lossreg.testing.choices import KINDS, REQUIRED, edges, kinds, other_values, values_outside

CLASSES = 4


def allows(annotation, value):
    try:
        TypeAdapter(annotation).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


@st.composite
def ranges(draw, kind):
    """Return a number with a range, closed or open, on one side, on both or on none."""
    low = draw(st.integers(-100, 100))
    high = low + draw(st.integers(1, 100))
    constraints = [
        draw(st.sampled_from([Ge(low), Gt(low), None])),
        draw(st.sampled_from([Le(high), Lt(high), None])),
    ]
    kept = tuple(one for one in constraints if one is not None)
    return Annotated[(kind, *kept)] if kept else kind


@given(ranges(float))
def test_a_number_is_tried_inside_its_range_and_beyond_it(annotation):
    assert all(allows(annotation, value) for value in edges(annotation))
    assert not any(allows(annotation, float(value)) for value in values_outside(annotation))
    assert any(allows(annotation, value) for value in other_values(annotation, 0.0, CLASSES))


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        pytest.param(int, [], id="any integer"),
        pytest.param(Annotated[int, Gt(0)], [1], id="above an open end"),
        pytest.param(Annotated[int, Lt(0)], [-1], id="below an open end"),
        pytest.param(Annotated[int, Gt(0), Lt(9)], [1, 8], id="between open ends"),
        pytest.param(Annotated[int, Ge(2), Le(8)], [2, 8], id="closed ends"),
        pytest.param(Annotated[int, Gt(0), Lt(2)], [1], id="one integer"),
        pytest.param(Annotated[int, Gt(0), Le(10**9)], [1], id="too many to try"),
    ],
)
def test_an_integer_is_tried_at_the_ends_of_its_range(annotation, expected):
    assert edges(annotation) == expected
    assert all(allows(annotation, value) for value in expected)


@pytest.mark.parametrize(
    "annotation",
    [
        *(Annotated[float, end] for end in (Gt(-0.5), Ge(-0.5), Lt(2.5), Le(2.5))),
        *(Annotated[int, end] for end in (Gt(0), Ge(0), Lt(0), Le(0))),
    ],
    ids=repr,
)
def test_no_number_beyond_a_range_is_in_it(annotation):
    assert values_outside(annotation)
    assert not any(allows(annotation, value) for value in values_outside(annotation))


@pytest.mark.parametrize(
    ("annotation", "default", "first"),
    [
        pytest.param(bool, False, True, id="the other of two"),
        pytest.param(bool, True, False, id="also the other way"),
        pytest.param(Literal["mean", "max"], "mean", "max", id="another choice"),
        pytest.param(Annotated[float, Ge(0)], 2.0, 0.5, id="above the lower end"),
        pytest.param(Annotated[float, Interval(ge=0, le=1)], 0.25, 0.3, id="between both ends"),
        pytest.param(Annotated[float, Field(gt=0)], 1.0, 0.5, id="a range of pydantic"),
        pytest.param(int, -1, 1, id="an axis, and not that of the batch"),
        pytest.param(Annotated[float, Ge(0)] | None, None, 0.5, id="not None again"),
        pytest.param(list[Annotated[float, Ge(0)]], (1.0,), (0.5, 1.5, 3.0, 1.0), id="each class"),
        pytest.param(Sequence[int], (1,), (1, 2), id="two axes"),
        pytest.param(tuple[bool, float], (False, 1.0), (True, 0.5), id="a list of two"),
        pytest.param(float | tuple[float, ...], 1.0, (0.5, 1.5, 3.0, 0.5), id="a list first"),
        pytest.param(Any, 2.5, 0.5, id="no type, and a number as default"),
        pytest.param(Any, True, False, id="no type, and True as default"),
        pytest.param(Any, REQUIRED, 0.5, id="no type and no default"),
    ],
)
def test_the_first_value_that_is_tried_tells_most(annotation, default, first):
    assert other_values(annotation, default, CLASSES)[0] == first


@pytest.mark.parametrize("annotation", [str, dict[str, float], object])
def test_nothing_is_tried_where_a_type_says_nothing(annotation):
    assert other_values(annotation, "default", CLASSES) == []


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (float, {"number"}),
        (Annotated[float, Ge(0)] | None, {"number", "None"}),
        (Annotated[float | None, Ge(0)], {"number", "None"}),
        (Literal["mean", 2], {"string", "number"}),
        (float | tuple[float, ...], {"number", "list"}),
        (dict[str, float], {"mapping"}),
        (Any, None),
        (object, None),
    ],
)
def test_a_type_says_which_kinds_of_value_it_takes(annotation, expected):
    assert kinds(annotation) == expected
    if expected is not None:
        assert not any(allows(annotation, KINDS[kind]) for kind in KINDS.keys() - expected)
