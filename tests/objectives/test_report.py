import json
import math
from io import StringIO

import pytest
from rich.console import Console

from lossreg.objectives import ConstraintState, Objective, Term

EXAMPLE = Objective(
    terms=(
        Term(name="mse", kind="loss", value=9.0),
        Term(name="dense/kernel: L2(l2=0.01)", kind="kernel penalty", value=3.0, layer="dense"),
        Term(name="dense: L1(l1=1e-09)", kind="activity penalty", value=3e-9, layer="dense"),
    ),
    total=12.0,
    constraints=(
        ConstraintState(name="dense/kernel: NonNeg()", layer="dense", satisfied=True, violation=0),
        ConstraintState(name="dense/bias: ones", layer="dense", satisfied=False, violation=0.125),
    ),
)
TABLE = """\
TERM                       KIND                 VALUE   SHARE
mse                        loss               9.00000   75.0%
dense/kernel: L2(l2=0.01)  kernel penalty     3.00000   25.0%
dense: L1(l1=1e-09)        activity penalty   3.0e-09    0.0%
total                                        12.00000  100.0%

CONSTRAINT              STATE
dense/kernel: NonNeg()  satisfied
dense/bias: ones        violated by 0.125"""


def test_it_prints_as_a_table():
    assert str(EXAMPLE) == TABLE
    assert repr(EXAMPLE) == TABLE


def test_wide_names_are_never_cut():
    wide = "0.5 * focal(" + ", ".join(f"parameter_{i}=0.25" for i in range(30)) + ")"
    found = Objective(terms=(Term(name=wide, kind="loss", value=1.0),), total=1.0)
    assert wide in str(found)


def test_rich_draws_the_same_cells():
    out = StringIO()
    Console(file=out, width=120, color_system=None).print(EXAMPLE)
    assert out.getvalue().split() == str(EXAMPLE).split()
    narrow = StringIO()
    Console(file=narrow, width=40, color_system=None).print(EXAMPLE)
    assert "…" not in narrow.getvalue()


@pytest.mark.parametrize(
    ("values", "cells"),
    [
        pytest.param([0.25, 12.5], ["0.25000", "12.50000"], id="one number of decimals"),
        pytest.param([0.0, 0.0], ["0.000000", "0.000000"], id="nothing"),
        pytest.param([123456789.0, 0.5], ["123456789", "5.0e-01"], id="large"),
        pytest.param([2.5e20, 1.0], ["2.500000e+20", "1.000000e+00"], id="huge"),
        pytest.param([-3.0, 1e-12], ["-3.000000", "1.0e-12"], id="tiny beside large"),
        pytest.param([2e-30, 1e-30], ["2.000000e-30", "1.000000e-30"], id="all tiny"),
        pytest.param([math.inf, 1.0], ["inf", "1.000000"], id="infinite"),
    ],
)
def test_numbers_compare(values, cells):
    terms = tuple(Term(name="t", kind="loss", value=value) for value in values)
    found = Objective(terms=terms, total=values[0])
    lines = str(found).splitlines()[1:-1]
    assert [line.split()[2] for line in lines] == cells


def test_shares_are_of_the_total_where_there_are_parts_of_it():
    assert [EXAMPLE.share(term) for term in EXAMPLE.terms[:2]] == [0.75, 0.25]
    negative = Objective(
        terms=(
            Term(name="cosine", kind="loss", value=-0.5),
            Term(name="l2", kind="kernel penalty", value=0.6),
        ),
        total=0.1,
    )
    assert [negative.share(term) for term in negative.terms] == [None, None]
    assert "%" not in str(negative)


def test_as_data_it_is_json():
    data = json.loads(json.dumps(EXAMPLE.as_dict(), allow_nan=False))
    assert data["total"] == 12.0
    assert data["terms"][1] == {
        "name": "dense/kernel: L2(l2=0.01)",
        "kind": "kernel penalty",
        "value": 3.0,
        "share": 0.25,
        "layer": "dense",
        "output": None,
    }
    assert data["constraints"][1] == {
        "name": "dense/bias: ones",
        "layer": "dense",
        "satisfied": False,
        "violation": 0.125,
    }
