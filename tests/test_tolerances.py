"""No test is narrower than `tolerances.py`, whose promises hold on every processor."""

import ast
from pathlib import Path

import pytest
from tolerances import FLOAT32

ROOT = Path(__file__).parents[1]
FILES = sorted(
    path
    for folder in (ROOT / "tests", *(ROOT / "plugins").glob("*/tests"))
    for path in folder.rglob("*.py")
)
COMPARISONS = {"approx", "allclose", "assert_allclose", "isclose"}


def comparisons(path):
    """Yield the line of each comparison with a tolerance, and its arguments by name."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "attr", getattr(node.func, "id", None))
            if name in COMPARISONS:
                yield node.lineno, {each.arg: each.value for each in node.keywords}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_comparison_names_its_tolerance(path):
    # pytest's own is 1e-6 and NumPy's 1e-7. `None` is an unpacked mapping.
    bare = [
        line
        for line, given in comparisons(path)
        if not given.keys() & {"rel", "abs", "rtol", "atol", None}
    ]
    assert bare == [], "write rel=FLOAT32, or what else holds"
    narrow = [
        line
        for line, given in comparisons(path)
        for value in (given.get("rel"), given.get("rtol"))
        if isinstance(value, ast.Constant) and 0 < value.value < FLOAT32
    ]
    assert narrow == [], "write a name: FLOAT32, or BY_DTYPE['float64'] for what it computes"
