"""Addresses in style sheets and sitemaps.

Owns the reading of `url()`, `@import` and `<loc>`. Knows no file and judges nothing.
Sources: CSS Syntax Module Level 3 §4.3.6 and §4.3.7; sitemaps.org/protocol.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)", re.S)
_ADDRESS_OF_STYLE = re.compile(
    r"""\burl\(\s*(?:"([^"\n]*)"|'([^'\n]*)'|((?:[^\s"'()\\]|\\.)*))\s*\)|@import\s+(?:"([^"\n]*)"|'([^'\n]*)')""",
    re.I,
)
_ESCAPE = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.I | re.S)
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
