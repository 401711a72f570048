"""What the kit says before any check has run, and how it tells results."""

import subprocess
import sys
import textwrap
from types import SimpleNamespace

import pytest
from fakes import ACME, add

from lossreg import ParameterError, Registry
from lossreg.errors import BrokenPluginError, PluginWarning
from lossreg.registry import PluginRecord, discover
from lossreg.testing import loss_checks, run_checks
from lossreg.testing.run import CHECKS, promise

ON_TENSORFLOW = SimpleNamespace(backend=lambda: "tensorflow")


def undocumented(y_true, y_pred):
    """A fake quartic."""


def results(registry, **options):
    return {r.check: r for r in run_checks("acme-losses", registry=registry, **options)}


@pytest.fixture
def quartic():
    """A registry with one loss whose documentation has no formula."""
    registry = Registry()
    add(registry, "quartic", undocumented)
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
def test_each_loss_and_check_has_a_result(quartic):
    found = results(quartic)
    assert (found["names"].state, found["names"].message) == ("passed", "")
    assert (found["docstring"].loss, found["docstring"].state) == ("quartic", "failed")
    assert found["docstring"].message.startswith(
        "acme-losses/quartic breaks a promise, docstring: "
    )


@pytest.mark.usefixtures("light")
def test_the_failures_are_listed_as_the_documentation_lists_them(quartic):
    failed = [r for r in run_checks("acme-losses", registry=quartic) if r.state == "failed"]
    assert [(result.loss, result.check) for result in failed] == [("quartic", "docstring")]


def excepted(**exceptions):
    """Return a registry with one loss and the exceptions in its spec, a slash for each "__"."""
    registry = Registry()
    reasons = {name.replace("__", "/"): reason for name, reason in exceptions.items()}
    add(registry, "quartic", undocumented, exceptions=reasons)
    return registry


@pytest.mark.usefixtures("light")
@pytest.mark.parametrize("key", ["docstring", "tensorflow__docstring"])
def test_an_exception_in_the_spec_makes_a_failure_an_expected_one(key, monkeypatch):
    monkeypatch.setattr("lossreg.testing.run.keras", SimpleNamespace(backend=ON_TENSORFLOW))
    found = results(excepted(**{key: "Nobody reads it."}))["docstring"]
    assert (found.state, found.message) == ("expected failure", "Nobody reads it.")


@pytest.mark.usefixtures("light")
def test_an_exception_for_another_backend_excuses_nothing_here(monkeypatch):
    monkeypatch.setattr("lossreg.testing.run.keras", SimpleNamespace(backend=ON_TENSORFLOW))
    assert results(excepted(jax__docstring="No."))["docstring"].state == "failed"


@pytest.mark.usefixtures("light")
def test_an_exception_that_is_no_longer_needed_is_a_failure(monkeypatch):
    monkeypatch.setattr("lossreg.testing.run.keras", SimpleNamespace(backend=ON_TENSORFLOW))
    found = results(excepted(names="Taken."))["names"]
    assert found.state == "failed"
    assert found.message.startswith("It passes, and the spec of the loss says that it can't: Taken")


@pytest.mark.parametrize(
    ("key", "near"), [("docstrin", "docstring"), ("torsh", "torch"), ("torsh__names", "names")]
)
def test_an_exception_for_nothing_names_the_nearest(key, near):
    with pytest.raises(ParameterError, match=f"'quartic'.*in the exceptions of its spec.*'{near}'"):
        results(excepted(**{key: "A reason."}))


@pytest.mark.usefixtures("light")
def test_one_loss_and_one_check_can_be_asked_for(quartic):
    add(quartic, "quartic2", undocumented)
    found = list(run_checks("acme-losses", loss="quartic2", check="names", registry=quartic))
    assert [(result.loss, result.check) for result in found] == [("quartic2", "names")]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"loss": "quart"}, "There is no loss 'quart'. Did you mean 'quartic'"),
        ({"check": "name"}, "There is no check 'name'. Did you mean 'names'"),
    ],
)
def test_an_unknown_loss_or_check_names_the_nearest(quartic, asked, message):
    with pytest.raises(ParameterError, match=message):
        results(quartic, **asked)


def test_an_unknown_distribution_is_named(quartic):
    with pytest.raises(ParameterError, match="'acme-loses' is installed. Did you mean 'acme-l"):
        next(run_checks("acme-loses", registry=quartic))


def test_a_broken_plugin_is_refused_with_its_cause():
    plugin = PluginRecord(provider=ACME, entry_point="acme", module="no_such_module_anywhere")
    with pytest.warns(PluginWarning):
        registry = discover([plugin])
    with pytest.raises(BrokenPluginError, match="fails to import") as caught:
        next(run_checks("acme-losses", registry=registry))
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_a_distribution_is_found_in_any_spelling(quartic):
    assert next(run_checks("Acme_Losses", registry=quartic)).loss == "quartic"


def test_the_decorator_makes_a_test_for_each_loss_and_check():
    (cases,) = loss_checks("keras").args[1:]
    assert len(cases) % len(CHECKS) == 0
    assert {f"huber-{check}" for check in CHECKS} <= {case.id for case in cases}


@pytest.mark.fresh
def test_collecting_imports_no_keras(tmp_path):
    (tmp_path / "test_it.py").write_text(
        textwrap.dedent(
            """
            import sys
            from lossreg.testing import loss_checks

            @loss_checks("keras")
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
    assert "22 passed" in done.stdout
