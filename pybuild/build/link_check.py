"""Internal links held against the finished site.

Owns `broken-link` and `broken-anchor`: what answers, what was meant, how a link is quoted, and whether head tags and
sitemaps spell the address of a page as the site does; and the names of languages that are none. Pure but for the look at
the source for the lines of a link; knows what the export will publish and nothing of how.
Source: RFC 3986 §3.5 for fragments; HTML, "Scrolling to a fragment", for `#top`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit

from pybuild.build.near import Addresses
from pybuild.config.schema import Site
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.files import read
from pybuild.language_tags import language_hint
from pybuild.markdown.rewrite import lines_of
from pybuild.near_words import Words
from pybuild.records import LANGUAGE_NAMES, REDIRECTS, Link, Redirection, unpack_links
from pybuild.render.written import lines_in, spellings
from pybuild.rules.model import Rule, SetHeaders
from pybuild.source.front_matter import FrontMatter, parse
from pybuild.urls import is_external

_CORRECT = "correct the link"
_EXAMPLE = re.compile(r"(?:https?:)?//(example\.(?:com|org|net))(?=[:/?#]|$)", re.I)  # RFC 2606, §3
_ROUTES = "/!"  # how fragments begin that a script reads: `#/pets`
_SPELT = ("canonical", "hreflang", "og:url", "sitemap")  # what names pages to search engines
Places = Callable[[str, str], Sequence[tuple[int, str]]]
"""Takes a file and an href of its page; returns the lines where it is written, and how it is written there."""


@dataclass(frozen=True, slots=True)
class Published:
    """What links are held against."""

    anchors: Mapping[str, str]  # of each page's decoded URL its ids, a line each between line ends
    paths: Collection[str]  # all output files
    rules: Sequence[Rule] = ()
    redirections: Iterable[Redirection] = ()
    address: Callable[[str], str] = str  # a decoded URL as the site spells it, with its host
    ids_in: Callable[[str], str | None] = lambda path: None  # as `anchors`, of a copied HTML file


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with all links to one place."""

    code: str
    subject: str  # what the links lead to, as in `Diagnostic`
    said: str  # what follows the link in a message
    hint: str


class _Answers:
    """What the finished site answers. Each place is looked up once."""

    def __init__(self, published: Published) -> None:
        self._anchors, self._paths = published.anchors, published.paths
        self._address, self._ids_in = published.address, published.ids_in
        self._is_whole_host = urlsplit(published.address("/")).path == "/"  # no base path
        self._rules = [rule for rule in published.rules if not isinstance(rule, SetHeaders)]
        self._moved = frozenset(redirection.url for redirection in published.redirections)
        self._addresses = Addresses(self._anchors, self._paths)
        self._faults: dict[tuple[str, str], _Fault | None] = {}
        self._words: tuple[str, Words] = "", Words(())  # ids of the page that was asked for last

    def fault(self, link: Link) -> _Fault | None:
        """Why a link leads nowhere, or names a page as the site does not; None where it is right."""
        target, fragment = link.target, link.fragment
        if link.named in LANGUAGE_NAMES:
            return _Fault("template-error", "", "is no language tag", language_hint(link.text))
        page = target if target in self._anchors else target.rstrip("/") or "/"
        names_page = link.named.startswith(_SPELT) and is_external(link.text)
        if names_page and (spelt := self._spelt_otherwise(page, link)):
            return spelt
        ids = self._anchors.get(page)
        if ids is None:
            page = target
            is_sought = fragment and fragment[0] not in _ROUTES and not link.file.startswith("public/")
            ids = self._ids_of_file(target) if is_sought else None
        if ids is None:
            if link.named == REDIRECTS:
                return None
            key = target, ""
        elif fragment and link.named in ("", REDIRECTS) and f"\n{fragment}\n" not in ids:
            key = page, fragment
        else:
            return None
        if key not in self._faults:
            self._faults[key] = (
                self._missing(target) if ids is None else self._wrong_anchor(page, fragment, ids)
            )
        return self._faults[key]

    def _ids_of_file(self, target: str) -> str | None:
        """The ids of a copied HTML file that answers; None for other files and where nothing answers."""
        path = target[1:].rstrip("/")
        index = f"{path}/index.html".lstrip("/")
        named = (index, path, path + ".html") if target.endswith("/") else (path, path + ".html", index)
        return self._ids_in(next((name for name in named if name in self._paths), ""))

    def _spelt_otherwise(self, page: str, link: Link) -> _Fault | None:
        """Say how the site spells the address of a page."""
        if page not in self._anchors:
            page = self._addresses.same(page)
            if page not in self._anchors or link.target.endswith(".md"):
                return None
        right = self._address(page)
        written = link.text.partition("#")[0].partition("?")[0]
        if written == right or (page == "/" and written + "/" == right):
            return None
        said = f"is not how this site spells the address of {page}"
        return _Fault("broken-link", "", said, f'write "{right}"')

    def _missing(self, target: str) -> _Fault | None:
        path = target[1:].rstrip("/")
        named = (path, path + ".html", f"{path}/index.html".lstrip("/"), f"{path}/index.json".lstrip("/"))
        if target in self._moved or any(name in self._paths for name in named):
            return None
        if any(rule.source.match(target) is not None for rule in self._rules):
            return None
        hint = f"{_CORRECT}, or make the page"
        folder = target[: target.find("/", 1) + 1]  # "/dotnet/" of "/dotnet/api/x"
        if near := self._addresses.nearest(target):
            hint = f'did you mean "{near}"?'
        elif folder and self._is_whole_host and not self._addresses.has_below(folder):
            hint += f'; where others answer below {folder}, write ignore = ["{folder}**"] below [links]'
        return _Fault("broken-link", target, "leads nowhere", hint)

    def _wrong_anchor(self, page: str, fragment: str, ids: str) -> _Fault | None:
        if fragment.lower() == "top" or fragment.startswith(":~:"):  # a text fragment is no id
            return None
        if self._words[0] != page:
            self._words = page, Words(ids.strip("\n").split("\n"))
        near = self._words[1].nearest(fragment)
        hint = f'did you mean "{near}"?' if near else f"{page} has no such heading; correct the part after #"
        said = f'names the anchor "{fragment}", which {page} lacks'
        return _Fault("broken-anchor", f"{page}#{fragment}", said, hint)


