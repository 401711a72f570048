"""The built site: its search, its links, its size, and what a reader without eyes or network has.

`make docs` runs it, with the folder of the site in `LOSSREG_SITE`.
"""

import collections
import functools
import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from lossreg.registry import discover

pytestmark = pytest.mark.skipif(
    "LOSSREG_SITE" not in os.environ, reason="'make docs' builds the site and tests it."
)
SITE = Path(os.environ.get("LOSSREG_SITE", ".")).resolve()
PAGES = [path for path in sorted(SITE.rglob("*.html")) if "LOSSREG_SITE" in os.environ]
ENTRIES = discover().entries()
LARGEST = 500_000  # bytes of a page


class Page(HTMLParser):
    """What the tests below ask of a page."""

    def __init__(self, path):
        super().__init__()
        self.links, self.ids, self.levels, self.images = [], collections.Counter(), [], []
        self.language, self.sources = None, []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        if "id" in found:
            self.ids[found["id"]] += 1
        if tag == "html":
            self.language = found.get("lang")
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        if tag == "img":
            self.images.append(found.get("alt"))
        if tag == "svg" and "curves" in found.get("class", ""):
            self.images.append(found.get("aria-label"))
        if tag in ("script", "link", "img", "iframe") and tag != "a":
            self.sources += [found[name] for name in ("src", "href") if name in found]


@functools.cache
def read(path):
    return Page(path)


def index():
    text = (SITE / "searchindex.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("Search.setIndex(").removesuffix(")"))


def search(found, words):
    """Return the pages that Sphinx' search finds for words: those that have each of them."""
    from sphinx.search.en import SearchEnglish

    language = SearchEnglish({})
    pages = None
    for word in language.split(words):
        # So does the search of the site.
        if word.lower() in language.stopwords:
            continue
        stem = language.stem(word.lower())
        numbers = set()
        for table in ("terms", "titleterms"):
            hits = found[table].get(stem, [])
            numbers |= set(hits) if isinstance(hits, list) else {hits}
        pages = numbers if pages is None else pages & numbers
    return {found["docnames"][number] for number in pages or ()}


def test_the_search_finds_a_loss_by_each_of_its_names():
    found = index()
    lost = [
        (entry.qualified_name, name)
        for entry in ENTRIES
        for name in (*entry.spec.names, "".join(map(str.capitalize, entry.spec.name.split("_"))))
        if f"losses/{entry.qualified_name}" not in search(found, name)
    ]
    assert lost == []


@pytest.mark.parametrize(
    ("words", "loss"),
    [
        ("imbalanced", "lossreg-focal/focal"),
        ("imbalanced data", "lossreg-imbalance/logit_adjusted"),
        ("long tail", "lossreg-imbalance/balanced_softmax"),
        ("rare classes", "lossreg-imbalance/weighted_binary_crossentropy"),
        ("label noise", "lossreg-noise/active_passive"),
        ("noisy labels", "lossreg-noise/generalized_crossentropy"),
        ("outliers", "keras/huber"),
        ("bounding boxes", "lossreg-detection/giou"),
        ("embeddings", "lossreg-metric/triplet_semihard"),
        ("prediction intervals", "lossreg-regression/pinball"),
        ("ratings", "lossreg-ordinal/coral"),
    ],
)
def test_the_search_finds_a_loss_by_the_words_of_a_reader(words, loss):
    assert f"losses/{loss}" in search(index(), words)


@pytest.mark.parametrize(
    "message", ["can't be taken", "takes y_pred before y_true", "keeps it from loading"]
)
def test_the_search_finds_an_error_by_its_message(message):
    assert "errors" in search(index(), message)


def test_every_link_within_the_site_leads_somewhere():
    lost = []
    for path in PAGES:
        for link in read(path).links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not target.is_file() or (
                anchor and target.suffix == ".html" and not read(target).ids[anchor]
            ):
                lost.append((path.name, link))
    assert lost == []


def test_no_page_is_large():
    assert {path.name: size for path in PAGES if (size := path.stat().st_size) > LARGEST} == {}


def test_no_page_needs_the_network():
    asked = {source for path in PAGES for source in read(path).sources}
    assert [source for source in asked if urlsplit(source).netloc] == []


def test_every_picture_says_what_it_shows():
    without = [path.name for path in PAGES if not all(read(path).images)]
    assert without == []


def test_every_page_has_a_language_one_title_and_headings_in_order():
    for path in PAGES:
        page = read(path)
        assert page.language, path
        if path.name in ("genindex.html", "search.html"):
            continue
        assert page.levels.count(1) == 1, path
        steps = [later - level for level, later in zip(page.levels, page.levels[1:], strict=False)]
        assert all(step <= 1 for step in steps), path


def test_no_page_has_an_id_twice():
    twice = {
        path.name: name for path in PAGES for name, count in read(path).ids.items() if count > 1
    }
    assert twice == {}
