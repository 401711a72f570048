"""Operations as JavaScript, and one program for any number of classes."""

import pytest

from lossreg.explorer.merging import merge
from lossreg.explorer.script import script_data


def test_numbers_that_follow_from_the_classes_become_formulas():
    texts = {n: f"sum({n},i0=>x[{n - 1}]*{1 / n!r}+{0.5 / n!r}-{n * n}+i0)/2" for n in (3, 10, 12)}
    assert merge(texts) == "sum(n,i0=>x[(n-1)]*(1/n)+(1/(2*n))-(n*n)+i0)/2"


def test_programs_of_another_form_are_not_merged():
    assert merge({2: "x+1", 3: "x+y+1", 10: "x+y+1"}) is None
    assert merge({3: "x+0.25", 10: "x+7", 12: "x+1.5"}) is None


@pytest.mark.parametrize("text", ["</script>", "<!--", "<script>", "a\u2028b", "\x00"])
def test_a_text_of_a_package_stays_a_string(text):
    written = script_data({"summary": text})
    assert "<" not in written
    assert written.isascii()
    assert written.isprintable()
