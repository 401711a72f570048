import asyncio
import copy
import pickle
import random
from typing import Any

import numpy as np
import pytest
from fakes import ACME, KERAS, OTHER, add, plain, spec, tuned
from hypothesis import given
from hypothesis import strategies as st

from lossreg import ParameterError, Registry, UnknownLossError
from lossreg.errors import (
    AmbiguousLossError,
    BlockedPluginError,
    BrokenPluginError,
    LossNameError,
    NotInstalledError,
    NotRegisteredError,
    RegistrationError,
)
from lossreg.loss import Provider, make, value_function
from lossreg.registry import PluginRecord


@pytest.mark.parametrize(
    "name", ["mse", "MSE", "MeanSquaredError", "mean-squared-error", "keras/mse"]
)
def test_a_built_in_is_found_under_every_spelling(registry, name):
    assert registry.lookup(name).qualified_name == "keras/mean_squared_error"


def test_a_plugins_loss_is_found_by_name_alias_and_qualified_name(registry):
    for name in ("focal", "FocalLoss", "binary_focal", "acme-losses/focal", "Acme.Losses/Focal"):
        assert registry.lookup(name).qualified_name == "acme-losses/focal"


def test_bind_completes_and_checks_the_parameters(registry):
    bound = registry.bind("focal", gamma=3)
    assert bound.name == "focal"
    assert bound.qualified_name == "acme-losses/focal"
    assert bound.params == {"gamma": 3.0, "alpha": 0.75, "from_logits": False}
    assert str(bound.provider) == "acme-losses 1.2.0"
    assert str(bound) == "focal(gamma=3.0, alpha=0.75, from_logits=False)"
    assert value_function(make(bound))("y", "p") == ("y", "p", 3.0, 0.75, False)


def test_the_parameters_of_a_bound_loss_cannot_be_changed_behind_its_back(registry):
    bound = registry.bind("focal")
    bound.params["gamma"] = "changed"
    assert bound.params["gamma"] == 2.0


@pytest.mark.parametrize("twin", [copy.deepcopy, lambda bound: pickle.loads(pickle.dumps(bound))])
def test_a_bound_loss_pickles_and_copies(twin):
    registry = Registry()
    registry.add(*_importable())
    bound = registry.bind("focal", gamma=3)
    assert value_function(make(bound)) is not None  # fills what is cached
    again = twin(bound)
    assert again == bound
    assert value_function(make(again))("y", "p") == ("y", "p", 3.0, 0.75, False)


def _importable():
    return spec("focal", tuned), ACME


def test_an_unknown_name_suggests_the_nearest(registry):
    message = "No loss named 'hubert'. Did you mean 'huber'\\? 'lossreg list' shows all 4."
    with pytest.raises(UnknownLossError, match=message):
        registry.lookup("hubert")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("CrossEntropyLoss", "'binary_crossentropy' or 'categorical_crossentropy'"),
        ("cross_entropy", "'binary_crossentropy' or 'categorical_crossentropy'"),
        ("bce_with_logits", "'binary_crossentropy'"),
        ("logloss", "'binary_crossentropy' or 'categorical_crossentropy'"),
        ("log_loss", "'binary_crossentropy' or 'categorical_crossentropy'"),
        ("L1Loss", "'mean_absolute_error'"),
        ("l2", "'mean_squared_error'"),
        ("rmse", "'mean_squared_error'"),
    ],
)
def test_the_names_of_other_libraries_suggest_what_is_meant(name, meant):
    registry = Registry()
    for offered in ("binary_crossentropy", "categorical_crossentropy", "poly1_crossentropy"):
        add(registry, offered, provider=KERAS)
    add(registry, "mean_squared_error", provider=KERAS, aliases=("mse",))
    add(registry, "mean_absolute_error", provider=KERAS, aliases=("mae",))
    with pytest.raises(UnknownLossError, match=f"Did you mean {meant}\\?"):
        registry.lookup(name)


def test_a_name_that_is_none_is_no_lookup(registry):
    with pytest.raises(LossNameError, match="it has spaces"):
        registry.lookup("mean squared error")


def test_two_providers_of_a_name_are_both_named(registry):
    add(registry, "focal", provider=OTHER)
    with pytest.raises(AmbiguousLossError) as caught:
        registry.lookup("FocalLoss")
    assert str(caught.value) == (
        "'FocalLoss' is offered by acme-losses 1.2.0 and by other-losses 0.3.0. "
        "Ask for 'acme-losses/focal' or 'other-losses/focal'."
    )
    assert registry.lookup("other-losses/focal").provider == OTHER


def test_a_built_in_keeps_its_name_whoever_else_offers_it(registry):
    add(registry, "huber", provider=ACME)
    add(registry, "robust", provider=OTHER, aliases=("mse",))
    assert registry.lookup("huber").provider == KERAS
    assert registry.lookup("MSE").provider == KERAS
    assert registry.lookup("acme-losses/huber").provider == ACME


