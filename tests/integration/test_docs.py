"""Every program in the documentation runs, and prints what the page says."""

import numpy as np
import pages
import pytest


@pytest.mark.fresh
@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/quickstart.md"])
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_says(page, tmp_path):
    pytest.importorskip("lossreg_focal")
    for program in pages.run(page, tmp_path):
        assert program.says in (None, program.prints), program.source


def test_poly1_of_the_readme_is_the_paper_s_for_soft_labels_too():
    [source] = [text for _, text in pages.blocks("README.md") if "def poly1" in text]
    names: dict = {}
    exec(compile(source, "README.md", "exec"), names)
    # Logits 0, ln 2, 0 are probabilities 1/4, 1/2, 1/4. Leng et al., 2022, section 4.1:
    # 0.8 ln 2 + 0.2 ln 4 for the cross-entropy, and 1 - (0.8 / 2 + 0.2 / 4) for the first term.
    logits = np.array([[0.0, np.log(2.0), 0.0]], "float32")
    labels = np.array([[0.0, 0.8, 0.2]], "float32")
    expected = 1.2 * np.log(2.0) + 0.55
    assert np.allclose(names["poly1"](labels, logits), expected, rtol=1e-6)
