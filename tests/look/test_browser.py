"""The default look in a browser: what its script adds."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from developing import developed
from incremental import write_site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not CHROMIUM and not os.environ.get("CI"):
    pytest.skip("Chromium is not installed", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
FILES = {
    "pybuild.toml": '[site]\nurl = "https://a.example"\ntitle = "A"\n[build]\ngit_dates = false\n'
    '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
    '[[headers]]\nsource = "/:path*"\nheaders = { Content-Security-Policy = "default-src \'self\'" }\n',
    "content/docs/index.md": "# Docs\n\n## One\n\nText.\n\n## Two\n\nText.\n",
    "content/docs/a.md": "# A\n\nText.\n",
    "content/docs/tabs.md": '# Tabs\n\n=== "pip"\n    With pip.\n\n=== "uv"\n    ## Inside\n\n    With uv.\n\n'
    "Between.\n\n::: tabs\n== pip\nAgain pip.\n\n== uv\nAgain uv.\n:::\n",
}


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sync_api.Page]:
    root = tmp_path_factory.mktemp("look") / "site"
    write_site(root, FILES)
    with developed(root) as server, sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}", color_scheme="light")
        refused: list[str] = []
        page.on(
            "console", lambda message: refused.append(message.text) if "Security" in message.text else None
        )
        yield page
        browser.close()
    assert refused == []


def test_a_scheme_that_was_chosen_stays_on_the_next_page(page: sync_api.Page) -> None:
    page.goto("/docs")
    page.click("[data-pb-toggle]")
    page.goto("/docs/a")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert page.get_attribute("[data-pb-toggle]", "aria-pressed") == "true"
    page.click("[data-pb-toggle]")
    page.goto("/docs")
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light dark"


def shown(page: sync_api.Page) -> list[str]:
    panels = page.locator(".tab:visible")
    return [panels.nth(number).inner_text().split("\n")[-1] for number in range(panels.count())]


def test_tabs_work_by_mouse_keyboard_and_address(page: sync_api.Page) -> None:
    page.goto("/docs/tabs")
    assert shown(page) == ["With pip.", "Again pip."]
    page.get_by_role("tab", name="uv").first.click()
    assert shown(page) == ["With uv.", "Again uv."]  # sets with one label change together
    page.keyboard.press("ArrowLeft")
    assert shown(page) == ["With pip.", "Again pip."]
    assert page.evaluate("document.activeElement.textContent") == "pip"
    page.goto("/docs/tabs#inside")
    page.reload()
    assert shown(page) == ["With uv.", "Again pip."]


def test_without_script_all_panels_are_read(page: sync_api.Page) -> None:
    context = page.context.browser.new_context(
        java_script_enabled=False, base_url=page.url.partition("/docs")[0]
    )
    plain = context.new_page()
    plain.goto("/docs/tabs")
    assert shown(plain) == ["With pip.", "With uv.", "Again pip.", "Again uv."]
    assert plain.locator(".tab-label:visible").all_inner_texts() == ["pip", "uv", "pip", "uv"]
    context.close()