def test_one_provider_cannot_have_two_losses_of_a_name(registry):
    message = r"acme-losses 1\.2\.0 offers two losses named 'fo_cal'"
    with pytest.raises(RegistrationError, match=message):
        add(registry, "fo_cal")


PACKAGES = st.lists(
    st.lists(st.sampled_from(["a", "b", "c", "mse", "huber"]), unique=True, max_size=4),
    max_size=5,
)


@given(PACKAGES, st.randoms(use_true_random=False))
def test_installing_a_package_never_changes_what_a_name_means(packages, shuffle: random.Random):
    offers = [("keras", "3.15.1", "mse"), ("keras", "3.15.1", "huber")]
    offers += [(f"p{i}", "1", name) for i, names in enumerate(packages) for name in names]
    before = Registry()
    meant: dict[str, str] = {}
    for distribution, version, name in offers:
        add(before, name, provider=_provider(distribution, version))
        for asked in ("a", "b", "c", "mse", "huber"):
            try:
                now = before.lookup(asked).qualified_name
            except (AmbiguousLossError, UnknownLossError):
                continue
            # From the moment that a name means a loss, it means it or is ambiguous.
            assert meant.setdefault(asked, now) == now
    shuffle.shuffle(offers)
    after = Registry()
    for distribution, version, name in offers:
        add(after, name, provider=_provider(distribution, version))
    for asked in ("a", "b", "c", "mse", "huber"):
        assert _outcome(after, asked) == _outcome(before, asked)


def _provider(distribution, version):
    return Provider(distribution=distribution, version=version, is_builtin=distribution == "keras")


def _outcome(registry, name):
    try:
        return registry.lookup(name).qualified_name
    except (AmbiguousLossError, UnknownLossError) as error:
        return type(error), str(error)


def test_a_known_package_that_is_missing_says_what_to_install():
    with pytest.raises(NotInstalledError, match="Install it: pip install lossreg-focal$"):
        Registry().lookup("SparseFocalLoss")


def test_an_unknown_package_is_recommended_with_care(registry):
    message = (
        "'nobody/focal' is from a package 'nobody', and no plugin of that name is installed. "
        "If you know and trust that package: pip install nobody$"
    )
    with pytest.raises(NotInstalledError, match=message):
        registry.lookup("nobody/focal")


def test_a_loss_of_another_process_says_to_register_it(registry):
    with pytest.raises(NotRegisteredError, match=r"Register it here first: lossreg\.register"):
        registry.lookup("local/tutorial_mse")


def test_a_misspelled_package_suggests_the_one_that_is_here(registry):
    with pytest.raises(NotInstalledError, match="Did you mean 'keras'\\?$"):
        registry.lookup("kears/huber")


def _broken(error):
    return PluginRecord(
        provider=ACME,
        entry_point="acme",
        module="acme_losses",
        state="broken",
        stage="import",
        error=error,
    )


def test_a_loss_of_a_broken_plugin_says_so_with_the_cause():
    registry = Registry()
    cause = ImportError("no libfoo")
    registry.plugins.append(_broken(cause))
    message = r"acme-losses 1\.2\.0 is installed and fails to import \(ImportError: no libfoo\)"
    with pytest.raises(BrokenPluginError, match=message) as caught:
        registry.lookup("acme-losses/focal")
    assert caught.value.__cause__ is cause


def test_an_unknown_name_may_be_one_of_a_broken_plugin(registry):
    cause = ImportError("no libfoo")
    registry.plugins.append(_broken(cause))
    message = r"acme-losses 1\.2\.0 might offer it, but it doesn't load\."
    with pytest.raises(UnknownLossError, match=message) as caught:
        registry.lookup("nosuch")
    assert caught.value.__cause__ is cause


def test_a_broken_plugin_leaves_the_others_alone(registry):
    registry.plugins.append(_broken(ImportError("no libfoo")))
    assert registry.bind("focal").params["gamma"] == 2.0


def variadic(y_true, y_pred, **kwargs): ...


def test_a_loss_that_breaks_the_rules_fails_when_it_is_asked_for(registry):
    add(registry, "bad", variadic)
    message = r"Loss 'bad' of acme-losses 1\.2\.0 can't be used: it takes '\*\*kwargs'"
    with pytest.raises(BrokenPluginError, match=message):
        registry.bind("bad")


def factory(power: int = 2):
    return lambda y_true, y_pred: (y_true, y_pred, power)


def not_a_factory(power: int = 2):
    return power


def test_a_factory_is_called_with_the_parameters(registry):
    add(registry, "made", factory)
    assert value_function(make(registry.bind("made", power=3)))("y", "p") == ("y", "p", 3)


def test_a_factory_that_makes_no_loss_is_told(registry):
    add(registry, "made", not_a_factory)
    with pytest.raises(BrokenPluginError, match="its factory returned 2, which is neither"):
        value_function(make(registry.bind("made")))


class MuteError(Exception):
    """An error that can't be printed."""

    def __str__(self):
        raise RuntimeError("mute")


def failing(error: Any):
    raise error


