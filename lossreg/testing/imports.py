"""Which modules of a plugin import a framework: found out in a process that has none."""

import functools
import importlib
import importlib.abc
import importlib.machinery
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from ..registry import FRAMEWORKS
from .reload import run_main
from .results import error_of
from .subject import Suite


def find_faults(suite: Suite) -> dict[str, str]:
    """Return what goes wrong with each module of a plugin that a process imports by itself."""
    targets = {subject.spec.target.partition(":")[0]: None for subject in suite.subjects.values()}
    with tempfile.TemporaryDirectory() as folder:
        modules = [*suite.modules, *targets]
        (Path(folder) / "modules.json").write_text(json.dumps(modules), encoding="utf-8")
        found: dict[str, str] = run_main(__name__, Path(folder))
    return found


class _Refusal(importlib.abc.MetaPathFinder):
    """Refuses to import a framework, and remembers which one was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol's
        target: ModuleType | None = None,  # noqa: ARG002 - the protocol's
    ) -> importlib.machinery.ModuleSpec | None:
        if name in FRAMEWORKS:
            self.asked.append(name)
            raise ImportError(f"{name} is not to be imported here")
        return None


def main() -> None:
    """Import what `modules.json` lists, and print what goes wrong."""
    modules = json.loads((Path(sys.argv[1]) / "modules.json").read_text(encoding="utf-8"))
    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    found = {}
    for module in modules:
        refusal.asked.clear()
        error = error_of(functools.partial(importlib.import_module, module))
        if refusal.asked:
            found[module] = f"an import of {refusal.asked[0]}"
        elif error is not None:
            found[module] = f"{type(error).__name__}: {error}"
    print(json.dumps(found))
