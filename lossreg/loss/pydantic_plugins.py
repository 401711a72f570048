"""What pydantic does on its first model: it reads the entry points of every package."""

import contextlib
import functools
import os
from importlib.metadata import distributions
from typing import Any


@functools.cache
def prepare_pydantic() -> None:
    """Let pydantic load its plugins, whatever state the packages are in.

    It tries once. A damaged file makes it fail, and then the next model works; a pipe would make
    it wait for ever, and then it loads none.
    """
    from pydantic import create_model

    for distribution in distributions():
        # A finder of somebody's may have distributions without a path.
        path: Any = getattr(distribution, "_path", None)
        file = path and path / "entry_points.txt"
        if file and file.exists() and not file.is_file():
            os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    with contextlib.suppress(Exception):
        create_model("Empty")
