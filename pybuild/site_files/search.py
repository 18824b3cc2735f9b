"""`search.json`: titles and headings of all pages, for the search of the default look.

Owns its shape: `[[title, url, [[heading, id], …]], …]`, sorted by address. Knows no script.
Source of truth: docs/search.md.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.records import Artifact, Page
from pybuild.site_files import SiteOrder
from pybuild.site_files.selection import listed
from pybuild.urls import encode, page_href

ORIGIN = "[search]"
MANY_BYTES = 2_000_000  # of one file that each reader who searches loads


def search_index(
    pages: Collection[Page], config: Config, order: SiteOrder
) -> Iterator[Artifact | Diagnostic]:
    """Yield `search.json`, also beside an index of every word: the page for what is not found suggests by it.

    Finding: `rule-limit`, a warning, for one that is too large.
    """
    engine = config.settings.search.engine
    if engine == "none" or not (engine or order.has_look):
        return
    rows = (_row(page, config) for page in listed(pages) if page.is_searched)
    body = ("[" + ",\n".join(rows) + "]\n").encode()
    if len(body) > MANY_BYTES and engine != "pagefind":
        message = f"search.json has {len(body)} bytes, which each reader who searches loads"
        hint = 'write [search] engine = "pagefind"'
        yield warning("rule-limit", message, Location(config.file), hint)
    yield Artifact(f"{config.prefix}/search.json"[1:], ORIGIN, body)


def _row(page: Page, config: Config) -> str:
    url = encode(config.site.base_path + page_href(page.url, trailing_slash=config.trailing_slash))
    title = json.dumps(page.title, ensure_ascii=False)
    return f"[{title},{json.dumps(url)},{page.headings or '[]'}]"
