"""Every public name is in the API reference, with an example that runs."""

import doctest
import importlib

import keras
import numpy as np
import pytest
import reference

MODULES = [module for module in reference.MODULES if module != "lossreg.errors"]
NAMES = [(module, name) for module in MODULES for name in reference.names(module)]
# Its one example needs Ray, which is an extra.
UNTESTED = {"RayPool"}


def model_of_one_layer():
    """Return a model whose mean squared error is 2.5 on its data, and its penalty 0.5."""
    keras.utils.clear_session(free_memory=False)
    head = keras.layers.Dense(
        1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(0.125), name="head"
    )
    model = keras.Sequential([keras.Input((4,)), head])
    model.compile("adam", "mse")
    return model


@pytest.fixture
def names():
    """Return what the examples of lossreg use without making it."""
    return {
        "model": model_of_one_layer(),
        "x": np.zeros((2, 4)),
        "y": np.array([[1.0], [2.0]]),
    }


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """Return what the examples of lossreg_train use, which follow each other."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4)).astype("float32")
    return {
        "build": model_of_one_layer,
        "x": x,
        "y": x[:, :1] + 1,
        "folder": tmp_path_factory.mktemp("comparison"),
    }


@pytest.mark.parametrize(("module", "name"), NAMES, ids=lambda part: part)
def test_the_examples_of_a_public_name_run(module, name, names, comparison):
    owner = importlib.import_module(module)
    entry = reference.read_name(module, name, getattr(owner, name))
    assert reference.has_example(entry)
    if name in UNTESTED:
        return
    known = {each: getattr(owner, each) for each in reference.names(module)}
    if module == "lossreg_train":
        if name == "Comparison" and "result" not in comparison:
            compare = reference.read_name(module, "compare", owner.compare)
            run(compare["doc"], {**known}, comparison)
        run(entry["doc"], known, comparison)
        return
    for each in (entry, *entry["members"]):
        run(each["doc"], {"lossreg": importlib.import_module("lossreg"), **known}, names)


def run(doc, known, names):
    """Run the examples of a docstring, and keep what they make in `names`."""
    # tests/test_doctests.py has no Keras, and skips some of them.
    source = doc.replace("# doctest: +SKIP", "")
    together = {"__name__": "example", **known, **names}
    test = doctest.DocTestParser().get_doctest(source, together, "example", None, None)
    report = []
    runner = doctest.DocTestRunner()
    failed = runner.run(test, out=report.append, clear_globs=False).failed
    assert failed == 0, "".join(report)
    if "result" in test.globs:
        names["result"] = test.globs["result"]


def test_every_name_of_a_public_module_is_on_the_page():
    page = reference.page({module: reference.read_module(module) for module in reference.MODULES})
    for module in reference.MODULES:
        for name in reference.names(module):
            assert f"\n### {name}\n" in page


def test_an_example_is_a_block_of_code_without_the_marks_of_doctest():
    lines = reference.markdown("Words.\n\n>>> f(1)  # doctest: +SKIP\n2\n\nMore.")
    text = "\n".join(lines)
    assert "```pycon\n>>> f(1)\n2\n```\n\nMore." in text
