import dataclasses
import sys
import types

import numpy as np
import pytest
from fakes import ACME, KERAS, add, plain

from lossreg import Registry
from lossreg.registry import PluginRecord
from lossreg.registry import examine_plugins as examine

RECORD = PluginRecord(provider=ACME, entry_point="acme", module="acme", state="active")


def findings_of(registry=None, **fields):
    """Return what is found at a plugin with these fields, as "severity: message"."""
    registry = registry or Registry()
    registry.plugins.append(dataclasses.replace(RECORD, **fields))
    return [f"{finding.severity}: {finding.message}" for finding in examine(registry)]


def test_a_sound_plugin_gives_nothing_to_say(tmp_path):
    registry = Registry()
    add(registry, "quartic")
    tmp_path.chmod(0o755)
    assert findings_of(registry, losses=("quartic",), location=str(tmp_path), seconds=0.1) == []


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"state": "broken", "stage": "import", "error": ImportError("no libfoo")},
            "error: It fails to import: ImportError: no libfoo. Repair or update the package.",
        ),
        (
            {"state": "blocked", "rule": "LOSSREG_BLOCK=acme"},
            "note: LOSSREG_BLOCK=acme keeps it from loading.",
        ),
        ({"seconds": 2.04}, "warning: It takes 2.0 s to import, which every listing pays."),
        ({"heavy": ("keras",)}, "warning: Its plugin module imports keras, which every listing"),
    ],
)
def test_what_is_wrong_with_a_plugin_is_said(fields, message):
    (finding,) = findings_of(**fields)
    assert finding.startswith(message)


@pytest.mark.parametrize("version", ["3.11.3", "3.12.3", "3.13.2", "3.14.1", "3.15.0"])
def test_a_keras_with_a_published_hole_is_named(version):
    # 3.12.4 and 3.15.1 are the releases that mend them in their lines.
    provider = dataclasses.replace(KERAS, version=version)
    (finding,) = findings_of(provider=provider)
    assert finding.startswith(f"warning: Keras {version} has published holes")
    assert "Install 3.15.1 or newer, or 3.12.4" in finding


@pytest.mark.parametrize("version", ["", "3.12.4", "3.15.1", "3.16.0", "4.0"])
def test_a_keras_without_a_published_hole_gives_nothing_to_say(version):
    assert findings_of(provider=dataclasses.replace(KERAS, version=version)) == []


def test_a_plugin_in_the_current_directory_is_reported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (finding,) = findings_of(location=str(tmp_path))
    assert finding.startswith(f"warning: It was found in {tmp_path}, the current directory")


def test_a_plugin_in_a_folder_that_others_can_write_to_is_reported(tmp_path):
    tmp_path.chmod(0o775)
    (finding,) = findings_of(location=str(tmp_path))
    assert finding.endswith("which others than its owner can write to.")


def variadic(y_true, y_pred, **kwargs): ...


def test_a_loss_that_cannot_be_used_is_an_error():
    registry = Registry()
    add(registry, "bad", variadic)
    add(registry, "good", plain)
    (finding,) = findings_of(registry, losses=("bad", "good"))
    assert finding.startswith("error: Loss 'bad' of acme-losses 1.2.0 can't be used: it takes '**")


def test_a_loss_module_that_imports_a_framework_is_reported(monkeypatch):
    registry = Registry()

    def load():
        monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch"))
        return plain

    add(registry, "slow")
    entry = registry.lookup("slow")
    registry.remove(entry)
    registry.add(entry.spec, ACME, load)
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    (finding,) = findings_of(registry, losses=("slow",))
    assert finding.startswith("warning: Its loss modules import torch")


def untypeable(y_true, y_pred, *, weights: np.ndarray = None): ...


def test_a_type_that_cannot_be_checked_is_a_finding_and_the_rest_is_examined():
    registry = Registry()
    add(registry, "bad", untypeable)
    add(registry, "worse", variadic)
    found = findings_of(registry, losses=("bad", "worse"))
    assert [message.partition(" of acme")[0] for message in found] == [
        "error: Loss 'bad'",
        "error: Loss 'worse'",
    ]
    assert "a type in (y_true, y_pred, *, weights: numpy.ndarray = None) can't be" in found[0]


def test_metadata_of_other_versions_is_reported(tmp_path):
    tmp_path.chmod(0o755)
    (finding,) = findings_of(location=str(tmp_path), leftovers=("1.0", "1.1"))
    assert finding == (
        f"warning: Metadata of other versions is left in {tmp_path}: 1.0, 1.1. acme-losses 1.2.0 "
        "counts, which is the newest. Install it again: pip install --force-reinstall acme-losses"
    )


@pytest.mark.parametrize("value", ["1", "true", "True"])
def test_keras_2_is_reported_once(monkeypatch, value):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    registry = Registry()
    registry.plugins.append(RECORD)
    (finding,) = findings_of(registry, provider=KERAS)
    assert finding.startswith("warning: Keras 2 is in use (tf_keras, or TF_USE_LEGACY_KERAS")


def test_keras_2_is_reported_where_a_program_has_imported_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_keras", types.ModuleType("tf_keras"))
    (finding,) = findings_of(provider=KERAS)
    assert "Keras 2 is in use" in finding


@pytest.mark.parametrize("value", ["0", "", "no"])
def test_keras_3_is_nothing_to_report(monkeypatch, value):
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", value)
    assert findings_of(provider=KERAS) == []
