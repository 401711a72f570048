"""Every program in the documentation runs, and prints what the page says."""

import numpy as np
import pages
import pytest
from tolerances import FLOAT32


@pytest.mark.fresh
@pytest.mark.parametrize("page", ["README.md", "docs/index.md", "docs/quickstart.md"])
def test_a_page_runs_from_top_to_bottom_and_prints_what_it_says(page, tmp_path):
    pytest.importorskip("lossreg_focal")
    for program in pages.run(page, tmp_path):
        assert program.says in (None, program.prints), program.source


def test_the_loss_of_the_readme_is_the_paper_s():
    [source] = [text for _, text in pages.blocks("README.md") if "def confidence_penalty" in text]
    names: dict = {}
    exec(compile(source, "README.md", "exec"), names)
    # Logits 0, ln 2, 0 are probabilities 1/4, 1/2, 1/4. Pereyra et al., 2017, section 3:
    # the cross-entropy less the entropy, both by hand.
    logits = np.array([[0.0, np.log(2.0), 0.0]], "float32")
    labels = np.array([[0.0, 1.0, 0.0]], "float32")
    entropy = np.log(2.0) / 2 + np.log(4.0) / 2
    found = names["confidence_penalty"](labels, logits, weight=0.5)
    assert np.allclose(found, np.log(2.0) - 0.5 * entropy, rtol=FLOAT32)
