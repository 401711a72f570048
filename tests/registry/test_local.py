import pytest
from fakes import ACME
from fakes import add as add_fake

from lossreg.errors import AmbiguousLossError, LossNameError, RegistrationError, SpecError
from lossreg.loss import make, value_function
from lossreg.registry import describe
from lossreg.registry.local import add

CELL = """
def tutorial(y_true, y_pred, scale=2.0):
    'Twice the difference.'
    return scale * (y_true - y_pred)
"""


def run(cell):
    """Return what a notebook cell defines, as a run of the cell makes it anew."""
    namespace = {"__name__": "__main__"}
    exec(cell, namespace)
    return namespace["tutorial"]


def add_local(registry, target, *, replace=False, **about):
    add(registry, describe(target, **about), replace=replace)


def test_a_registered_function_is_a_loss_like_any_other(registry):
    add_local(registry, run(CELL))
    bound = registry.bind("tutorial", scale=3.0)
    assert bound.qualified_name == "local/tutorial"
    assert value_function(make(bound))(5.0, 1.0) == 3.0 * (5.0 - 1.0)
    assert bound.spec.summary == "Twice the difference."
    assert (bound.spec.task, bound.spec.y_true) == (("unspecified",), "unspecified")


def test_what_is_said_about_it_is_kept(registry):
    add_local(registry, run(CELL), name="ScaledLoss", task=("regression",), y_true="real")
    spec = registry.lookup("scaled").spec
    assert (spec.name, spec.task, spec.y_true) == ("scaled", ("regression",), "real")


# The shapes of cells that run again: nothing but the module and the qualified name counts.
CELLS = {
    "as it is": CELL,
    "moved down": "\n\n\n" + CELL,
    "other code": CELL.replace("y_true - y_pred", "y_true + y_pred"),
    "another default": CELL.replace("scale=2.0", "scale=3.0"),
    "another constant": CELL.replace("return scale", "return 2.5"),
    "another parameter": CELL.replace("scale=2.0", "scale=2.0, shift=0.0"),
    "a type": CELL.replace("scale=2.0", "scale: float = 2.0"),
    "a default that is a list": CELL.replace("scale=2.0", "scale=2.0, axes=(1, 2)"),
    "a decorator": "import functools\n" + CELL.replace("def", "@functools.cache\ndef", 1),
    "a closure": CELL.replace("return scale", "inner = lambda x: x\n    return inner(scale)"),
}


@pytest.mark.parametrize("again", CELLS.values(), ids=CELLS)
def test_a_cell_that_runs_again_replaces_its_loss(registry, again):
    add_local(registry, run(CELL))
    add_local(registry, run(again))
    target = registry.lookup("tutorial").target
    assert target(5.0, 1.0) == run(again)(5.0, 1.0)
    assert len(registry.entries("tutorial")) == 1


def test_a_class_that_is_defined_again_replaces_its_loss(registry):
    add_local(registry, run_class(CLASS))
    add_local(registry, run_class(CLASS.replace("self.scale * (", "2 * self.scale * (")))
    assert value_function(make(registry.bind("tutorial", scale=3)))(5.0, 1.0) == 2 * 3 * (5.0 - 1.0)


def test_another_function_takes_a_name_only_when_told(registry):
    add_local(registry, run(CELL))
    another = run(CELL)
    another.__qualname__ = "elsewhere.tutorial"
    with pytest.raises(RegistrationError, match="Replace it with replace=True"):
        add_local(registry, another)
    add_local(registry, another, replace=True)
    assert registry.lookup("tutorial").target is another


CLASS = """
class tutorial(Base):
    def __init__(self, scale=2.0):
        super().__init__()
        self.scale = scale

    def call(self, y_true, y_pred):
        return self.scale * (y_true - y_pred)
"""


class Base:
    """Stands for keras.losses.Loss."""

    def __call__(self, y_true, y_pred):
        return self.call(y_true, y_pred)


def run_class(cell):
    namespace = {"Base": Base, "__name__": "__main__"}
    exec(cell, namespace)
    return namespace["tutorial"]


@pytest.mark.parametrize("name", ["mse", "MSE", "MeanSquaredError", "huber_loss"])
def test_a_built_ins_name_cannot_be_taken(registry, name):
    with pytest.raises(
        RegistrationError, match="is a built-in loss, 'keras/.*Register yours under"
    ):
        add_local(registry, run(CELL), name=name, replace=True)


def test_an_alias_cannot_take_a_built_ins_name_either(registry):
    with pytest.raises(RegistrationError, match="'mse' is a built-in loss"):
        add_local(registry, run(CELL), aliases=("mse",))


def test_a_plugins_name_becomes_ambiguous(registry):
    add_fake(registry, "tutorial", provider=ACME)
    add_local(registry, run(CELL))
    with pytest.raises(AmbiguousLossError, match="'acme-losses/tutorial' or 'local/tutorial'"):
        registry.lookup("tutorial")


def test_what_is_no_loss_is_refused():
    with pytest.raises(SpecError, match="can't be a loss: it must be a function or a class, got 3"):
        describe(3)
    with pytest.raises(SpecError, match=r"can't be a loss: it takes '\*\*kwargs'"):
        describe(lambda y_true, y_pred, **kwargs: None, name="bad")


def test_a_lambda_needs_a_name():
    with pytest.raises(LossNameError, match="can't name a loss; give one: name='my_loss'"):
        describe(lambda y_true, y_pred: 0.0)
