"""A process of the kit imports Keras without packages that Keras can lack."""

import json
import os
import subprocess
import sys

import keras
import pytest

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


def test_keras_comes_without_extras_and_a_loss_may_import_them_later():
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        capture_output=True,
        text=True,
        check=True,
    )
    lean, known, finders, collects, value = json.loads(result.stdout.splitlines()[-1])
    assert lean == []
    assert {"matplotlib", "pandas"} <= set(known)
    assert "lossreg.testing.lean_import" not in finders
    assert collects
    assert value == 4
