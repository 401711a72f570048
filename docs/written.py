"""Markdown that a page is made of: tables, links to papers, formulas."""

import itertools
import re

from formulas import is_formula


def table(header: list[str], rows: list[list[str]]) -> list[str]:
    """Return the lines of a Markdown table."""
    cells = [header, ["---"] * len(header), *([escaped(cell) for cell in row] for row in rows)]
    return [f"| {' | '.join(row)} |" for row in cells]


def escaped(text: str) -> str:
    """Return a text that Markdown takes as it is, `code` and line breaks apart."""
    parts = re.split(r"(`[^`]*`|<br>)", text)
    plain = (re.sub(r"([<*|])", r"\\\1", part) for part in parts[::2])
    code = (part.replace("|", r"\|") for part in parts[1::2])
    return "".join(itertools.chain(*itertools.zip_longest(plain, code, fillvalue="")))


def linked(text: str) -> str:
    """Return a text whose papers are links."""
    return re.sub(r"arXiv:(\d{4}\.\d{4,5})", r"[arXiv:\1](https://arxiv.org/abs/\1)", text)


def typeset(text: str) -> str:
    """Return a text whose formulas are typeset; other code stays code."""

    def role(found: re.Match[str]) -> str:
        code = " ".join(found[1].split())
        return f"{{formula}}`{code}`" if is_formula(code) else found[0]

    return re.sub(r"`([^`]+)`", role, text)
