"""Docstrings of losses: their prose, sections, arguments and units.

Nothing here imports a loss or prints.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Docstring:
    """A Google-style docstring in parts.

    Args:
        summary: The first line.
        text: The prose after it, without the sections.
        sections: The other parts by their headings, such as "Returns".
    """

    summary: str
    text: str
    sections: dict[str, str]


def parse_docstring(doc: str) -> Docstring:
    r"""Return the parts of a docstring, as `inspect.getdoc` returns it.

    >>> parse_docstring("Sum.\n\nOf two.\n\nReturns:\n    A number.").sections
    {'Returns': 'A number.'}
    """
    summary, _, rest = doc.strip().partition("\n")
    # A heading is alone on its line, with an indented block below it.
    parts = re.split(r"^([A-Z][A-Za-z ]*):[ \t]*\n(?=[ \t]+\S)", rest, flags=re.MULTILINE)
    sections = {}
    prose = [parts[0].strip()]
    for heading, content in zip(parts[1::2], parts[2::2], strict=True):
        # The block ends at a line that isn't indented, which is prose again.
        block = re.match(r"(?:[ \t]+\S.*(?:\n|$)|[ \t]*\n)*", content)
        end = block.end() if block else 0
        sections[heading] = re.sub(r"^ {1,4}", "", content[:end], flags=re.MULTILINE).strip()
        prose.append(content[end:].strip())
    return Docstring(
        summary=summary.strip(), text="\n\n".join(filter(None, prose)), sections=sections
    )


def paragraphs(text: str) -> list[str]:
    r"""Return the paragraphs of a string, each on one line. Code, lists and tables keep theirs.

    >>> paragraphs("One\nline.\n\n    two\n    lines")
    ['One line.', '    two\n    lines']
    """
    found: list[str] = []
    fenced = False
    for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n")):
        laid_out = fenced or bool(re.match(r"[ \t]|```|[-*|>] ", paragraph))
        found.append(paragraph if laid_out else " ".join(paragraph.split()))
        fenced ^= paragraph.count("```") % 2 == 1
    return found


def unit(doc: str) -> str:
    r"""Return the unit at the beginning of the section "Returns", or an empty string.

    >>> unit("Mean.\n\nReturns:\n    Squared nats per sample, shape `(batch,)`.")
    'squared nats'
    """
    returned = " ".join(parse_docstring(doc).sections.get("Returns", "").split())
    words = re.split(r"\bper sample\b|,|:|\.", returned)[0].strip().replace("`", "")
    return words[:1].lower() + words[1:]


def documented_arguments(doc: str) -> dict[str, str]:
    r"""Return the description of each argument in a Google-style docstring.

    >>> documented_arguments("Sum.\n\nArgs:\n    a: First,\n        always.\n    b: Second.")
    {'a': 'First, always.', 'b': 'Second.'}
    """
    section = parse_docstring(doc).sections.get("Args", "")
    entries = re.split(r"^(\w+)(?: \([^)]*\))?:", section, flags=re.MULTILINE)[1:]
    return {
        name: " ".join(text.split()) for name, text in zip(entries[::2], entries[1::2], strict=True)
    }
