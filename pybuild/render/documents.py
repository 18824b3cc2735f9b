"""Documents and collections as site code and templates see them.

Owns `Document`, which reads and renders its body when it is asked for, and the `collection` function.
Knows no layout. The library of the running export is set once a process, before site code runs.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from html import escape
from typing import Any, overload
from urllib.parse import unquote

from markupsafe import Markup

from pybuild.config.languages import locale_name
from pybuild.config.loader import Config
from pybuild.diagnostics import Location, did_you_mean
from pybuild.files import read
from pybuild.look.strings import text
from pybuild.markdown.directives import Components
from pybuild.markdown.finish import Heading
from pybuild.markdown.renderer import MarkdownRenderer, MarkdownResult
from pybuild.render.links import Asset, Home, LinkMap, Resolved
from pybuild.render.nav_nodes import NavNode
from pybuild.render.user_code import Stop
from pybuild.source.document import Entry
from pybuild.source.front_matter import FrontMatter, parse
from pybuild.source.includes import Included, may_include, with_includes
from pybuild.source.lists import terms_of
from pybuild.source.site_lists import KeptLists, SiteLists

_FAR_EAST = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_TAG = re.compile(r"<[a-z][\w-]*\s(?:[^\"'<>]|\"[^\"]*\"|'[^']*')*>", re.I)
_ID = re.compile(r"\s(?:id|name)=(?:\"[^\"]*\"|'[^']*')")
_KEPT = 256  # rendered bodies a process remembers


@dataclass(frozen=True, slots=True)
class RenderedBody:
    """A rendered document and what its links lead to."""

    markdown: str  # as it is written
    text: str  # with what it includes
    result: MarkdownResult
    links: Mapping[str, Resolved]  # by href as written
    found: tuple[Resolved, ...]  # each link with its line, in order
    first: Location = Location()  # of the text in its file
    places: tuple[tuple[str, int], ...] = ()  # of the lines of the text, where it includes others

    @property
    def source(self) -> str:
        """The text for a Markdown variant."""
        return self.text if self.result.source is None else self.result.source

    def location(self, line: int) -> Location:
        """Where an author edits a line of the text, 1-based."""
        if self.places:
            return Location(*self.places[min(line, len(self.places)) - 1])
        return Location(self.first.file, (self.first.line or 1) - 1 + line)


class DocumentIndex:
    """Every document of the site, and the means to render one."""

    def __init__(
        self,
        collections: Mapping[str, Sequence[Entry]],
        mounts: Mapping[str, tuple[str, str]],
        renderer: MarkdownRenderer,
        links: LinkMap,
        kept: KeptLists | None = None,
    ) -> None:
        """`mounts` maps a collection to its folder and to the decoded URL that folder stands for."""
        self._renderer = renderer
        self._mounts = mounts
        self.components: Components | None = None  # what directives become; set once there are templates
        self.links = links
        bases = {name: base for name, (_, base) in mounts.items()}
        self.lists = SiteLists(links.config, collections, bases, links.pages, kept)
        self.used: dict[Asset, None] = {}  # files that the page in work names
        self.page_url = ""  # decoded, of the page that is being made; "" while none is
        self.locale = ""  # the language of what is being made; "" is the default
        self.words_locale = ""  # that of its words: the default inside a text that is not translated
        self._words: dict[tuple[str, str], str] = {}
        self._bodies: OrderedDict[tuple[str, str], RenderedBody] = OrderedDict()
        self.collections = {
            name: DocumentCollection(name, entries, self) for name, entries in collections.items()
        }
        self._configs = {code: links.config.in_language(code) for code in ("", *links.config.languages[1:])}

    def begin(self, page_url: str, locale: str) -> None:
        """Begin a job; `page_url` is decoded, "" for one that makes no page."""
        self.page_url, self.locale, self.words_locale = page_url, locale, locale

    @property
    def config(self) -> Config:
        """The configuration in the language of what is being made."""
        return self._configs[self.locale]

    @property
    def text_config(self) -> Config:
        """The configuration in the language of the text in work."""
        return self._configs[self.words_locale]

    def words(self, name: str, value: object = None, *, locale: str | None = None) -> str:
        """The words of a name in the language of what is being made, or in another. Raises `LookupError` for none."""
        asked = self.words_locale if locale is None else locale, name
        if value is None and asked in self._words:
            return self._words[asked]
        config = self._configs[asked[0]]
        known, default = config.settings.languages.known, self.links.config.site.language
        own = [known[code].strings if code in known else {} for code in (config.site.language, default)]
        found = text(config.site.language, name, value, own)
        if value is None:
            self._words[asked] = found
        return found

    def locale_of(self, language: str) -> str:
        """A language of the settings as a locale: "" for the default one. Raises `LookupError` for any other."""
        known = self.links.config.languages or (self.links.config.site.language,)
        if language not in known:
            hint = did_you_mean(language, known) or f"the languages are {', '.join(known)}"
            raise LookupError(f'the site has no language "{language}"; {hint}')
        return language if language != known[0] else ""

    def collection(self, name: str, language: str | None = None) -> DocumentCollection:
        """A collection in the language of what is being made, in another, or with `"*"` in all of them.

        Raises `LookupError` for an unknown name.
        """
        known = [c for c in self.collections if not self.links.config.settings.collections[c].locale]
        if name not in known:
            hint = did_you_mean(name, known) or "see [collections]"
            raise LookupError(f'there is no collection "{name}"; {hint}')
        if language == "*":
            names = [locale_name(name, locale) for locale in self._configs]
            every = [entry for name in names for entry in self.lists.entries(name) if not entry.is_fallback]
            return DocumentCollection(name, sorted(every, key=lambda entry: entry.segments), self)
        locale = self.locale if language is None else self.locale_of(language)
        return self.collections[locale_name(name, locale)]

    def body(self, entry: Entry, url: str) -> RenderedBody:
        """Read and render a document for the page at `url`; the last few are remembered."""
        key = (entry.file, url)
        if key not in self._bodies:
            self._bodies[key] = self._render(entry, url)
            if len(self._bodies) > _KEPT:
                self._bodies.popitem(last=False)
        return self._bodies[key]

    def text(self, entry: Entry, url: str) -> str:
        """The Markdown of a document with what it includes; it is not rendered for this."""
        known = self._bodies.get((entry.file, url))
        return known.text if known else self._source(entry)[1].text

    def _source(self, entry: Entry) -> tuple[FrontMatter, Included]:
        data = read(f"{self.links.config.root}/{entry.file}")
        source = parse(data, entry.file)
        if not may_include(data):
            return source, Included(source.body)
        included = with_includes(self.links.config, entry.file, source.body, source.body_line)
        if included.findings:
            raise Stop(*included.findings)
        return source, included

    def _render(self, entry: Entry, url: str) -> RenderedBody:
        source, included = self._source(entry)
        text, links = included.text, included.links
        home = home_of(entry, url, self._mounts, self.locale)
        found: list[Resolved] = []
        known: dict[str, Resolved] = {}

        def resolve(href: str, is_picture: bool) -> str:
            if href not in known:
                file, written = links.get(href, (home.file, href))  # as a file that is included has it
                own = home if file == home.file else replace(home, file=file)
                known[href] = self.links.resolve(written, None, own)
            found.append(known[href])
            return known[href].href

        around = self.words_locale
        if entry.collection:  # its components speak its language, on whatever page it is shown
            self.words_locale = "" if entry.is_fallback else entry.locale
        result = self._renderer.render(text, resolve=resolve, components=self.components, words=self.label)
        self.words_locale = around
        first = Location(entry.file, source.body_line)
        return RenderedBody(source.body, text, result, known, tuple(found), first, included.places)

    def markup(self, text: str) -> str:
        """Render a text that no document holds, by the settings of the site."""

        def resolve(href: str, is_picture: bool) -> str:
            return self.links.href(unquote(href)) if href.startswith("/") else href

        shown = self._renderer.render(text, resolve=resolve, components=self.components, words=self.label)
        return shown.html

    def label(self, name: str) -> str:
        """What a part of a text is called in the language of what is being made: `note` → `Hinweis`."""
        try:
            return self.words(f"label_{name}")
        except LookupError:
            return name.capitalize()

    def picture(self, entry: Entry, href: str) -> Resolved:
        """The address of a picture that front matter names, and its file for the output."""
        url = entry.url or "/"
        home = home_of(entry, url, self._mounts, self.locale)
        found = self.links.resolve(href, entry.lines.get("cover"), home)
        if found.asset:
            self.used[found.asset] = None
        return found

    def assets(self, body: RenderedBody) -> tuple[Asset, ...]:
        return tuple(dict.fromkeys(r.asset for r in body.found if r.asset))


def _without_ids(html: str, url: str) -> str:
    """HTML for a page of another address, where two documents may stand: links within it lead to its own page."""

    def written(tag: re.Match[str]) -> str:
        return _ID.sub("", tag[0]).replace(' href="#', f' href="{escape(url)}#')

    return _TAG.sub(written, html)


def home_of(entry: Entry, url: str, mounts: Mapping[str, tuple[str, str]], locale: str = "") -> Home:
    """Where a document is and answers; `mounts` as for a library, `locale` is that of the page."""
    default = mounts.get(entry.collection.partition("@")[0])
    mount = default if entry.is_fallback else mounts.get(entry.collection)
    folder, base = mount or (entry.file.rpartition("/")[0], url)
    locale = entry.locale if entry.collection else locale
    return Home(entry.file, url, folder, base, locale, default if default and locale else ("", ""))


class Document:
    """One Markdown document. `markdown`, `html`, `toc` and `excerpt` are read when asked for."""

    __slots__ = ("_entries", "_index", "_library", "_url")

    def __init__(self, entries: Sequence[Entry], index: int, library: DocumentIndex, url: str = "") -> None:
        """The document at `index` of `entries`. A page that is not its entry's says its decoded `url`."""
        self._entries = entries
        self._index = index
        self._library = library
        self._url = url

    @property
    def entry(self) -> Entry:
        """Read each time: a list of all documents must not hold what they say."""
        return self._entries[self._index]

    @property
    def index(self) -> int:
        """Its place in the collection."""
        return self._index

    @property
    def slug(self) -> str:
        """`"a/b"`; `""` for the collection's own index."""
        return self.entry.slug

    @property
    def segments(self) -> list[str]:
        """`["a", "b"]`."""
        return list(self.entry.segments)

    @property
    def url(self) -> str:
        """As browsers are given it: encoded, with the base path and the trailing slash of the site."""
        return self._library.links.href(self._url or self.entry.url)

    @property
    def title(self) -> str:
        return self.entry.title

    @property
    def description(self) -> str:
        return self.entry.description

    @property
    def date(self) -> datetime | None:
        return self.entry.date

    @property
    def updated(self) -> datetime | None:
        return self.entry.updated

    @property
    def tags(self) -> list[str]:
        return list(self.entry.tags)

    @property
    def language(self) -> str:
        """The language of its text."""
        entry, config = self.entry, self._library.links.config
        return config.site.language if entry.is_fallback or not entry.locale else entry.locale

    @property
    def draft(self) -> bool:
        return self.entry.draft

    @property
    def meta(self) -> Mapping[str, Any]:
        """All front matter."""
        return self.entry.meta

    @property
    def body(self) -> RenderedBody:
        entry = self.entry
        return self._library.body(entry, self._url or entry.url)

    @property
    def markdown(self) -> str:
        """The source below the front matter."""
        return self.body.markdown

    @property
    def html(self) -> Markup:
        html, own, here = self.body.result.html, self._url or self.entry.url, self._library.page_url
        return Markup(_without_ids(html, self.url) if own and here and own != here else html)

    @property
    def toc(self) -> tuple[Heading, ...]:
        return self.body.result.toc

    @property
    def excerpt(self) -> str:
        """Plain text of the first paragraph."""
        return self.body.result.excerpt

    @property
    def authors(self) -> list[str]:
        """The names of `authors` or `author`."""
        return list(terms_of(self.entry, "authors"))

    @property
    def cover(self) -> str:
        """The address of its picture as browsers are given it; "" without one."""
        found = self._cover
        return found.href if found else ""

    @property
    def cover_href(self) -> str:
        """The absolute address of its picture."""
        found = self._cover
        return found.absolute if found else ""

    @property
    def _cover(self) -> Resolved | None:
        entry = self.entry
        named = entry.meta.get("cover")
        return self._library.picture(entry, named) if isinstance(named, str) and named else None

    @property
    def reading_time(self) -> int:
        """Minutes, at least 1: 220 words or 400 characters of Chinese, Japanese and Korean each."""
        text = self._library.text(self.entry, self._url or self.entry.url)
        far_east = 0 if text.isascii() else len(_FAR_EAST.findall(text))
        words = len((_FAR_EAST.sub(" ", text) if far_east else text).split())
        return max(1, round(words / 220 + far_east / 400))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Document) and other.entry.file == self.entry.file

    def __hash__(self) -> int:
        return hash(self.entry.file)

    def __repr__(self) -> str:
        return f"<Document {self.entry.file}>"


