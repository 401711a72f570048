"""The cells of a comparison, and the folder that holds a result file for each.

A cell is one loss on one fold with one seed. Its key is a hash of everything that decides its
result, and names its file. A file is whole or absent, so a comparison that was killed goes on
with the cells that have none.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

_KEY_LENGTH = 32  # digits of a key: 128 bits


def fingerprint(data: Any) -> str:
    """Return a hash of data, in which the order of keys doesn't matter."""
    text = json.dumps(data, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()[:_KEY_LENGTH]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One training: a loss, the samples and the seed.

    Args:
        work: The key of the work that it belongs to.
        loss: The loss as data.
        providers: The packages of the loss, with their versions.
        rate: What the learning rate of the optimizer is multiplied by.
        repeat: Which drawing of the folds.
        fold: Which fold of it.
        seed: Decides the initial weights and the order of the samples.
    """

    work: str
    loss: Mapping[str, Any]
    providers: tuple[str, ...]
    rate: float
    repeat: int
    fold: int
    seed: int

    @cached_property
    def key(self) -> str:
        """The name of its result."""
        names = ("work", "loss", "providers", "rate", "repeat", "fold", "seed")
        return fingerprint({name: getattr(self, name) for name in names})


Result = Mapping[str, Any]
"""The result of a cell as JSON has it. `status` is "done" or "failed"."""


@dataclass(frozen=True)
class Results:
    """The result files of a folder.

    Args:
        path: The folder. It is made when the first result is written.
    """

    path: Path

    def read(self, key: str) -> Result | None:
        """Return the result of a key, or None if there is no whole one."""
        try:
            result = json.loads(self._file(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            # Another program may have cut it off. The cell is trained again.
            return None
        return result if isinstance(result, dict) and result.get("key") == key else None

    def write(self, key: str, result: Result) -> None:
        """Write the result of a key, so that nobody ever sees a part of it."""
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".unfinished-{os.getpid()}")
        try:
            with unfinished.open("w", encoding="utf-8") as opened:
                json.dump({**result, "key": key}, opened)
                opened.flush()
                # A machine that loses its power may keep the name and lose the content.
                os.fsync(opened.fileno())
            unfinished.replace(file)
        finally:
            unfinished.unlink(missing_ok=True)

    def remove_unfinished(self) -> None:
        """Remove what killed processes left."""
        for file in self.path.glob("*/*.unfinished-*"):
            with contextlib.suppress(OSError):
                file.unlink()

    def __iter__(self) -> Iterator[Result]:
        """Yield every result in the folder, of this comparison and of others."""
        for file in sorted(self.path.glob("*/*.json")):
            if (result := self.read(file.stem)) is not None:
                yield result

    def _file(self, key: str) -> Path:
        # A folder of 100,000 files is slow to list.
        return self.path / key[:2] / f"{key}.json"
