"""Every program in the documentation runs, and prints what the page says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fresh

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "---- block ----"


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/quickstart.md"])
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_says(page, tmp_path):
    pytest.importorskip("lossreg_focal")
    blocks = BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))
    programs, expected = [], []
    for kind, text in blocks:
        if kind == "python":
            programs.append(text)
            expected.append(None)
        else:
            expected[-1] = text.strip()
    # A page whose blocks are no longer found would pass.
    assert programs
    script = tmp_path / "page.py"
    script.write_text("".join(f"print({MARK!r})\n{program}\n" for program in programs))
    done = subprocess.run(
        [sys.executable, script],
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    printed = [part.strip() for part in done.stdout.split(f"{MARK}\n")[1:]]
    for program, says, prints in zip(programs, expected, printed, strict=True):
        assert says in (None, prints), program
