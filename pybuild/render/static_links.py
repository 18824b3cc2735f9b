"""Addresses in style sheets and sitemaps, and those in files that are published as they are.

Owns the reading of `url()`, `@import` and `<loc>`, and which files of a site are read for them. Judges nothing.
Sources: CSS Syntax Module Level 3 §4.3.6 and §4.3.7; sitemaps.org/protocol.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import unescape
from pathlib import Path

from pybuild.files import read
from pybuild.records import Link
from pybuild.render.links import LinkMap

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_ADDRESS_OF_STYLE = re.compile(
    r"""\burl\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|((?:[^\s"'()\\]|\\.)*))\s*\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')""",
    re.I,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.I | re.S)
_NAMESPACE = "sitemaps.org/schemas/sitemap"
_ADDRESS_OF_SITEMAP = re.compile(
    r'<loc>([^<]*)</loc>|<image:loc>([^<]*)</image:loc>|<xhtml:link\b[^<>]*?\bhref="([^"]*)"'
)


def style_addresses(text: str) -> Iterator[tuple[str, int]]:
    """The addresses that a style sheet loads, each with its line."""
    plain = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    line, last = 1, 0
    for found in _ADDRESS_OF_STYLE.finditer(plain):
        address = _ESCAPE.sub(_character, next(filter(None, found.groups()), "")).strip()
        line, last = line + plain.count("\n", last, found.start()), found.start()
        if address and not address.startswith("#"):  # a part of the page that uses it
            yield address, line


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1], 16) if escape[1] else 0
    return chr(code) if 0 < code < 0x110000 else escape[2] or "\ufffd"


def sitemap_addresses(text: str) -> Iterator[tuple[str, int]]:
    """The addresses that a sitemap or an index of sitemaps names, each once, with its line."""
    seen: set[str] = set()
    line, last = 1, 0
    for found in _ADDRESS_OF_SITEMAP.finditer(text):
        address = unescape(found[1] or found[2] or found[3] or "").strip()
        line, last = line + text.count("\n", last, found.start()), found.start()
        if address and address not in seen:
            seen.add(address)
            yield address, line


def file_links(links: LinkMap, root: Path, copies: Iterable[tuple[str, str]]) -> Iterator[Link]:
    """What style sheets and sitemaps of the site lead to on it; `copies` as in `Plan`."""
    for path, file in copies:
        if not path.endswith((".css", ".xml")):
            continue
        try:
            text = read(f"{root}/{file}").decode("utf-8-sig", "replace")
        except OSError:
            continue  # whoever copies it says so
        if path.endswith(".css"):
            for address, line in style_addresses(text):
                if found := links.follow_from(address, "/" + path):
                    yield Link(*found, file, line, address)
        elif _NAMESPACE in text:
            for address, line in sitemap_addresses(text):
                if found := links.own(address):
                    yield Link(found[0], "", file, line, address, "sitemap")