def even(power: int = 2):
    if power % 2:
        raise ValueError(f"power must be even, got {power}")


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (RuntimeError("no disk"), "RuntimeError: no disk"),
        (SystemExit(3), "SystemExit: 3"),
        (GeneratorExit(), "GeneratorExit"),
        (asyncio.CancelledError(), "CancelledError"),
        (MuteError(), "MuteError: its message can't be read"),
    ],
)
def test_a_factory_that_raises_anything_is_a_broken_loss(registry, error, line):
    registry.add(spec("made", failing), ACME, lambda: lambda power=2: failing(error))
    message = f"Loss 'made' of acme-losses 1.2.0 can't be used: its factory raised {line}. Repair"
    with pytest.raises(BrokenPluginError) as caught:
        value_function(make(registry.bind("made")))
    assert str(caught.value).startswith(message)
    assert caught.value.__cause__ is error


def test_a_factory_that_refuses_a_value_is_an_error_of_the_parameter(registry):
    add(registry, "made", even)
    message = r"'made\(power=3\)'.*refuses the parameters \(ValueError: power must be even, got 3\)"
    with pytest.raises(ParameterError, match=message):
        value_function(make(registry.bind("made", power=3)))


def test_ctrl_c_in_a_factory_ends_the_program(registry):
    registry.add(spec("made", failing), ACME, lambda: lambda power=2: failing(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        value_function(make(registry.bind("made")))


def typed(y_true, y_pred, *, weights: np.ndarray = None): ...


def test_a_type_that_cannot_be_checked_is_a_broken_loss_with_its_name(registry):
    add(registry, "typed", typed)
    message = "Loss 'typed' of acme-losses 1.2.0 can't be used: a type in .*ndarray.* can't be"
    with pytest.raises(BrokenPluginError, match=message):
        registry.bind("typed")


@pytest.mark.parametrize(
    "error",
    [
        UnknownLossError,
        AmbiguousLossError,
        BrokenPluginError,
        BlockedPluginError,
        NotInstalledError,
        NotRegisteredError,
    ],
)
def test_code_written_for_keras_catches_a_failed_lookup(error):
    # keras.losses.get("typo") raises a ValueError.
    assert issubclass(error, ValueError)
    assert issubclass(error, LookupError)


def test_losses_are_listed_by_pattern_task_labels_and_plugin(registry):
    add(registry, "sparse_focal", task=("multiclass", "segmentation"), y_true="integer")

    def listed(*args, **kwargs):
        return [entry.spec.name for entry in registry.entries(*args, **kwargs)]

    assert listed() == ["huber", "mean_squared_error", "focal", "quartic", "sparse_focal"]
    assert listed("*focal*") == ["focal", "sparse_focal"]
    assert listed("MSE") == ["mean_squared_error"]
    assert listed(task="segmentation") == ["sparse_focal"]
    assert listed(y_true="integer") == ["sparse_focal"]
    assert listed(plugin="keras") == ["huber", "mean_squared_error"]
    assert listed("binary*", plugin="acme-losses") == ["focal"]


def test_the_loss_for_other_labels_is_found_in_the_same_package(registry):
    add(registry, "sparse_focal", y_true="integer")
    add(registry, "sparse_quartic", y_true="integer")
    add(registry, "sparse_focal", provider=OTHER, y_true="integer")
    assert registry.relative(registry.lookup("focal"), "integer").spec.name == "sparse_focal"
    assert registry.relative(registry.lookup("huber"), "integer") is None


def explode(power: int = 2):
    raise AssertionError(power)


def test_parameters_are_checked_before_anything_is_built(registry):
    add(registry, "made", explode)
    with pytest.raises(ParameterError, match="'power' must be an integer, got 'x'"):
        registry.bind("made", power="x")


def test_a_removed_loss_is_gone(registry):
    registry.remove(registry.lookup("quartic"))
    with pytest.raises(UnknownLossError):
        registry.lookup("quartic")
    add(registry, "quartic", plain)
    assert registry.bind("quartic").params == {}


@pytest.mark.parametrize(
    ("name", "chosen", "rule"),
    [
        ("mse", "keras/mean_squared_error", "A built-in loss keeps its name"),
        ("acme-losses/huber", "acme-losses/huber", "A qualified name means the loss of that"),
        ("quartic", "acme-losses/quartic", "Only one installed package offers it."),
        ("focal", None, "'focal' is offered by acme-losses 1.2.0 and by other-losses 0.3.0."),
        ("nosuch", None, "No loss named 'nosuch'"),
    ],
)
def test_a_resolution_is_explained(registry, name, chosen, rule):
    add(registry, "huber", provider=ACME)
    add(registry, "focal", provider=OTHER)
    resolution = registry.explain(name)
    assert (resolution.chosen and resolution.chosen.qualified_name) == chosen
    assert resolution.rule.startswith(rule)


def test_an_explanation_names_every_offer(registry):
    add(registry, "huber", provider=ACME)
    offers = [entry.qualified_name for entry in registry.explain("huber").offers]
    assert offers == ["acme-losses/huber", "keras/huber"]
