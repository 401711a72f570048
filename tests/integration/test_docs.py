"""Every program in the documentation runs, and prints what the page says."""

import pages
import pytest

pytestmark = pytest.mark.fresh


@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/quickstart.md"])
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_says(page, tmp_path):
    pytest.importorskip("lossreg_focal")
    for program in pages.run(page, tmp_path):
        assert program.says in (None, program.prints), program.source
