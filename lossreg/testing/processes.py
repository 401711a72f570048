"""Other Python processes, which know of this one only what is installed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from .results import ConformanceError

SECONDS = 600
"""After this a process counts as hanging; importing Keras alone may take 20."""


def run(module: str, folder: Path, **environment: str) -> Any:
    """Return what the function `main` of a module of ours prints in a fresh process, as JSON.

    Args:
        module: Name of the module.
        folder: What `main` finds in `sys.argv[1]`.
        environment: Variables that differ from those of this process.

    Raises:
        ConformanceError: The process fails or hangs.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-c", f"from {module} import main; main()", str(folder)],
            env={**os.environ, "PYTHONPATH": paths, **environment},
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ConformanceError(f"A fresh process hangs for {SECONDS} s.") from error
    if done.returncode != 0:
        raise ConformanceError(f"A fresh process fails: {done.stderr.strip()[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])
