"""A loss's documentation in its parts: prose and sections."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Docstring:
    """A Google-style docstring, taken apart.

    Args:
        summary: Its first line.
        text: The prose that follows, in paragraphs.
        sections: The other parts by their headings, such as "Returns".
    """

    summary: str
    text: str
    sections: dict[str, str]


def parse(doc: str) -> Docstring:
    """Return the parts of a docstring, as `inspect.getdoc` returns it.

    >>> parse("Sum.\\n\\nOf two.\\n\\nReturns:\\n    A number.").sections
    {'Returns': 'A number.'}
    """
    summary, _, rest = doc.strip().partition("\n")
    # A heading stands alone on its line and has an indented block below it.
    parts = re.split(r"^([A-Z][A-Za-z ]*):[ \t]*\n(?=[ \t]+\S)", rest, flags=re.MULTILINE)
    sections = {}
    prose = [parts[0].strip()]
    for heading, content in zip(parts[1::2], parts[2::2], strict=True):
        # The block ends where a line isn't indented; that is prose again.
        block = re.match(r"(?:[ \t]+\S.*(?:\n|$)|[ \t]*\n)*", content)
        end = block.end() if block else 0
        sections[heading] = re.sub(r"^ {1,4}", "", content[:end], flags=re.MULTILINE).strip()
        prose.append(content[end:].strip())
    return Docstring(
        summary=summary.strip(), text="\n\n".join(filter(None, prose)), sections=sections
    )


def paragraphs(text: str) -> list[str]:
    """Return paragraphs, each on one line; what is laid out by hand keeps its lines.

    >>> paragraphs("One\\nline.\\n\\n    two\\n    lines")
    ['One line.', '    two\\n    lines']
    """
    found: list[str] = []
    fenced = False
    for paragraph in re.split(r"\n[ \t]*\n", text.strip("\n")):
        laid_out = fenced or bool(re.match(r"[ \t]|```|[-*|>] ", paragraph))
        found.append(paragraph if laid_out else " ".join(paragraph.split()))
        fenced ^= paragraph.count("```") % 2 == 1
    return found


def unit(doc: str) -> str:
    """Return the unit that the section "Returns" begins with, or nothing.

    >>> unit("Mean.\\n\\nReturns:\\n    Squared nats per sample, shape `(batch,)`.")
    'squared nats'
    """
    returned = " ".join(parse(doc).sections.get("Returns", "").split())
    words = re.split(r"\bper sample\b|,|:|\.", returned)[0].strip().replace("`", "")
    return words[:1].lower() + words[1:]
