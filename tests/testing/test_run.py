"""What the kit says before any check has run, and how it tells results."""

import subprocess
import sys
import textwrap

import pytest
from fakes import ACME, add

from lossreg import ParameterError, Registry
from lossreg.errors import BrokenPluginError, PluginWarning
from lossreg.registry import PluginRecord, discover
from lossreg.testing import loss_checks, run_checks
from lossreg.testing.run import CHECKS, promise


def undocumented(y_true, y_pred):
    """A fake poly1."""


def results(registry, **options):
    return {r.check: r for r in run_checks("acme-losses", registry=registry, **options)}


@pytest.fixture
def poly1():
    """A registry with one loss whose documentation has no formula."""
    registry = Registry()
    add(registry, "poly1", undocumented)
    return registry


def test_every_check_says_its_promise_in_one_sentence():
    for check in CHECKS:
        assert promise(check).endswith(".")
        assert len(promise(check)) < 100


@pytest.fixture
def light(monkeypatch):
    """Only the checks that need no Keras."""
    kept = {name: CHECKS[name] for name in ("docstring", "names")}
    monkeypatch.setattr("lossreg.testing.run.CHECKS", kept)


@pytest.mark.usefixtures("light")
def test_each_loss_and_check_has_a_result(poly1):
    found = results(poly1)
    assert (found["names"].state, found["names"].message) == ("passed", "")
    assert (found["docstring"].loss, found["docstring"].state) == ("poly1", "failed")
    assert found["docstring"].message.startswith("acme-losses/poly1 breaks a promise, docstring: ")


@pytest.mark.usefixtures("light")
def test_the_failures_are_listed_as_the_documentation_lists_them(poly1):
    failed = [r for r in run_checks("acme-losses", registry=poly1) if r.state == "failed"]
    assert [(result.loss, result.check) for result in failed] == [("poly1", "docstring")]


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("name", ["docstring", "poly1-docstring"])
def test_a_failure_can_be_expected_for_all_losses_or_for_one(poly1, name):
    found = results(poly1, expected_failures={name: "Nobody reads it."})
    assert found["docstring"].state == "expected failure"
    assert found["docstring"].message == "Nobody reads it."


@pytest.mark.usefixtures("light")
def test_an_expected_failure_that_passes_is_a_failure(poly1):
    found = results(poly1, expected_failures={"poly1-names": "Taken."})
    assert found["names"].state == "failed"
    assert found["names"].message.startswith("It passes, and was expected to fail: Taken.")


@pytest.mark.parametrize(
    ("name", "near"), [("docstrin", "docstring"), ("poly-names", "poly1-names")]
)
def test_an_expectation_for_nothing_names_the_nearest(poly1, name, near):
    with pytest.raises(ParameterError, match=f"{name!r} in expected_failures.*{near!r}"):
        results(poly1, expected_failures={name: "A reason."})


def test_an_unknown_distribution_is_named(poly1):
    with pytest.raises(ParameterError, match="'acme-loses' is installed. Did you mean 'acme-l"):
        next(run_checks("acme-loses", registry=poly1))


def test_a_broken_plugin_is_refused_with_its_cause():
    plugin = PluginRecord(provider=ACME, entry_point="acme", module="no_such_module_anywhere")
    with pytest.warns(PluginWarning):
        registry = discover([plugin])
    with pytest.raises(BrokenPluginError, match="fails to import") as caught:
        next(run_checks("acme-losses", registry=registry))
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_distribution_is_found_in_any_spelling(poly1):
    assert next(run_checks("Acme_Losses", registry=poly1)).loss == "poly1"


def test_the_decorator_makes_a_test_for_each_loss_and_check():
    (cases,) = loss_checks("keras", expected_failures={"huber-names": "A reason."}).args[1:]
    assert len(cases) % len(CHECKS) == 0
    assert {f"huber-{check}" for check in CHECKS} <= {case.id for case in cases}
    (marked,) = (case for case in cases if case.marks)
    (mark,) = marked.marks
    assert marked.id == "huber-names"
    assert (mark.name, mark.kwargs["strict"], mark.kwargs["reason"]) == ("xfail", True, "A reason.")


@pytest.mark.fresh
def test_collecting_imports_no_keras_and_an_expectation_that_is_out_of_date_fails(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            import sys
            from lossreg.testing import loss_checks

            @loss_checks("keras", expected_failures={"huber-docstring": "It has none."})
            def test_conformance(check, spec):
                check(spec)

            assert not {"keras", "tensorflow", "pydantic"} & sys.modules.keys()
            """
        )
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-rf", "-k", "docstring", str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    assert "test_conformance[huber-docstring]" in done.stdout
    assert "[XPASS(strict)] It has none." in done.stdout
    assert "1 failed, 21 passed" in done.stdout
