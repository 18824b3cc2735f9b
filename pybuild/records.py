"""What an export makes: files for the output, and what is known of each page.

Owns the values that the phases after rendering pass on. Reads and writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pybuild.compact import CompactDict, indexed
from pybuild.plain import codec_of

Headers = tuple[tuple[str, str], ...]
_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Artifact:
    """One file for the output: its bytes, or the file to copy."""

    path: str  # POSIX, relative to the output, NFC
    origin: str  # the site file or, in brackets, the output that made it: "app/a/route.py", "[sitemap]"
    body: bytes = b""
    source: Path | None = None  # copied instead of `body`
    media_type: str = ""  # full Content-Type; "" when the file's suffix says it all
    headers: Headers = ()
    digest: str = ""  # of the published file that stays, instead of `body`


@dataclass(frozen=True, slots=True)
class File:
    """A file that has been staged; what the manifest keeps of it."""

    path: str
    origin: str
    digest: str  # sha256 of the bytes, hexadecimal
    size: int  # bytes
    url: str = ""  # the decoded URL that answers with it, where that is not "/" + path
    media_type: str = ""
    headers: Headers = ()
    page: bool = False  # counted by the shrink guard


FILE = codec_of(File)
Files = Mapping[str, File]  # by path


def by_path(files: Iterable[File]) -> CompactDict[File]:
    """Files by their paths, sorted by them. Of two with one path the last counts."""
    return indexed(files, "path")


@dataclass(frozen=True, slots=True)
class Page:
    """What the rest of the site may know of one produced page, without its body."""

    url: str  # decoded, starts with "/", never ends with one (but "/")
    href: str  # absolute and encoded, as browsers are given it
    path: str  # of the HTML file
    title: str
    variant: str = ""  # absolute, encoded URL of the Markdown variant; "" when there is none
    variant_path: str = ""
    description: str = ""
    date: str = ""  # RFC 3339 with offset; "" when unknown
    updated: str = ""  # RFC 3339 with offset; last significant change; "" when unknown
    language: str = ""  # BCP 47; "" is the site's own
    locale: str = ""  # the language of the site that it belongs to; "" is the default
    authors: tuple[str, ...] = ()  # `Jo` or `Jo <jo@example.com>`
    guid: str = ""  # from front matter; "" means the href
    tags: tuple[str, ...] = ()
    collection: str = ""  # name of the collection it came from, or ""
    group: str = ""  # innermost route group, or ""
    indexed: bool = True  # False: robots says noindex; left out of sitemap, feeds and llms.txt
    alternates: tuple[tuple[str, str], ...] = ()  # (hreflang, absolute URL), sorted
    images: tuple[str, ...] = ()  # absolute URLs for the sitemap
    headings: str = ""  # JSON: texts and ids of those below the title, of a page that is searched
    is_searched: bool = False
    in_sitemap: bool = True
    in_llms: bool = True
    content: str = ""  # HTML with absolute links; only kept for pages that a feed will show
    file: str = ""  # the source the author edits
    line: int | None = None

    @property
    def author(self) -> str:
        """The first of its authors."""
        return self.authors[0] if self.authors else ""


PAGE = codec_of(Page)


LANGUAGE_NAMES = ("lang", "hreflang")  # as in `Link.named`; what they name is no address but a language
REDIRECTS = "the redirect to"  # as in `Link.named`; that something answers there is asked where all rules are


@dataclass(frozen=True, slots=True)
class Link:
    """A link found in a page, to be held against the finished site."""

    target: str  # decoded site URL without base path, starts with "/"
    fragment: str  # decoded, without "#"; "" when there is none
    file: str  # where the author wrote it; "" where code of a template makes it
    line: int | None
    text: str  # as written
    named: str = ""  # what names it, where that is no link: "canonical", "hreflang de", "sitemap()"


def pack_links(links: Iterable[Link]) -> str:
    """Write links as one text, a tenth of the size; "" for none."""
    packed: dict[str, list[tuple[str, str, int | None, str, str]]] = {}
    for link in links:
        packed.setdefault(link.file, []).append(
            (link.target, link.fragment, link.line, link.text, link.named)
        )
    return _written(packed) if packed else ""


def unpack_links(text: str) -> Iterator[tuple[str, str, str, int | None, str, str]]:
    """Read the fields of each link, in the order of `Link`. Raises `ValueError` for what was not packed."""
    packed = json.loads(text) if text else {}
    for file, links in packed.items():
        for target, fragment, line, written, named in links:
            yield target, fragment, file, line, written, named


@dataclass(frozen=True, slots=True)
class Redirection:
    """A redirect that a handler or a page answered with."""

    url: str  # decoded source
    location: str  # as returned
    status: int
    file: str
    line: int | None
    headers: Headers = ()  # besides the Location; names in lower case


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was published last; the only licence to delete."""

    files: tuple[File, ...] = field(default=())  # sorted by path

    @property
    def pages(self) -> int:
        return sum(file.page for file in self.files)
