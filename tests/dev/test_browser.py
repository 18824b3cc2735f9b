"""`pybuild dev` in a browser: what is saved is shown, where the reader was; errors come and go by themselves."""

import os
import shutil
from collections.abc import Iterator

import pytest
from developing import Server, developed
from incremental import change, put, write_site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM and not os.environ.get("CI"):
    pytest.skip("Chromium is not installed", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
WAIT = 30_000  # milliseconds; only a failure waits that long
LONG = "\n".join(f"Line {number} of a long page.\n" for number in range(200))
FILES = {
    "pybuild.toml": '[site]\nurl = "https://a.example"\ntitle = "A"\n[build]\ngit_dates = false\n'
    "[[headers]]\nsource = \"/:path*\"\nheaders = { Content-Security-Policy = \"default-src 'self'; require-trusted-types-for 'script'\" }\n",
    "app/layout.html": '<!doctype html><html lang="en"><head>{{ head }}<link rel="stylesheet" href="/x.css"></head><body>{{ children }}</body></html>',
    "app/page.md": f"# Home\n\nFirst text.\n\n{LONG}",
    "app/code/page.py": "def load(ctx):\n    return {'n': 1}\n",
    "app/code/page.html": "<h1>Number {{ n }}</h1>",
    "app/draft/page.md": "---\ndraft: true\n---\n# A draft\n",
    "public/x.css": "h1 { color: rgb(1, 2, 3); }",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("browser") / "site"
    write_site(root, FILES)
    with developed(root) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator["sync_api.Browser"]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def page(server: Server, browser: "sync_api.Browser") -> Iterator["sync_api.Page"]:
    page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}")
    page.set_default_timeout(WAIT)
    refused: list[str] = []
    page.on(
        "console",
        lambda message: refused.append(message.text) if "Content Security" in message.text else None,
    )
    yield page
    page.close()
    assert refused == []


def until(page: "sync_api.Page", expression: str) -> None:
    """Wait for an expression without evaluating text in the page, which its policy forbids."""
    for _ in range(WAIT // 50):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(50)
    raise AssertionError(f"never true: {expression}")


def test_an_edit_is_shown_where_the_reader_was(server: Server, page: "sync_api.Page") -> None:
    page.goto("/")
    page.evaluate("scrollTo(0, 1500)")
    put(server.root, "app/page.md", FILES["app/page.md"].replace("First", "Second"))
    page.get_by_text("Second text.").wait_for(state="attached")
    until(page, "scrollY === 1500")


def test_an_error_is_shown_and_goes_when_it_is_mended(server: Server, page: "sync_api.Page") -> None:
    page.goto("/code")
    page.get_by_text("Number 1").wait_for()
    put(server.root, "app/code/page.py", "def load(ctx):\n    return {'n': 1 / 0}\n")
    overlay = page.get_by_role("dialog", name="Errors of this page")
    overlay.wait_for()
    said = overlay.inner_text()
    assert "app/code/page.py:2 error[handler-error]" in said
    assert "ZeroDivisionError" in said
    assert overlay.locator(".marked").inner_text().strip() == "2      return {'n': 1 / 0}"
    assert page.get_by_text("Number 1").count() == 1  # the last good page
    put(server.root, "app/code/page.py", "def load(ctx):\n    return {'n': 2}\n")
    page.get_by_text("Number 2").wait_for()
    overlay.wait_for(state="detached")


def test_a_stylesheet_is_put_in_place(server: Server, page: "sync_api.Page") -> None:
    page.goto("/code")
    page.evaluate("window.stays = true")
    put(server.root, "public/x.css", "h1 { color: rgb(4, 5, 6); }")
    until(page, "getComputedStyle(document.querySelector('h1')).color === 'rgb(4, 5, 6)'")
    assert page.evaluate("window.stays") is True


def test_a_draft_is_marked(page: "sync_api.Page") -> None:
    page.goto("/draft")
    page.get_by_text("Draft", exact=True).wait_for()


def test_many_tabs_do_not_stop_each_other(server: Server, browser: "sync_api.Browser") -> None:
    context = browser.new_context(base_url=f"http://127.0.0.1:{server.port}")
    pages = [context.new_page() for _ in range(10)]
    for page in pages:
        page.goto("/draft", timeout=WAIT)
        page.bring_to_front()
    change(server.root, "app/draft/page.md", "# A draft", "# Another draft")
    pages[-1].get_by_role("heading", name="Another draft").wait_for(timeout=WAIT)
    context.close()
