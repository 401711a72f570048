"""An environment of its own, as a reader of the documentation makes one."""

import os
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

import importlib_metadata

_COMMANDS = ("lossreg", "mypy", "pytest")


def make(folder: Path) -> Mapping[str, str]:
    """Make a virtual environment and return the variables that activate it.

    It sees the packages of this one too, so that pip finds Keras and its backend there and
    installs only what a test adds.
    """
    venv.create(folder, with_pip=True)
    outer = sysconfig.get_paths()
    inner = sysconfig.get_paths(vars={"base": str(folder), "platbase": str(folder)})
    # addsitedir, unlike a plain path, also reads the .pth files of editable installs there.
    line = f"import site; site.addsitedir({outer['purelib']!r})\n"
    Path(inner["purelib"], "outer.pth").write_text(line)
    for point in importlib_metadata.entry_points(group="console_scripts"):
        if point.name in _COMMANDS:
            script = Path(inner["scripts"], point.name)
            script.write_text(
                f"#!{folder / 'bin' / 'python'}\nimport sys\n"
                f"from {point.module} import {point.attr}\nsys.exit({point.attr}())\n"
            )
            script.chmod(0o755)
    # The other tools, such as ruff, need not know where they are installed.
    path = [inner["scripts"], str(Path(sys.executable).parent), os.environ["PATH"]]
    dropped = ("PYTHONPATH", "PYTHONHOME")
    variables = {name: value for name, value in os.environ.items() if name not in dropped}
    return {
        **variables,
        "VIRTUAL_ENV": str(folder),
        "PATH": os.pathsep.join(path),
        "PIP_QUIET": "1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
