"""Every link of a committed page leads somewhere, on a code host too; no network is asked."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/zh/*.md", "plugins/*/README.md", "examples/**/*.md")
    for path in ROOT.glob(pattern)
    if path != ROOT / "docs" / "api.md"
)
# A build of the site makes it.
MADE = {ROOT / "docs" / "api.md"}


def prose(path):
    """Return a page without its code."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(r"`[^`\n]*`", "", text)


def anchors(path):
    """Return the anchors of a page's headings, as code hosts and MyST make them."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    kept = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in kept}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_links_of_a_page_lead_somewhere(page):
    text = prose(page)
    lost = []
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?:|mailto:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        if file in MADE:
            continue
        if not file.exists() or (anchor and anchor not in anchors(file)):
            lost.append(target)
    assert lost == []


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_code_host_shows_all_of_a_page(page):
    text = page.read_text(encoding="utf-8")
    # Only a build of the site fills these in.
    assert "[](" not in text
    assert "```{include}" not in text
    assert "{formula}" not in text


def test_no_page_names_an_index_of_packages():
    for page in PAGES:
        assert not re.search(r"https?://[\w.]*(?:pypi|pythonhosted)", page.read_text())
