"""The folder of a run: the files that training writes."""

import csv
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossreg.errors import LossregError

_HEADER = "The config of a run, with every default. To repeat the run: lossreg fit "


@dataclass(frozen=True)
class RunFolder:
    """The files of a run.

    Args:
        path: The folder, which `claim` makes.
    """

    path: Path

    @property
    def config(self) -> Path:
        """The config that repeats the run."""
        return self.path / "config.yaml"

    @property
    def history(self) -> Path:
        """A row for each epoch."""
        return self.path / "history.csv"

    @property
    def curves(self) -> Path:
        """The history as a picture."""
        return self.path / "curves.png"

    @property
    def model(self) -> Path:
        """The trained model."""
        return self.path / "model.keras"

    @property
    def files(self) -> list[Path]:
        """The files that exist."""
        all_files = (self.model, self.history, self.curves, self.config)
        return [file for file in all_files if file.is_file()]

    def check(self, *, force: bool) -> None:
        """Raise an error if writing would destroy something.

        Args:
            force: Whether the files of an earlier run may be replaced.

        Raises:
            LossregError: The folder isn't empty, isn't a folder, or can't be made.
        """
        if self.path.exists() and not self.path.is_dir():
            raise LossregError(
                f"{str(self.path)!r} is a file, and a run needs a folder. Name a folder."
            )
        if not force and self.path.is_dir() and any(self.path.iterdir()):
            raise LossregError(
                f"The folder {str(self.path)!r} isn't empty, and may hold an earlier run. "
                "Name another folder with -o, or replace that run's files with --force."
            )
        there = next(path for path in (self.path, *self.path.parents) if path.exists())
        try:
            # Permissions aren't enough to know: root has them all, and can't write to /proc.
            tempfile.TemporaryDirectory(dir=there).cleanup()
        except OSError as error:
            raise LossregError(
                f"The run can't be written into {str(self.path)!r}: {str(there)!r} takes no files "
                f"({error.strerror}). Name another folder."
            ) from error

    def claim(self) -> None:
        """Make the folder, and remove the files of an earlier run."""
        self.path.mkdir(parents=True, exist_ok=True)
        for file in self.files:
            file.unlink()

    def write_config(self, config: Mapping[str, Any], note: str = "") -> None:
        """Write the config that repeats the run.

        Args:
            config: The config.
            note: A comment for the first lines, if there is one.
        """
        from ruamel.yaml import YAML

        yaml = YAML()
        # ruamel.yaml writes nothing for None, which looks like a forgotten value.
        yaml.representer.add_representer(type(None), _null)
        yaml.width = 100
        yaml.indent(mapping=2, sequence=4, offset=2)
        with self.config.open("w", encoding="utf-8") as file:
            file.write(f"# {_HEADER}{self.config.name}\n")
            file.write(f"# {note}\n" if note else "")
            yaml.dump(_in_flow(config), file)

    def add_epoch(self, row: Mapping[str, float]) -> None:
        """Append an epoch to the history file, which keeps it even if the training fails later."""
        is_new = not self.history.exists()
        with self.history.open("a", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(row), lineterminator="\n")
            if is_new:
                writer.writeheader()
            writer.writerow(row)

    def relative(self, file: Path) -> str:
        """Return the path of a file relative to this folder, for the config in it."""
        try:
            return Path(os.path.relpath(file, self.path)).as_posix()
        except ValueError:
            # Windows has no relative path to another drive.
            return str(file.resolve())


def _null(representer: Any, value: None) -> Any:
    del value
    return representer.represent_scalar("tag:yaml.org,2002:null", "null")


def _in_flow(value: Any) -> Any:
    """Return a config whose lists of plain values are written on one line."""
    from ruamel.yaml.comments import CommentedSeq

    if isinstance(value, Mapping):
        return {key: _in_flow(entry) for key, entry in value.items()}
    if isinstance(value, list):
        entries = CommentedSeq(map(_in_flow, value))
        if not any(isinstance(entry, dict | list) for entry in value):
            entries.fa.set_flow_style()
        return entries
    return value
