"""A document's HTML as feeds may carry it.

Owns the pass that makes every address absolute and drops what only works on a page. Knows no feed.
Source: RSS Advisory Board, "Really Simple Syndication Best Practices Profile", on relative URLs.
"""

from __future__ import annotations

from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

_ADDRESSES = ("href", "src", "poster", "cite")


def absolute_html(html: str, base: str) -> str:
    """Resolve addresses against `base`, the page's absolute URL; drop what a reader of feeds has or cannot use.

    That is: the title above the text, permalinks, scripts, styles, and stops of the Tab key.
    """
    tree = LexborHTMLParser(f"<body>{html}</body>")
    for node in tree.css("a.anchor, script, style"):
        node.decompose()
    for heading in tree.css("h1, h2, h3, h4, h5, h6"):
        heading.inner_html = (heading.inner_html or "").strip()
    first = tree.css_first("body > :first-child")
    if first and first.tag == "h1":
        first.decompose()
    for node in tree.css("[tabindex]"):
        del node.attrs["tabindex"]
    for name in _ADDRESSES:
        for node in tree.css(f"[{name}]"):
            node.attrs[name] = urljoin(base, node.attrs[name] or "")
    body = tree.body
    return (body.inner_html or "").strip() if body else ""