def check_links(
    packed: Iterable[str],
    published: Published,
    first_page_with: Callable[[Link], tuple[str, int]],
    places: Places = lambda file, href: (),
) -> tuple[Diagnostic, ...]:
    """Find links that lead nowhere, and head tags and sitemaps that name a page as the site does not.

    `packed` are links as of `pack_links`. `first_page_with` gives, for a link without a file, that of a page that has
    it, and how many more there are. `places` gives those of an href in a file, for links without a line.
    """
    answers = _Answers(published)
    findings: dict[tuple[str, Location, str], Diagnostic] = {}
    for fields in (fields for text in packed for fields in unpack_links(text)):
        link = Link(*fields)
        if fault := answers.fault(link):
            for found in _placed(
                fault, link, first_page_with, places
            ):  # one of a layout leads elsewhere on each page
                findings.setdefault((found.code, found.location, found.message), found)
    return tuple(findings.values())


def _placed(
    fault: _Fault, link: Link, first_page_with: Callable[[Link], tuple[str, int]], places: Places
) -> Iterator[Diagnostic]:
    """A finding for each line that writes the link; one that code of a template makes has one, at one of its pages."""
    file, notes = link.file, tuple[Note, ...]()
    if not file:
        file, more = first_page_with(link)
        pages = "page" if more == 1 else "pages"
        notes = (Note(f"a template makes it on {more} more {pages}"),) if more else ()
    found = places(file, link.text) if link.line is None else ()
    if not found:
        yield _finding(fault, link, link.text, Location(file, link.line), notes)
    for line, written in found:
        yield _finding(fault, link, written, Location(file, line), notes)


def _finding(
    fault: _Fault, link: Link, written: str, at: Location, notes: tuple[Note, ...] = ()
) -> Diagnostic:
    hint = fault.hint
    if hint == f'did you mean "{link.text}"?':
        hint = f'write {{{{ url_for("{link.text}") }}}}, which puts the base path before it'
    is_plain = fault.code == "broken-link" and not link.named and hint.startswith(_CORRECT)
    if is_plain and (host := _EXAMPLE.match(link.text)):
        hint = (
            f"{_CORRECT}; if {host[1]} is an example there, write the site's own address as url below [site]"
        )
    message = f'{link.named or "the link"} "{link.text if link.named else written}" {fault.said}'
    return Diagnostic(fault.code, message, at, hint, notes, "warning", fault.subject)


def places_in(root: Path, site: Site) -> Places:
    """Look addresses up in the documents below `root`, else in the whole text of a file."""

    @lru_cache(maxsize=64)
    def text_of(file: str) -> FrontMatter | None:
        try:
            return parse(read(f"{root}/{file}"), file)
        except (OSError, ValueError):
            return None

    @lru_cache(maxsize=64)
    def lines(file: str) -> Mapping[str, int]:
        return lines_in(root / file)

    def places(file: str, href: str) -> Sequence[tuple[int, str]]:
        source = text_of(file) if file.endswith((".md", ".markdown")) else None
        if source and (found := lines_of(source.body, href)):
            return [(source.body_line - 1 + line, written) for line, written in found]
        elsewhere = lines(file) if file and not file.startswith("[") else {}
        return [(elsewhere[text], text) for text in spellings(href, site) if text in elsewhere][:1]

    return places
