"""The loss explorer's page in the system's Chromium."""

import shutil
import time

import pytest
from chromium import BUILD, drawn

from lossreg.explorer import explorer_page

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def page_file():
    """The page of all installed packages; its time and size are printed."""
    BUILD.mkdir(parents=True, exist_ok=True)
    start = time.perf_counter()
    text = explorer_page().html
    seconds = time.perf_counter() - start
    file = BUILD / "explorer.html"
    file.write_text(text, encoding="utf-8")
    print(f"\nThe explorer of all packages: {seconds:.0f} s, {len(text.encode()) / 1000:.0f} KB")
    return file


@pytest.fixture(scope="session")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("Chromium isn't installed: apt-get install -y chromium")
    with api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser, page_file):
    """Return a function that opens the page; nothing may fail in it, and nothing be asked for."""
    contexts, faults = [], []

    def open_it(state="", *, file=page_file, width=1280, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on(
            "request",
            lambda request: faults.append(request.url) if "file:" not in request.url[:5] else None,
        )
        page.goto(f"{file.as_uri()}{state}")
        drawn(page)
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert faults == []
