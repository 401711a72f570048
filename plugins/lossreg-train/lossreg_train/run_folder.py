"""The folder of a run: the files that training writes.

A run is written into a folder of its own inside, and its files are moved out when all are whole.
So nothing half-written has the name of a finished file, and an earlier run stays until then.
"""

import contextlib
import csv
import os
import platform
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lossreg.errors import LossregError

_HEADER = "The config of a run, with every default. To repeat the run: lossreg fit "


_UNFINISHED = "unfinished"  # the folder of a run that hasn't ended
_CLAIM = "process"  # the file there that holds the process, while it runs


@dataclass(frozen=True)
class RunFolder:
    """The files of a run.

    Args:
        path: The folder, which `claim` makes.
    """

    path: Path

    @property
    def unfinished(self) -> "RunFolder":
        """The folder inside that the run is written to until it is whole."""
        return RunFolder(self.path / _UNFINISHED)

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
        """The files that exist, and last the config, which tells what the others are."""
        all_files = (self.model, self.history, self.curves, self.config)
        return [file for file in all_files if file.is_file()]

    def check(self, *, force: bool) -> None:
        """Raise an error if writing would destroy something.

        Args:
            force: Whether the files of an earlier run may be replaced.

        Raises:
            LossregError: The folder isn't empty, isn't a folder, belongs to a training that
                runs, or can't be made.
        """
        if link := next(filter(_is_dangling, (self.path, *self.path.parents)), None):
            raise LossregError(
                f"{str(link)!r} is a link to {str(link.readlink())!r}, which doesn't exist. "
                "Remove the link, or name another folder."
            )
        if self.path.exists() and not self.path.is_dir():
            raise LossregError(
                f"{str(self.path)!r} is a file, and a run needs a folder. Name a folder."
            )
        if (self.unfinished.path / _CLAIM).exists():
            raise self._is_claimed()
        if not force and self.path.is_dir() and any(self.path.iterdir()):
            raise self._is_full()
        there = next(path for path in (self.path, *self.path.parents) if path.exists())
        try:
            # Permissions aren't enough to know: root has them all, and can't write to /proc.
            tempfile.TemporaryDirectory(dir=there).cleanup()
        except OSError as error:
            raise LossregError(
                f"The run can't be written into {str(self.path)!r}: {str(there)!r} takes no files "
                f"({error.strerror}). Name another folder."
            ) from error

    def _is_full(self) -> LossregError:
        return LossregError(
            f"The folder {str(self.path)!r} isn't empty, and may hold an earlier run. "
            "Name another folder with -o, or replace that run's files with --force."
        )

    def _is_claimed(self) -> LossregError:
        claim = self.unfinished.path / _CLAIM
        try:
            owner = claim.read_text(encoding="utf-8")
        except OSError:
            owner = ""
        return LossregError(
            f"Another training writes into {str(self.path)!r}: {owner or 'its process is unknown'}."
            f" Name another folder with -o. If that process has died, delete {str(claim)!r}."
        )

    @contextlib.contextmanager
    def claim(self, *, force: bool) -> Iterator["RunFolder"]:
        """Give the folder to write a run to, which no other training can have meanwhile.

        At the end its files take the place of those of an earlier run. After an error the
        earlier run is as it was, and the new one keeps its history and config.

        Args:
            force: Whether the files of an earlier run may be replaced.

        Raises:
            LossregError: Another training has the folder or has filled it, or a file can't be
                written.
        """
        run, made = self.unfinished, not self.path.exists()
        claim = run.path / _CLAIM
        try:
            run.path.mkdir(parents=True, exist_ok=True)
            process = claim.open("x", encoding="utf-8")
        except OSError as error:
            fault = self._is_claimed() if claim.exists() else self._cant_be_written(error)
            raise fault from error
        try:
            with process:
                process.write(f"process {os.getpid()} on {platform.node() or 'this machine'}")
            # Another training may have ended here since the check.
            if not force and {*self.path.iterdir(), *run.path.iterdir()} != {run.path, claim}:
                raise self._is_full()
            for file in run.files:
                file.unlink()
            with run._whole_or_without_model():
                yield run
            for file in run.files:
                file.replace(self.path / file.name)
        except OSError as error:
            raise self._cant_be_written(error) from error
        finally:
            claim.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                # A folder with something in it stays.
                run.path.rmdir()
                if made:
                    self.path.rmdir()

    @contextlib.contextmanager
    def _whole_or_without_model(self) -> Iterator[None]:
        """Remove the files that an error may have cut off."""
        try:
            yield
        except BaseException:
            for file in (self.model, self.curves):
                file.unlink(missing_ok=True)
            raise

    def _cant_be_written(self, error: OSError) -> LossregError:
        kept = [file.name for file in self.unfinished.files]
        rest = f" {' and '.join(kept)} of it are in {str(self.unfinished.path)!r}." if kept else ""
        return LossregError(
            f"The run can't be written into {str(self.path)!r} ({error.strerror or error}).{rest} "
            "Make room, or name another folder."
        )

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
        try:
            with self.config.open("w", encoding="utf-8") as file:
                file.write(f"# {_HEADER}{self.config.name}\n")
                file.write(f"# {note}\n" if note else "")
                yaml.dump(_in_flow(config), file)
        except OSError:
            # Half a config may read as a whole one.
            self.config.unlink(missing_ok=True)
            raise

    def add_epoch(self, row: Mapping[str, float]) -> None:
        """Append an epoch to the history file, which keeps it even if the training fails later."""
        is_new = not self.history.exists()
        # A name may hold half of a character, which UTF-8 can't write.
        with self.history.open(
            "a", newline="", encoding="utf-8", errors="backslashreplace"
        ) as file:
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


def _is_dangling(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


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
