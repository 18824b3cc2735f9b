"""Pages of the default look as axe-core judges them: on a phone and a desk, by day and by night, with nothing cut off."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import harness
import pytest
from developing import developed
from harness import run_command
from incremental import write_site

ROOT = Path(__file__).parents[2]
AXE = ROOT / ".tools/node_modules/axe-core/axe.min.js"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
if not (CHROMIUM and AXE.is_file()) and not os.environ.get("CI"):
    pytest.skip("Chromium or axe-core is not installed", allow_module_level=True)
sync_api = pytest.importorskip("playwright.sync_api")
STARTERS = {
    "docs": ("/", "/docs", "/docs/guides/write-a-page", "/none"),
    "blog": ("/", "/blog", "/blog/hello", "/blog/tags", "/blog/tags/news"),
    "api": ("/docs",),
}
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft" * 2
EVERYTHING = f"""---
title: Everything
description: All that Markdown of documentation has.
date: 2025-02-03
author: Jo Reuel
tags: [One, Two]
---

A claim.[^1] A word of some length: {LONG} and `{LONG}`.

## Tabs and code {{#tabs}}

=== "pip"

    ```sh title="in a shell" linenums="1" {{2}}
    pip install anvil --with a-very-long-option --and another --which-is-wider-than-any-phone-and-most-desks
    anvil --version
    ```

=== "uv"

    ```python ins={{1}} del={{2}}
    print("a", 1, None)  # a comment
    print("b")
    ```

## Notes and lists

> [!WARNING]
> Mind the thumb.

::: tip
A tip.
:::

- [x] done
- [ ] to do

| Station | Height | | |
|---|--:|---|---|
| Port Averil with a name of some length | 2.4 | {LONG} | {LONG} |

::: details Why a hammer?
Because.
:::

::: steps
1. Take the hammer.
2. Hit.
:::

::: cards
- [Home](/)

  The first page.
:::

$$\\int_0^1 x^2\\,dx + {" + ".join(f"x_{{{n}}}^2" for n in range(40))}$$

Term
: What it means.

[^1]: The source.
"""
SETTINGS = """[site]
url = "https://a.example"
title = "A site with a title of some length, as people do write them"
[markdown]
math = true
[theme]
accent = "#ffd400"
links = [{ label = "Documentation", url = "/docs" }, { label = "One more", url = "https://example.org" }]
[languages]
default = "en"
[languages.ar]
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
tags = "/docs/tags/[tag]"
authors = "/docs/authors/[author]"
"""
ALL_KINDS = {
    "pybuild.toml": SETTINGS,
    "content/docs/index.md": "# Documentation\n\n[Everything](deep/everything.md).\n",
    "content/docs/deep/everything.md": EVERYTHING,
    "content/docs/deep/more.md": "---\ntags: [one]\n---\n# More\n\n## A\n\nText.\n\n## B\n\nText.\n",
}
PAGES = ("/", "/docs/deep/everything", "/docs/deep/more", "/docs/tags", "/ar/docs/deep/everything")
VIEWS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]
VIEWS = VIEWS if harness.LONG else VIEWS[1:3]  # by night on the phone, by day on the desk
FAULTS = """async () => [
  ...(document.documentElement.scrollWidth > innerWidth ? ["wider than the window"] : []),
  ...(await axe.run({ resultTypes: ["violations"] })).violations
    .flatMap((fault) => fault.nodes.map((node) => `${fault.id}: ${node.html.slice(0, 200)}`)),
]"""


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


def faults(page: sync_api.Page) -> list[str]:
    """All that is wrong with the page in any view."""
    page.evaluate(AXE.read_text("utf-8"))
    found = []
    for width, scheme in VIEWS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        found += [f"{width} {scheme} {fault}" for fault in page.evaluate(FAULTS)]
        if page.locator("[data-pb-menu] > summary").is_visible():
            page.evaluate("document.querySelector('[data-pb-menu]').open = true")
            found += [f"{width} {scheme} with its menu {fault}" for fault in page.evaluate(FAULTS)]
    return found


def judged(browser: sync_api.Browser, root: Path, addresses: tuple[str, ...]) -> dict[str, list[str]]:
    with developed(root) as server:
        page = browser.new_page(base_url=f"http://127.0.0.1:{server.port}")
        page.set_default_timeout(60_000)
        found = {}
        for address in addresses:
            page.goto(address)
            found[address] = faults(page)
        page.goto(addresses[0])
        if page.locator("[data-pb-search]").is_visible():
            page.keyboard.press("/")
            page.get_by_role("combobox").wait_for()
            page.keyboard.type("e")
            page.locator("[role=option]").first.wait_for()
            found["search"] = faults(page)
        page.close()
    return {address: one for address, one in found.items() if one}


@pytest.mark.parametrize("name", STARTERS)
def test_a_starter(name: str, browser: sync_api.Browser, tmp_path: Path) -> None:
    assert run_command(tmp_path, "new", str(tmp_path / "site"), "--template", name).code == 0
    assert judged(browser, tmp_path / "site", STARTERS[name]) == {}


def test_pages_with_everything(browser: sync_api.Browser, tmp_path: Path) -> None:
    write_site(tmp_path / "site", ALL_KINDS)
    assert judged(browser, tmp_path / "site", PAGES) == {}
