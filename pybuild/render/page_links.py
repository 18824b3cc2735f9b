"""The links and ids of a finished page, and its document's HTML as feeds may carry it.

Owns which of them are a document's and which its templates', where templates write them; and the pass that makes every
address absolute and drops what only works on a page. Judges nothing, knows no feed.
Source: RSS Advisory Board, "Really Simple Syndication Best Practices Profile", on relative URLs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser

from pybuild.diagnostics import Location
from pybuild.records import Link
from pybuild.render.context import RenderContext
from pybuild.render.documents import RenderedBody
from pybuild.render.job import PageJob
from pybuild.render.page_html import Address, PageHtml, read_html, read_with_base
from pybuild.render.result import link_digest

_VALUE = r"""\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))"""
_SOURCE = re.compile(r"<(?:a|img|source|script|link)\s(?:[^<>]*?\s)??(?:href|src)" + _VALUE, re.I)
_CUT = "\ue000"  # the id of an element in the place of a document
_SOUGHT = 80  # characters: to seek all of a long text takes longer than to compare it where it begins


@dataclass(frozen=True, slots=True)
class KnownText:
    """A document on its page: what need not be read again."""

    html: str  # without its title, which may stand apart
    ids: tuple[str, ...] | None  # of its headings; None where it may have others
    hrefs: frozenset[str]
    markdown: str
    is_found_again: bool = False  # `again` gives the same

    @staticmethod
    def of(body: RenderedBody) -> KnownText:
        """That of a document that was rendered."""
        html = body.result.html
        title, _, rest = html.partition("</h1>")
        hrefs = frozenset(found.href for found in body.found)
        ids = body.result.heading_ids
        if not rest:
            return KnownText(html, ids, hrefs, body.markdown, ids is not None)
        below = ids and ids[len(_HEADING_ID.findall(title)) :]
        return KnownText(rest, below, hrefs, body.markdown, ids is not None and hrefs == _own_hrefs(rest))

    @staticmethod
    def again(html: str, markdown: str) -> KnownText:
        """That of a document without elements of its own, from what was published of it."""
        ids = tuple(map(unescape, _HEADING_ID.findall(html)))
        return KnownText(html, ids, _own_hrefs(html), markdown)


def _own_hrefs(html: str) -> frozenset[str]:
    """What a document without elements of its own links to, but for the links to its headings beside them."""
    return frozenset(hrefs_of(_PERMALINK.sub("", html)))


def read_page(page: str, known: KnownText | None) -> PageHtml:
    """Like `read_html`, but the HTML of a document is not read a second time: its links are left out."""
    if known is None or known.ids is None or _CUT in page or any("%" in ident for ident in known.ids):
        return read_html(page)
    html = known.html
    at = find_text(page, html)
    if at < 0:
        return read_html(page)
    if "<table" in html and "<table" in page[:at].lower():  # the one may end the other
        return read_html(page)
    shell = f'{page[:at]}<p id="{_CUT}"></p>{page[at + len(html) :]}'
    read, base = read_with_base(shell)
    if base or _CUT not in read.ids:  # it is where no element can be
        return read_html(page)
    cut = read.ids.index(_CUT)
    ids = dict.fromkeys((*read.ids[:cut], *known.ids, *read.ids[cut + 1 :]))
    return PageHtml(tuple(ids), read.addresses, (at, at + len(html)))


def find_text(page: str, html: str) -> int:
    """Where a long text begins in a page; -1 where it is not there, or empty."""
    at = page.find(html[:_SOUGHT]) if html else -1
    return at if at >= 0 and page.startswith(html, at) else -1


_PERMALINK = re.compile(r'<a class="anchor" [^<>]*>')
_HEADING_ID = re.compile(r'<h[1-6] id="([^"]*)"')
_HEADING = re.compile(r"<h([2-4])\b[^<>]*?\sid" + _VALUE + r"[^<>]*>(.*?)</h\1\s*>", re.I | re.S)
_TAG = re.compile(r"<a\s[^<>]*class=\"anchor\".*?</a>|<[^<>]*>", re.S)


def headings_of(page: str) -> list[tuple[str, str]]:
    """The headings of a page that have an id: their texts and ids."""
    found = ((match[5], match[2] or match[3] or match[4] or "") for match in _HEADING.finditer(page))
    plain = ((" ".join(unescape(_TAG.sub("", text)).split()), unescape(id_)) for text, id_ in found)
    return [(text, id_) for text, id_ in plain if text and not id_.startswith("pb-")]


def first_heading(page: str) -> str:
    """The text of the first `<h1>`; "" for none."""
    if "<h1" not in page.lower():
        return ""
    found = LexborHTMLParser(page).css_first("h1")
    return " ".join(found.text().split()) if found else ""


def hrefs_of(page: str) -> tuple[str, ...]:
    """Every distinct href and src of a page, in order."""
    values = (found[1] or found[2] or found[3] or "" for found in _SOURCE.finditer(page))
    return tuple(dict.fromkeys(unescape(value) if "&" in value else value for value in values))


def document_links(page: PageJob, body: RenderedBody, here: frozenset[str]) -> Iterator[Link]:
    """The links of a document to hold against the finished site; one within the page to an id of `here` is settled."""
    for link in dict.fromkeys(found.link for found in body.found):
        if link and not (link.target == page.url and (link.fragment in here or not link.fragment)):
            yield link


def template_links(
    context: RenderContext, page: PageJob, read: PageHtml, text: KnownText | None, here: frozenset[str]
) -> tuple[tuple[Link, ...], bytes]:
    """The links that templates and metadata add to a page: those this process did not report yet, and the digests of all."""
    known, markdown = (text.hrefs, text.markdown) if text else (frozenset(), "")
    rooted = context.rooted.setdefault((page.route.template, *page.route.surroundings.layouts), {})
    url, variants, origins = page.url, page.variants, ("/", context.library.links.origin)
    written: dict[str, bool] = {}
    links: list[tuple[Link, bytes]] = []
    for address in read.addresses:
        href, named = address
        if href[:1] == "#" and href[1:] in here and "%" not in href:
            continue
        if named:
            made = _link(context, page, address, is_own=True) if href != page.href else None
        elif href in known:
            continue
        else:
            first = href[: href.find("/", 1) + 1]
            if first not in written:  # so that not each address is sought in the text
                written[first] = first in markdown
            is_own = written[first] and href in markdown
            made = None if is_own else rooted.get(href)
            if made is None:
                made = _link(context, page, address, is_own=is_own)
                if made and not is_own and href.startswith(origins):
                    rooted[href] = made  # the same on each page of these templates, and most have it
        if made is None or (target := made[0].target) in variants:
            continue
        fragment = made[0].fragment
        if named or target != url or (fragment and fragment != "top" and fragment not in here):
            links.append(made)
    return _unreported(context, links)


def _unreported(
    context: RenderContext, links: Sequence[tuple[Link, bytes]]
) -> tuple[tuple[Link, ...], bytes]:
    """Those of some links that this process did not report yet, and the digests of all."""
    digests = [digest for _, digest in links]
    new: tuple[Link, ...] = ()
    if not context.sent.issuperset(digests):
        new = tuple(dict.fromkeys(link for link, digest in links if digest not in context.sent))
        context.sent.update(digests)
    return new, b"".join(digests)


def answer_links(
    context: RenderContext, url: str, addresses: Iterable[Address], at: Location, ids: Sequence[str] = ()
) -> tuple[tuple[Link, ...], bytes]:
    """The links of an answer of the handler at `at`, as of `template_links`; `ids` are those of its HTML."""
    leads, links = context.library.links, list[tuple[Link, bytes]]()
    for text, named in addresses:
        found = leads.led_to(text, url, named=named) if named else leads.follow_from(text, url)
        if found and (named or found[0] != url or found[1] not in ("", "top", *ids)):
            link = Link(*found, at.file, context.line_in(at.file, text) or at.line, text, named)
            links.append((link, link_digest(link)))
    return _unreported(context, links)


def _link(
    context: RenderContext, page: PageJob, address: Address, *, is_own: bool
) -> tuple[Link, bytes] | None:
    """Where an address leads, where it is written, and the digest of both; None for one that leaves the site."""
    found = context.library.links.led_to(address.text, page.url, named=address.named)
    if found is None:
        return None
    file, line = context.written_at(address.text, found[0], page)
    if not file and is_own:
        file = page.origin  # the line is looked for when it leads nowhere
    link = Link(*found, file, line, address.text, address.named)
    return link, link_digest(link)


_IN_FEEDS = ("href", "src", "poster", "cite")


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
    for name in _IN_FEEDS:
        for node in tree.css(f"[{name}]"):
            node.attrs[name] = urljoin(base, node.attrs[name] or "")
    body = tree.body
    return (body.inner_html or "").strip() if body else ""
