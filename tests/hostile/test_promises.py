"""The table of promises in SECURITY.md names tests that exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_names_tests_that_exist():
    rows = re.findall(r"^\| (.+) \| (.+) \|$", (ROOT / "SECURITY.md").read_text(), re.MULTILINE)
    promises = dict(rows[1:])
    assert len(promises) == len(rows) - 1 > 10
    for promise, tests in promises.items():
        named = re.findall(r"`([\w/-]+\.py)`", tests)
        assert named, promise
        assert all((ROOT / name).is_file() for name in named), promise


def test_every_test_of_attacks_stands_in_the_table():
    text = (ROOT / "SECURITY.md").read_text()
    ours = {f"tests/hostile/{file.name}" for file in Path(__file__).parent.glob("test_*.py")}
    assert {name for name in ours if name not in text} == {"tests/hostile/test_promises.py"}
