"""What the handwritten pages say of a loss: when to take it, when not, and its names elsewhere.

The page of a loss repeats it, so that nobody writes it twice. A page says it in three forms: a
table with the columns "Loss" and "Why", a list below "When not:", and a table with the columns
"there" and "here".
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table of a page.

    Args:
        page: The page.
        header: The columns.
        rows: The cells of each row.
    """

    page: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def column(self, name: str) -> int:
        """Return the index of a column, or -1."""
        return self.header.index(name) if name in self.header else -1


@functools.cache
def pages() -> dict[str, str]:
    """Return the handwritten pages by their names."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(HERE.glob("*.md"))}


@functools.cache
def tables() -> list[Table]:
    """Return the tables of all pages."""
    found = []
    for page, text in pages().items():
        for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
            header, _, *rows = ([*map(str.strip, _cells(line))] for line in block.splitlines())
            found.append(
                Table(page=page, header=tuple(header), rows=tuple(tuple(row) for row in rows))
            )
    return found


def _cells(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().strip("|"))


def reasons(name: str) -> list[str]:
    """Return why `choose.md` takes a loss, each reason once."""
    found = []
    for table in tables():
        loss, why = table.column("Loss"), table.column("Why")
        if table.page == "choose.md" and min(loss, why) >= 0:
            found += [row[why] for row in table.rows if _names(row[loss])[:1] == [name]]
    return list(dict.fromkeys(found))


def warnings(name: str) -> list[str]:
    """Return when not to take a loss, from the lists below "When not:"."""
    found = []
    for text in pages().values():
        for block in re.findall(r"^When not:\n\n((?:- .*\n(?:  .*\n)*)+)", text, re.MULTILINE):
            points = (" ".join(point.split()) for point in re.split(r"^- ", block, flags=re.M))
            found += [point for point in points if name in _names(point)]
    return found


def elsewhere(name: str) -> list[tuple[str, ...]]:
    """Return the rows of the tables of other libraries: there, here, and what differs."""
    found = []
    for table in tables():
        here = table.column("here")
        if table.column("there") == 0 and len(table.header) == 3:
            found += [row for row in table.rows if re.search(rf"\b{name}\b\W", row[here])]
    return found


def guide(name: str) -> str | None:
    """Return the page of a collection that says which of its losses to take, or None."""
    for table in tables():
        if table.page in ("choose.md", "tutorials.md", "errors.md") or not table.rows:
            continue
        column = max(table.column("loss"), table.column("name"))
        if column >= 0 and any(name in _names(row[column]) for row in table.rows):
            return table.page
    return None


def _names(text: str) -> list[str]:
    """Return the names at the beginnings of the pieces of code in a text."""
    return [found[1] for found in re.finditer(r"`(?:[^`/]+/)?'?(\w+)[^`]*`", text)]


def moved(text: str) -> str:
    """Return a text of a page in `docs/` for a page two folders deeper."""
    return re.sub(r"\]\((?!https?:|#)", "](../../", text)