def with_url(document: Document, url: str) -> Document:
    """A document as the page at a decoded URL shows it."""
    return Document(document._entries, document._index, document._library, url)


class DocumentCollection:
    """The documents of one collection, sorted by path. They are made when they are asked for, and not kept."""

    def __init__(self, name: str, entries: Sequence[Entry], library: DocumentIndex) -> None:
        self.name = name
        self._entries = entries
        self._library = library

    @cached_property
    def _places(self) -> dict[str, int]:
        return {entry.slug: index for index, entry in enumerate(self._entries)}

    @cached_property
    def _shown(self) -> Sequence[int]:
        """The documents but those that stand in for a translation, which have no place in lists."""
        if not self._library.links.config.settings.collections[self.name].locale:
            return range(len(self._entries))
        return [index for index, entry in enumerate(self._entries) if not entry.is_fallback]

    def __iter__(self) -> Iterator[Document]:
        return map(self._document, self._shown)

    def __len__(self) -> int:
        return len(self._shown)

    @overload
    def __getitem__(self, index: int) -> Document: ...
    @overload
    def __getitem__(self, index: slice) -> list[Document]: ...
    def __getitem__(self, index: int | slice) -> Document | list[Document]:
        places = self._shown[index]
        return self._document(places) if isinstance(places, int) else list(map(self._document, places))

    def _document(self, index: int) -> Document:
        return Document(self._entries, index, self._library)

    @property
    def tree(self) -> tuple[NavNode, ...]:
        """The documents by their folders, in the order in which they are read."""
        return tuple(NavNode(node, self) for node in self._library.lists.navigation(self.name).roots)

    def href(self, url: str) -> str:
        """A decoded URL as browsers are given it."""
        return self._library.links.href(url)

    def link(self, href: str) -> str:
        """A link of the settings as browsers are given it."""
        return self.href(href) if href.startswith("/") and not href.startswith("//") else href

    def numbered(self, index: int) -> Document:
        """The document of an index."""
        return self._document(index)

    def get(self, slug: str | Sequence[str], default: Document | None = None) -> Document | None:
        """The document at `"a/b"` or `["a", "b"]`, else `default`."""
        index = self._places.get(slug if isinstance(slug, str) else "/".join(slug))
        return default if index is None else self._document(index)


class _Current:
    library: DocumentIndex | None = None


def set_current_index(library: DocumentIndex) -> None:
    """Make `library` the one that `collection` reads in this process."""
    _Current.library = library


def collection(name: str, *, language: str | None = None) -> DocumentCollection:
    """The collection of that name in the settings, in the language of the page that asks, in handlers the default.

    `language` names another one, `"*"` all. Raises `LookupError` for an unknown name or language.
    """
    if _Current.library is None:
        raise LookupError(f'collection("{name}") can only be read while pybuild runs the site')
    return _Current.library.collection(name, language)
