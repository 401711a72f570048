"""What a config may hold has a limit, and so has what a refusal says, and what it costs."""

from contextlib import contextmanager

import pytest
from fakes import add, tuned
from hostile.attacks import CODE, DOCUMENTS, EXPRESSIONS, PLACES, TARGETS, VALUES
from processor import MOST_SECONDS, at_most

import lossreg
from lossreg import ConfigError, LossregError, Registry
from lossreg.config import bind_saved, examine, examine_experiment, located, read_experiment
from lossreg.config.document import parse_document
from lossreg.config.schema import definitions
from lossreg.loss import suggest

MOST_FAULTS = 100
MOST_TEXT = 4096


@contextmanager
def refused_at_most():
    """Check that what is refused is refused by us, shortly and soon."""
    refusal = None
    with at_most(MOST_SECONDS):
        try:
            yield
        except LossregError as error:
            refusal = error
    if refusal is not None:
        assert 0 < len(str(refusal)) <= MOST_TEXT
    if isinstance(refusal, ConfigError):
        assert len(refusal.faults) <= MOST_FAULTS
        assert all(len(str(fault)) <= MOST_TEXT for fault in refusal.faults)


@pytest.fixture(scope="module", autouse=True)
def imported():
    """Import what the first check imports, which is no document's fault."""
    examine("huber(2)")


@pytest.mark.parametrize(("kind", "text"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_is_read_or_refused_in_time(kind, text):
    with refused_at_most():
        read = parse_document(text, kind=kind)
        if isinstance(read.data, dict) and "model" in read.data:
            faults = examine_experiment(read.data, read)[2]
        else:
            faults = examine(read.data["loss"], ("loss",))[1]
        if faults:
            raise located(faults, read)


READERS = {
    "bind": lossreg.bind,
    "LossConfig": lossreg.LossConfig,
    "in an experiment": lambda config: read_experiment({"compile": {"loss": config}}),
    "to_config": lossreg.to_config,
    "as a saved loss": lambda config: isinstance(config, dict) and bind_saved(config),
    "as a parameter": lambda value: lossreg.bind("huber", delta=value),
    "as a list of parameters": lambda value: lossreg.bind("tversky", axis=[value]),
    "as an integer": lambda value: lossreg.bind("cce", axis=value),
    "as a parameter of anything": lambda value: _anything().bind("anything", it=value),
    "as words": lambda config: [str(bound := lossreg.bind(config)), repr(bound), bound.label],
}


def anything(y_true, y_pred, *, it: object = None):
    """A loss with a parameter that may be anything."""


def _anything():
    registry = Registry()
    add(registry, "anything", anything)
    return registry


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_any_python_object_is_a_loss_or_an_error_of_ours(place, reader):
    for value in VALUES.values():
        with refused_at_most():
            reader(place(value))


@pytest.fixture(scope="module")
def crowded():
    """A registry with a thousand losses."""
    registry = Registry()
    for index in range(1000):
        letters = "".join("abcdefghij"[int(digit)] for digit in str(index))
        add(registry, f"loss_of_{letters}", tuned, aliases=(f"its_other_name_{letters}",))
    return registry


def test_a_hundred_typos_among_a_thousand_losses_are_told_in_time(crowded):
    with at_most(MOST_SECONDS):
        for index in range(100):
            with pytest.raises(LossregError):
                crowded.lookup(f"lose_fo_abb{index}")


def test_the_schema_of_a_thousand_losses_is_written_in_time(crowded):
    with at_most(MOST_SECONDS):
        assert len(definitions(crowded)) > 2000


def test_the_nearest_of_thousands_of_names_is_suggested():
    names = [f"{first}{second}_{third}" for first in "abcdefgh" for second in "ijklmno"
             for third in ("smooth", "robust", "balanced", "ranked", "margin")]  # fmt: skip
    assert suggest("cl_balnaced", names)[0] == "cl_balanced"
    assert suggest("gobust", ["hinge", *names])[0].endswith("robust")
    assert suggest("mea", [*names, "mae"]) == ["mae"]


def test_of_many_faults_the_first_are_told_and_the_rest_are_mentioned():
    with pytest.raises(ConfigError) as caught:
        lossreg.LossConfig([f"hubre{index}" for index in range(300)])
    faults = caught.value.faults
    assert len(faults) == MOST_FAULTS
    assert [fault.path for fault in faults[:99]] == [(index,) for index in range(99)]
    assert "There are more faults than these 99. Mend these first." in faults[99].message
    assert "more faults." in str(caught.value).splitlines()[-1]


def test_a_config_may_have_a_thousand_losses():
    assert len(lossreg.bind(["mse"] * 1000).losses()) == 1000
    with pytest.raises(ConfigError, match="has 1,001 losses, and a config may have 1,000"):
        lossreg.bind(["mse"] * 1001)
    outputs = {str(index): ["mse", "mae"] for index in range(501)}
    with pytest.raises(ConfigError, match="has 1,002 losses"):
        lossreg.bind({"outputs": outputs})


# What a config names is compared with names, and never looked up in Python.


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_no_expression_is_evaluated(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for config in (text, {"name": text}, [text], {"outputs": {"a": text}}):
        with pytest.raises(LossregError):
            lossreg.bind(config)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("target", TARGETS)
def test_no_target_is_the_name_of_a_loss(target):
    dotted = target.replace(":", ".")
    for name in (target, dotted, dotted.replace(".", "/", 1)):
        with pytest.raises(LossregError):
            lossreg.bind(name)
        with pytest.raises(LossregError):
            lossreg.bind({"_target_": name, "_args_": ["mse"]})


@pytest.mark.parametrize("data", CODE.values(), ids=CODE)
def test_no_object_of_keras_in_a_config_is_made(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LossregError):
        lossreg.bind(data)
    with pytest.raises(LossregError):
        bind_saved({"loss": "keras/huber", "params": {"delta": data}})
    assert not list(tmp_path.iterdir())
