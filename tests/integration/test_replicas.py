"""Two replicas evaluate to, and learn, what one device does."""

import json
import pathlib
import subprocess
import sys

import keras
import pytest
from tolerances import EACH_OTHER

pytestmark = [
    pytest.mark.fresh,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="MirroredStrategy is TensorFlow's"
    ),
]


def test_values_and_gradients_of_two_replicas_are_those_of_one_device():
    program = pathlib.Path(__file__).with_name("replicas.py")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["replicas"] == 2
    # Values and weights are at most about 1, so that this is relative to them.
    assert {loss: d for loss, d in found["differences"].items() if d > EACH_OTHER} == {}
