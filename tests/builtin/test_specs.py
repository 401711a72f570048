import inspect
import subprocess
import sys
from collections import Counter

import pytest

from lossreg.builtin.plugin import lossreg_losses
from lossreg.loss import Signature, documented_arguments, key
from lossreg.registry import import_target
from lossreg.registry.spoken import meant_by

SPECS = lossreg_losses()
every_spec = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)


@every_spec
def test_the_summary_is_the_first_line_of_the_docstring(spec):
    first, blank, *_ = inspect.getdoc(import_target(spec.target)).splitlines()
    assert (first, blank) == (spec.summary, "")
    assert len(first) <= 79


@every_spec
def test_the_docstring_has_its_sections_in_order(spec):
    lines = inspect.getdoc(import_target(spec.target)).splitlines()
    sections = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert sections == ["Args:", "Returns:", "Source:"]


@every_spec
def test_every_argument_is_documented_in_the_order_of_the_signature(spec):
    loss = import_target(spec.target)
    documented = documented_arguments(inspect.getdoc(loss))
    assert list(documented) == list(inspect.signature(loss).parameters)
    assert all("shape" in documented[name] for name in ("y_true", "y_pred"))


@every_spec
def test_every_parameter_is_keyword_only_typed_and_has_a_legal_default(spec):
    # Signature refuses positional and untyped parameters; check refuses a value out of range.
    signature = Signature(import_target(spec.target), packaged=True)
    defaults = {parameter.name: parameter.default for parameter in signature.parameters}
    assert not any(parameter.required for parameter in signature.parameters)
    assert signature.check(spec.name, defaults) == defaults


@every_spec
def test_a_loss_has_the_name_of_its_function(spec):
    assert import_target(spec.target).__name__ == spec.name


def test_no_two_losses_share_a_name_or_alias():
    counts = Counter(key(name) for spec in SPECS for name in spec.names)
    assert [name for name, count in counts.items() if count > 1] == []


@pytest.mark.fresh
def test_signatures_and_documentation_are_read_without_keras():
    program = """
import sys
from lossreg.builtin.plugin import lossreg_losses
specs = lossreg_losses()
assert not any(name.startswith("lossreg.builtin.") for name in sys.modules.keys() - {
    "lossreg.builtin.plugin"}), "the specs import the losses"
from lossreg.loss import Signature
from lossreg.registry import import_target
for spec in specs:
    assert import_target(spec.target).__doc__
    Signature(import_target(spec.target)).parameters
assert not {"keras", "tensorflow", "jax", "torch"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", ["ce", "log_loss", "bce_with_logits", "L1Loss", "l2", "rmse"])
def test_what_people_mean_is_offered_and_is_no_name_itself(name):
    names = {each for spec in SPECS for each in spec.names}
    assert meant_by(name)
    assert names.issuperset(meant_by(name))
    assert key(name) not in map(key, names)
