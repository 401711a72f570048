"""A parameter that stays open: arithmetic is kept, and comparisons are answered and recorded."""

import math

import numpy as np
import pytest
from tolerances import BY_DTYPE

from lossreg.explorer.symbol import Answers, ConcreteError, Symbol

FLOAT64 = BY_DTYPE["float64"]
SAMPLES = np.array([0.0, 0.3, 0.7, 1.0, 1.6, 2.4])


def symbol(answers=None, value=2.4):
    return Symbol(answers or Answers(mask=np.ones(6, bool)), value, "p[0]", SAMPLES)


def test_arithmetic_is_a_formula():
    found = (1 - symbol()) ** 2 / 4
    assert found.text == "(Math.pow((1.0-p[0]),2.0)/4.0)"
    assert found.tracer == pytest.approx((1 - 2.4) ** 2 / 4, rel=FLOAT64)
    assert found.samples.tolist() == pytest.approx(((1 - SAMPLES) ** 2 / 4).tolist(), rel=FLOAT64)


def test_most_samples_answer_a_comparison():
    answers = Answers(mask=np.ones(6, bool))
    assert not bool(symbol(answers) == 0)
    assert symbol(answers) < 2
    assert [str(answer) for answer in answers.path] == ["!(p[0]===0.0)", "(p[0]<2.0)"]
    assert [np.flatnonzero(each).tolist() for each in answers.deviating] == [[0], [5]]


def test_a_comparison_on_which_all_samples_agree_needs_no_answer():
    answers = Answers(mask=np.ones(6, bool))
    assert symbol(answers) >= 0
    assert symbol(answers) != "mean"
    assert symbol(answers) < math.inf
    assert answers.path == []


def test_the_same_question_has_the_same_answer():
    answers = Answers(mask=SAMPLES == 0)
    first, second = symbol(answers) == 0, symbol(answers) == 0
    assert bool(first)
    assert bool(second)


@pytest.mark.parametrize("need", [float, int, math.gamma, lambda x: [0, 1][x]])
def test_code_that_needs_the_number_is_told_apart(need):
    with pytest.raises(ConcreteError, match=r"needs the value of p\[0\]"):
        need(symbol())
