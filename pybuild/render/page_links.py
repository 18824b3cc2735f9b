"""The links and ids of a finished page.

Owns the reading of `<a href>` and `id` out of HTML that templates and Markdown made. Judges nothing.
Source: HTML, §13.1.2.3 for attributes.

A document's HTML as feeds may carry it.

Owns the pass that makes every address absolute and drops what only works on a page. Knows no feed.
Source: RSS Advisory Board, "Really Simple Syndication Best Practices Profile", on relative URLs.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from pybuild.records import Link
from pybuild.render.context import RenderContext
from pybuild.render.documents import RenderedBody
from pybuild.render.job import PageJob
from pybuild.render.result import link_digest

_VALUE = r"""\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))"""
# Each begins with letters of one case, which the engine finds many times faster than a class.
_IDS = (
    *(re.compile(rf"{name}(?<=\s{name})" + _VALUE) for name in ("id", "ID", "Id")),
    re.compile(r"<[aA]\s(?:[^<>]*?\s)??[nN][aA][mM][eE]" + _VALUE),
)
_HREF = re.compile(r"<a\s(?:[^<>]*?\s)??href" + _VALUE, re.I)
_SOURCE = re.compile(r"<(?:a|img|source|script|link)\s(?:[^<>]*?\s)??(?:href|src)" + _VALUE, re.I)


def anchors_of(page: str) -> tuple[str, ...]:
    """Every id of a page that a link can name."""
    found = (value for attribute in _IDS for value in _values(attribute, page))
    return tuple(value for value in found if value and "\n" not in value)


_HEADING = re.compile(r"<h([2-4])\b[^<>]*?\sid" + _VALUE + r"[^<>]*>(.*?)</h\1\s*>", re.I | re.S)
_TAG = re.compile(r"<a\s[^<>]*class=\"anchor\".*?</a>|<[^<>]*>", re.S)


def headings_of(page: str) -> list[tuple[str, str]]:
    """The headings of a page that have an id: their texts and ids."""
    found = ((match[5], match[2] or match[3] or match[4] or "") for match in _HEADING.finditer(page))
    plain = ((" ".join(html.unescape(_TAG.sub("", text)).split()), html.unescape(id_)) for text, id_ in found)
    return [(text, id_) for text, id_ in plain if text and not id_.startswith("pb-")]


def hrefs_of(page: str) -> tuple[str, ...]:
    """Every distinct href and src of a page, in order."""
    return tuple(dict.fromkeys(_values(_SOURCE, page)))


def _values(attribute: re.Pattern[str], page: str) -> Iterator[str]:
    """The values of an attribute, quoted or not, in order."""
    for found in attribute.finditer(page):
        yield html.unescape(found[1] or found[2] or found[3] or "")


def document_links(page: PageJob, body: RenderedBody, here: frozenset[str]) -> Iterator[Link]:
    """The links of a document to hold against the finished site; one within the page to an id of `here` is settled."""
    for link in dict.fromkeys(found.link for found in body.found):
        if link and not (link.target == page.url and (link.fragment in here or not link.fragment)):
            yield link


def template_links(
    context: RenderContext, page: PageJob, html: str, body: RenderedBody | None, here: frozenset[str]
) -> tuple[tuple[Link, ...], bytes]:
    """The links that templates add to a page: those that this process did not report yet, and the digests of all."""
    known = {found.href for found in body.found} if body else set()
    markdown = body.markdown if body else ""
    links = []
    for href in dict.fromkeys(_values(_HREF, html)):
        found = context.library.links.follow(href, page.url) if href not in known else None
        if found is None or found[0] in page.variants:
            continue
        target, fragment = found
        if target == page.url and (not fragment or fragment in here or fragment == "top"):
            continue
        links.append(Link(target, fragment, *context.written_at(href, page, markdown), href))
    new = tuple(link for link in links if link not in context.sent)
    context.sent.update((link, link_digest(link)) for link in new)
    return new, b"".join(context.sent[link] for link in links)


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
