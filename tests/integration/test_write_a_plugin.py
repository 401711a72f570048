"""The page for authors of plugins, done as it says: every file, command and program."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import environment
import pytest

pytestmark = pytest.mark.fresh

PAGE = Path(__file__).parents[2] / "docs" / "write-a-plugin.md"
BLOCK = re.compile(
    r"^```(?:\{code-block\} )?(?P<language>\w+)\n"
    r"(?::caption: (?P<file>\S+)\n\n)?(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass
class Reader:
    """Someone who reads the page and does what it says."""

    folder: Path
    variables: dict

    def does(self, command):
        """Type a command and return what it printed."""
        if command.startswith("cd "):
            self.folder = self.folder / command.removeprefix("cd ")
            return ""
        return self.runs("bash", "-euo", "pipefail", "-c", command)

    def runs(self, *command):
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
        return done.stdout


def test_the_page_works_from_its_first_line_to_its_last(tmp_path):
    reader = Reader(tmp_path, environment.make(tmp_path / "env"))
    printed = ""
    after = 0
    page = PAGE.read_text(encoding="utf-8")
    for block in BLOCK.finditer(page):
        language, file, text = block["language"], block["file"], block["text"]
        if file:
            (reader.folder / file).write_text(text, encoding="utf-8")
        elif language == "console":
            for line in text.splitlines():
                if line.startswith("$ "):
                    printed = reader.does(line.removeprefix("$ "))
                else:
                    assert line in printed.splitlines()
        elif language == "python":
            printed = reader.runs("python", "-c", text)
        elif language == "text" and not page[after : block.start()].strip():
            assert text == printed
        after = block.end()
    # A page whose blocks are no longer found would pass.
    assert (reader.folder / "dist" / "acme_losses-0.1.0-py3-none-any.whl").exists()


def test_every_block_of_the_page_is_of_a_kind_that_is_run_or_shown():
    opened = re.findall(r"^```(.+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(opened) <= {
        "console",
        "python",
        "text",
        "toml",
        "{code-block} python",
        "{code-block} toml",
    }
