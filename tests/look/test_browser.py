"""The default look in a browser: what its script adds."""

from __future__ import annotations

import os
import re
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
    "content/docs/code.md": "# Code\n\n```python\nprint(1)\n```\n\n## Long\n\n```text\n"
    + "word " * 99
    + "\n```\n\n## End\n",
    "content/docs/cards.md": "# Cards\n\n::: cards\n- [Tabs](tabs.md)\n\n  In all spellings.\n\n- [A](a.md)\n:::\n",
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


FOCUSED = """() => {
  const at = document.activeElement;
  return at === document.body ? "" : [at.localName, at.className, at.innerText].join(" ").replace(/\\s+/g, " ").trim();
}"""
REACHABLE = """() => [...document.querySelectorAll("a[href], button, summary, input, [tabindex='0']")]
  .filter((one) => one.checkVisibility({ visibilityProperty: true }) && one.tabIndex >= 0)
  .map((one) => [one.localName, one.className, one.innerText].join(" ").replace(/\\s+/g, " ").trim())"""


def reached(page: sync_api.Page) -> list[str]:
    """What Tab leads to, from the top of the page to its end."""
    found = []
    for _ in range(200):
        page.keyboard.press("Tab")
        if not (at := page.evaluate(FOCUSED)):
            break
        found.append(at)
    return found


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_tab_reaches_everything_in_the_order_of_the_page(page: sync_api.Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("/docs/code")
    everything = page.evaluate(REACHABLE)
    assert reached(page) == everything
    assert everything[:2] == ["a pb-skip Skip to content", "a pb-brand A"]
    assert [one for one in everything if one.startswith("button pb-copy")] == ["button pb-copy Copy"] * 2


def test_the_skip_link_leads_to_the_text(page: sync_api.Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 800})
    page.goto("/docs/code")
    page.keyboard.press("Tab")
    assert page.locator(".pb-skip").bounding_box()["width"] > 50  # shown while it has the focus
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "pb-main"


@pytest.mark.parametrize("panel", ["[data-pb-menu]", "[data-pb-toc]"])
def test_a_panel_of_the_phone_opens_and_closes_by_keyboard(page: sync_api.Page, panel: str) -> None:
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto("/docs/code")
    page.focus(f"{panel} > summary")
    page.keyboard.press("Enter")
    assert page.evaluate(f"document.querySelector('{panel}').open")
    page.keyboard.press("Tab")
    assert page.evaluate(f"document.activeElement.closest('{panel} a') !== null")
    page.keyboard.press("Escape")
    assert not page.evaluate(f"document.querySelector('{panel}').open")
    assert page.evaluate(f"document.activeElement.matches('{panel} > summary')")


def test_search_works_by_keyboard_and_gives_the_focus_back(page: sync_api.Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 800})
    page.goto("/docs/code")
    page.focus("[data-pb-search]")
    page.keyboard.press("Enter")
    query = page.get_by_role("combobox")
    query.wait_for()
    assert query.evaluate("(input) => input === document.activeElement")
    page.keyboard.type("o")
    page.locator("[role=option]").first.wait_for()
    titles = page.locator("[role=option]").count()
    chosen = [query.get_attribute("aria-activedescendant")]
    for key in ("ArrowDown", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
        chosen.append(query.get_attribute("aria-activedescendant"))
    assert chosen == [f"pb-result-{number}" for number in (0, 1, 0, titles - 1)]
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Close"
    page.keyboard.press("Escape")
    query.wait_for(state="hidden")
    assert page.evaluate("document.activeElement.hasAttribute('data-pb-search')")
    for keys in ("/", "Control+k"):
        page.keyboard.press(keys)
        query.wait_for()
        page.keyboard.press("Escape")
        query.wait_for(state="hidden")
    page.keyboard.press("/")
    query.wait_for()
    page.keyboard.type("tabs")
    page.locator("[role=option]", has_text="Tabs").first.wait_for()
    page.keyboard.press("Enter")
    page.wait_for_url("**/docs/tabs")


def test_scheme_and_copying_work_by_keyboard(page: sync_api.Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto("/docs/code")
    page.focus("[data-pb-toggle]")
    page.keyboard.press("Space")
    assert page.get_attribute("[data-pb-toggle]", "aria-pressed") == "true"
    page.keyboard.press("Space")
    assert page.get_attribute("[data-pb-toggle]", "aria-pressed") == "false"
    page.locator(".pb-copy").first.focus()
    page.keyboard.press("Enter")
    page.locator(".pb-copy", has_text="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == "print(1)"


def asked_by(page: sync_api.Page, address: str) -> set[str]:
    """The files that a page of the export would ask for, without the digests in their names."""
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url.partition("?")[0].rpartition("/")[2]))
    page.goto(address)
    return {re.sub(r"\.[0-9a-f]{10}\.", ".", name) for name in asked} - {"dev.js", "events", "findings.json"}


def test_a_documentation_page_asks_for_few_files(page: sync_api.Page) -> None:
    assert asked_by(page, "/docs/code") - {"icon.svg"} == {"code", "look.css", "look.js"}
    assert asked_by(page, "/docs/tabs") - {"icon.svg"} == {"tabs", "look.css", "more.css", "whole.js"}


@pytest.mark.parametrize(("number", "address"), [(0, "/docs/tabs"), (1, "/docs/a")])
def test_all_of_a_card_is_its_link(page: sync_api.Page, number: int, address: str) -> None:
    page.goto("/docs/cards")
    card = page.locator(".cards > ul > li").nth(number)
    size = card.bounding_box()
    card.click(position={"x": size["width"] - 4, "y": size["height"] - 4})
    page.wait_for_url(f"**{address}")
