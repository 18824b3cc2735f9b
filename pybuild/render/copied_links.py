"""Where files lead that are published as they are: style sheets, sitemaps and pages of HTML.

Owns which files of a site are read for their links, and the ids in them. Judges nothing.
Source: HTML, "URLs"; CSS Syntax Module Level 3 §4.3.6; sitemaps.org/protocol.html.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

from pybuild.files import read
from pybuild.records import Link
from pybuild.render.handlers import WHOLE_PAGE
from pybuild.render.links import LinkMap
from pybuild.render.page_html import read_html
from pybuild.render.static_links import sitemap_addresses, style_addresses
from pybuild.urls import is_external

_NAMESPACE = "sitemaps.org/schemas/sitemap"


def file_links(links: LinkMap, root: Path, copies: Iterable[tuple[str, str]]) -> Iterator[Link]:
    """What copied files of the site lead to on it; `copies` as in `Plan`."""
    for path, file in copies:
        if not path.endswith((".css", ".htm", ".html", ".xml")):
            continue
        try:
            text = read(f"{root}/{file}").decode("utf-8-sig", "replace")
        except OSError:
            continue  # whoever copies it says so
        if path.endswith(".css"):
            for address, line in style_addresses(text):
                if found := links.follow_from(address, "/" + path):
                    yield Link(*found, file, line, address)
        elif path.endswith((".htm", ".html")):
            yield from _html_links(links, text, "/" + path, file)
        elif _NAMESPACE in text:
            for address, line in sitemap_addresses(text):
                if found := links.own(address):
                    yield Link(found[0], "", file, line, address, "sitemap")


def ids_in_copies(root: Path, copies: Iterable[tuple[str, str]]) -> Callable[[str], str | None]:
    """Give the ids of a copied HTML file by its path, a line each between line ends; None for any other path."""
    sources = {path: file for path, file in copies if path.endswith((".htm", ".html"))}

    @cache
    def ids_in(path: str) -> str | None:
        if path not in sources:
            return None
        try:
            text = read(f"{root}/{sources[path]}").decode("utf-8-sig", "replace")
        except OSError:
            return None  # whoever copies it says so
        return "\n".join(("", *read_html(text).ids, ""))

    return ids_in


def _html_links(links: LinkMap, text: str, url: str, file: str) -> Iterator[Link]:
    """The links of a page, as those of a handler's HTML; of a part of one those that lead to one place from anywhere."""
    read_page = read_html(text)
    is_whole = WHOLE_PAGE.match(text) is not None
    for address, named in read_page.addresses:
        if not (is_whole or named or address.startswith("/") or is_external(address)):
            continue
        found = links.led_to(address, url, named=named) if named else links.follow_from(address, url)
        if found and (named or found[0] != url):
            yield Link(*found, file, None, address, named)
