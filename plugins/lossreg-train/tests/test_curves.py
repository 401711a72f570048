"""The curves of a run, drawn of objectives that are made up here."""

from lossreg.objectives import Objective, Term
from lossreg_train import curves
from lossreg_train.curves import Epoch

PENALTIES = {f"penalty_{index}": 1.0 for index in range(8)}


def objective(values):
    terms = tuple(Term(name=name, kind="loss", value=value) for name, value in values.items())
    return Objective(terms=terms, total=sum(values.values()))


def test_the_samples_trained_on_decide_which_terms_are_drawn(tmp_path):
    # Of eleven terms, nine have a curve of their own.
    train = objective({"mse": 0.1, **PENALTIES, "first": 0.5, "second": 0.4})
    held = objective({"mse": 0.1, **PENALTIES, "first": 0.4, "second": 0.5})
    curves.draw([Epoch(logs={}, train=train, validation=held)], tmp_path / "a.svg", "eleven")
    picture = (tmp_path / "a.svg").read_text()
    # matplotlib leaves each text as a comment beside its outlines.
    drawn = [term.name for term in train.terms if f"<!-- {term.name} -->" in picture]
    assert drawn == [*PENALTIES, "first"]
    assert "<!-- 2 other terms -->" in picture
