import pytest
from fakes import ACME, add

from lossreg import AmbiguousLossError, LossNameError, RegistrationError, SpecError
from lossreg.local import describe, register

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
    register(registry, describe(target, **about), replace=replace)


def test_a_registered_function_is_a_loss_like_any_other(registry):
    add_local(registry, run(CELL))
    bound = registry.bind("tutorial", scale=3.0)
    assert bound.qualified_name == "local/tutorial"
    assert bound.function()(5.0, 1.0) == 3.0 * (5.0 - 1.0)
    assert bound.spec.summary == "Twice the difference."
    assert (bound.spec.task, bound.spec.y_true) == (("unspecified",), "unspecified")


def test_what_is_said_of_it_is_kept(registry):
    add_local(registry, run(CELL), name="ScaledLoss", task=("regression",), y_true="real")
    spec = registry.lookup("scaled").spec
    assert (spec.name, spec.task, spec.y_true) == ("scaled", ("regression",), "real")


@pytest.mark.parametrize("again", [CELL, "\n\n\n" + CELL], ids=["as it is", "moved down"])
def test_a_cell_may_run_again(registry, again):
    add_local(registry, run(CELL))
    add_local(registry, run(again))
    assert registry.bind("tutorial").function()(5.0, 1.0) == 8.0


CHANGED = [
    pytest.param(CELL.replace("y_true - y_pred", "y_true + y_pred"), id="code"),
    pytest.param(CELL.replace("scale=2.0", "scale=3.0"), id="default"),
    pytest.param(CELL.replace("return scale", "return 2.5"), id="constant"),
]


@pytest.mark.parametrize("changed", CHANGED)
def test_a_different_loss_takes_a_name_only_when_told(registry, changed):
    add_local(registry, run(CELL))
    with pytest.raises(RegistrationError, match="Replace it with replace=True"):
        add_local(registry, run(changed))
    add_local(registry, run(changed), replace=True)
    target = registry.lookup("tutorial").target
    assert target(5.0, 1.0) == run(changed)(5.0, 1.0)


CLASS = """
class tutorial(Base):
    def __init__(self, scale=2.0):
        super().__init__()
        self.scale = scale

    @property
    def twice(self):
        return 2 * self.scale

    def call(self, y_true, y_pred):
        return self.scale * (y_true - y_pred)
"""


class Base:
    """Stands for keras.losses.Loss."""


def run_class(cell):
    namespace = {"Base": Base, "__name__": "__main__"}
    exec(cell, namespace)
    return namespace["tutorial"]


def test_a_class_may_be_defined_again_and_a_different_one_not(registry):
    add_local(registry, run_class(CLASS))
    add_local(registry, run_class("\n" + CLASS))
    with pytest.raises(RegistrationError, match="Replace it with replace=True"):
        add_local(registry, run_class(CLASS.replace("2 * self.scale", "3 * self.scale")))
    assert registry.bind("tutorial", scale=3).function()(5.0, 1.0) == 3 * (5.0 - 1.0)


def test_a_closure_is_told_apart_by_what_it_holds(registry):
    def made(scale):
        def closed(y_true, y_pred):
            return scale * (y_true - y_pred)

        return closed

    add_local(registry, made(2.0))
    add_local(registry, made(2.0))
    with pytest.raises(RegistrationError):
        add_local(registry, made(3.0))


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
    add(registry, "tutorial", provider=ACME)
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
