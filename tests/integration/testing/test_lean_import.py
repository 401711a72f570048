"""A process of the kit imports Keras without packages that Keras can lack."""

import json
import os
import subprocess
import sys

import keras
import pytest
import sites

pytestmark = [
    pytest.mark.fresh,
    pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="JAX imports fewer"),
]

PROGRAM = """
import gc, importlib.util, json, sys
from lossreg.testing import import_keras_lean

import_keras_lean()
assert importlib.util.find_spec("keras") and "keras" not in sys.modules
import keras
extras = ["jax", "matplotlib", "pandas", "sklearn"]
lean = [name for name in extras if name in sys.modules]
finders = [type(finder).__module__ for finder in sys.meta_path]
known = [name for name in extras if importlib.util.find_spec(name)]
value = float(keras.losses.get("mse")([0.0], [2.0]))
print(json.dumps([lean, known, finders, gc.isenabled(), value]))
"""


PLUGIN = """
@hookimpl
def lossreg_losses():
    fields = {"summary": "A.", "task": ("regression",), "y_true": "real", "y_pred": "real"}
    head = f"{__package__}.heads:Twice"
    return [LossSpec(name="good", target=f"{__package__}.losses:good", head=head, **fields)]
"""
HEADS = """
import keras
import pandas

@keras.saving.register_keras_serializable(package="acme-losses")
class Twice(keras.layers.Layer):
    pass
"""
WITH_HEAD = """
import json
import lossreg
from lossreg.testing import import_keras_lean

lossreg.bind("good")
import_keras_lean()
import keras
print(json.dumps(keras.saving.get_registered_object("acme-losses>Twice") is not None))
"""


def run(program, *folders):
    folders = (*folders, *(path for path in sys.path if path))
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def test_a_package_that_is_imported_right_after_keras_may_import_them(tmp_path):
    package = sites.install(tmp_path, PLUGIN)
    (tmp_path / package / "heads.py").write_text(HEADS)
    assert run(WITH_HEAD, tmp_path)


def test_keras_comes_without_extras_and_a_loss_may_import_them_later():
    lean, known, finders, collects, value = run(PROGRAM)
    assert lean == []
    assert {"matplotlib", "pandas"} <= set(known)
    assert "lossreg.testing.lean_import" not in finders
    assert collects
    assert value == 4
