"""The examples in the docstrings of every module, as far as they need no Keras."""

import doctest
import importlib
import pkgutil
import sys

import pytest

import lossreg

MODULES = [
    module.name
    for module in pkgutil.walk_packages(lossreg.__path__, "lossreg.")
    if not module.name.endswith("__main__")
]


class NoKeras:
    """A finder that refuses Keras, which takes seconds, and remembers that it was wanted."""

    wanted = False

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "keras":
            self.wanted = True
            raise ModuleNotFoundError("Keras isn't for this test.", name=name)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_say_what_happens(name, monkeypatch):
    if "keras" in sys.modules:
        pytest.skip("Another test has imported Keras. `make test-core` runs this one without.")
    finder, report = NoKeras(), []
    monkeypatch.setattr(sys, "meta_path", [finder, *sys.meta_path])
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError:
        assert finder.wanted
        pytest.skip("It imports Keras, and has its tests in tests/integration.")
    runner = doctest.DocTestRunner()
    for example in doctest.DocTestFinder().find(module):
        runner.run(example, out=report.append)
    if runner.failures and finder.wanted:
        pytest.skip("Its examples take Keras, and run in tests/integration/test_reference.py.")
    assert runner.failures == 0, "".join(report)
