"""A document's HTML as feeds may carry it.

Owns the pass that makes every address absolute and drops what only works on a page. Knows no feed.
Source: RSS Advisory Board, "Really Simple Syndication Best Practices Profile", on relative URLs.
"""

from __future__ import annotations

from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

_ADDRESSES = ("href", "src", "poster", "cite")


def absolute_html(html: str, base: str) -> str:
    """Resolve addresses against `base`, the page's absolute URL; drop permalinks and keyboard attributes."""
    tree = LexborHTMLParser(f"<body>{html}</body>")
    for node in tree.css("a.anchor, script, style"):
        node.decompose()
    for node in tree.css("[tabindex]"):
        del node.attrs["tabindex"]
    for name in _ADDRESSES:
        for node in tree.css(f"[{name}]"):
            node.attrs[name] = urljoin(base, node.attrs[name] or "")
    body = tree.body
    return (body.inner_html or "").strip() if body else ""
