"""A page of somebody else's package: what its losses do stops neither the page nor each other."""

import json
import os
import subprocess
import sys

import pytest
from sites import install

PLUGIN = """
@hookimpl
def lossreg_losses():
    return [spec("cubic"), spec("loud"), spec("broken"), spec("looping"), spec("gone")]
"""

LOSSES = """
from typing import Annotated

from annotated_types import Ge
from lossreg.lazy import ops


def cubic(y_true, y_pred, *, factor: Annotated[float, Ge(0)] = 2.0, offset: float = 0.0):
    error = ops.abs(y_pred - y_true)
    # A value that only Python code can decide on.
    scale = {0.0: 1.0}.get(float(offset), 2.0)
    return ops.mean(factor * scale * error**3 if factor > 1 else error, axis=-1)


def loud(y_true, y_pred):
    print("a word on stdout")
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def broken(y_true, y_pred):
    raise RuntimeError("</script> is what it says")


def looping(y_true, y_pred):
    import jax

    start = ops.mean(ops.square(y_pred - y_true), axis=-1)
    return jax.lax.while_loop(lambda x: x.sum() > 1, lambda x: x / 2, start)
"""


def test_a_strangers_losses_are_drawn_or_listed(tmp_path):
    pytest.importorskip("jax")
    install(tmp_path, PLUGIN, losses=LOSSES)
    done = subprocess.run(
        [sys.executable, "-m", "lossreg", "explore", "acme-losses", "-o", tmp_path / "page.html"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    start = page.index("const LEFT_OUT=") + len("const LEFT_OUT=")
    left_out = dict(json.JSONDecoder().raw_decode(page[start:])[0])
    assert set(left_out) == {f"acme-losses/{name}" for name in ("broken", "looping", "gone")}
    assert "RuntimeError: </script> is what it says" in left_out["acme-losses/broken"]
    assert "gone" in left_out["acme-losses/gone"]
    assert '"id":"acme-losses/loud"' in page
    # A comparison of an open parameter is one in the page, and the other parameter has steps.
    assert "when:p=>" in page
    assert page.count("</script>") == 1
