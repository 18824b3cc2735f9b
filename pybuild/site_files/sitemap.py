"""`sitemap.xml`: every page a crawler should know.

Owns the XML of sitemaps and sitemap indexes and their limits. Knows no page source and no host.
Sources: sitemaps.org/protocol.html; Google Search Central, "Image sitemaps" and "Localized versions".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pybuild.config.loader import Config, locate_text
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.records import Artifact, Page
from pybuild.site_files.selection import changed, listed, url_filter, with_itself
from pybuild.site_files.xml_text import escape
from pybuild.urls import absolute

MAX_URLS = 50_000  # in one file, and files in one index
MAX_BYTES = 52_428_800  # of one file, uncompressed
MAX_LOC = 2048  # characters; a location must be shorter
MAX_IMAGES = 1000  # of one page
ORIGIN = "[sitemap]"

_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
_EXTENSIONS = {
    "xhtml": "http://www.w3.org/1999/xhtml",
    "image": "http://www.google.com/schemas/sitemap-image/1.1",
    "video": "http://www.google.com/schemas/sitemap-video/1.1",
}
_FRAME_BYTES = 512  # more than the declaration and the root element take


@dataclass(frozen=True, slots=True)
class Entry:
    """One `<url>`."""

    loc: str  # absolute, encoded
    lastmod: str = ""  # W3C datetime
    changefreq: str = ""
    priority: str = ""
    alternates: tuple[tuple[str, str], ...] = ()  # (hreflang, absolute URL)
    images: tuple[str, ...] = ()  # absolute URLs
    videos: tuple[str, ...] = ()  # finished `<video:video>` elements


def sitemap(
    pages: Collection[Page], config: Config, *, max_urls: int = MAX_URLS, max_bytes: int = MAX_BYTES
) -> Iterator[Artifact | Diagnostic]:
    """Yield `sitemap.xml`, or past the limits `sitemap-1.xml` … and `sitemap.xml` as their index.

    Pages that say noindex, the 404 page and those that `sitemap.exclude` matches are left out. `lastmod`
    is written only where a date is known. Finding: `rule-limit` (a warning) for an address too long to list.
    """
    if not config.settings.sitemap.enabled:
        return
    excluded = url_filter(config.settings.sitemap.exclude)
    for glob in config.settings.sitemap.exclude:
        if not any(map(url_filter((glob,)), (page.url for page in pages))):
            message, hint = f'sitemap.exclude "{glob}" matches no page', "correct it, or delete it"
            yield warning("config-error", message, locate_text(config, ("sitemap", "exclude"), glob), hint)

    def chosen() -> Iterator[Page]:
        return (page for page in listed(pages) if page.in_sitemap and not excluded(page.url))

    yield from (_too_long(page) for page in chosen() if len(page.href) >= MAX_LOC)
    entries = (_entry(page, config) for page in chosen() if len(page.href) < MAX_LOC)
    held: list[tuple[str, str]] = []
    for number, (body, newest, is_last) in enumerate(_parts(entries, max_urls, max_bytes), 1):
        if number == 1 and is_last:
            yield Artifact("sitemap.xml", ORIGIN, body)
            return
        path = f"sitemap-{number}.xml"
        held.append((absolute(config.site.url, "/" + path), newest))
        yield Artifact(path, ORIGIN, body)
    yield Artifact("sitemap.xml", ORIGIN, index_document(held))


def _too_long(page: Page) -> Diagnostic:
    return warning(
        "rule-limit",
        f"the address of {page.title!r} has {len(page.href)} characters; sitemaps take fewer than {MAX_LOC}",
        Location(page.file, page.line),
        "shorten the names of its folders",
    )


def _entry(page: Page, config: Config) -> Entry:
    return Entry(
        page.href,
        changed(page),
        alternates=with_itself(page.alternates, page.language or config.site.language, page.href),
        images=page.images[:MAX_IMAGES],
    )


def _parts(entries: Iterable[Entry], max_urls: int, max_bytes: int) -> Iterator[tuple[bytes, str, bool]]:
    """Yield (document, newest lastmod or "", whether it is the last), one document in memory at a time."""
    held: list[str] = []
    dates: list[str] = []
    size = _FRAME_BYTES
    for entry in entries:
        text = url_element(entry)
        length = len(text.encode())
        if held and (len(held) == max_urls or size + length > max_bytes):
            yield urlset_document(held), newest(dates), False
            held, dates, size = [], [], _FRAME_BYTES
        held.append(text)
        dates.append(entry.lastmod)
        size += length
    yield urlset_document(held), newest(dates), True


def newest(dates: Iterable[str]) -> str:
    """The latest of W3C datetimes, or `""` when one is unknown: a guess would tell crawlers to stay away."""
    known = list(dates)
    return max(known, key=datetime.fromisoformat) if known and all(known) else ""


def url_element(entry: Entry) -> str:
    """Write one `<url>`; the extensions stand last, as the schema asks."""
    plain = {"lastmod": entry.lastmod, "changefreq": entry.changefreq, "priority": entry.priority}
    return "".join(
        (
            f"<url><loc>{escape(entry.loc)}</loc>",
            *(f"<{name}>{escape(text)}</{name}>" for name, text in plain.items() if text),
            *(
                f'<xhtml:link rel="alternate" hreflang="{escape(code)}" href="{escape(href)}"/>'
                for code, href in entry.alternates
            ),
            *(f"<image:image><image:loc>{escape(url)}</image:loc></image:image>" for url in entry.images),
            *entry.videos,
            "</url>\n",
        )
    )


def urlset_document(elements: Iterable[str]) -> bytes:
    """Frame finished `<url>` elements; only the namespaces in use are declared."""
    body = "".join(elements)
    used = "".join(f' xmlns:{name}="{uri}"' for name, uri in _EXTENSIONS.items() if f"<{name}:" in body)
    return f'{_DECLARATION}<urlset xmlns="{_NAMESPACE}"{used}>\n{body}</urlset>\n'.encode()


def index_document(parts: Iterable[tuple[str, str]]) -> bytes:
    """Write a sitemap index of (absolute URL, lastmod or `""`)."""
    rows = "".join(
        f"<sitemap><loc>{escape(loc)}</loc>{f'<lastmod>{lastmod}</lastmod>' if lastmod else ''}</sitemap>\n"
        for loc, lastmod in parts
    )
    return f'{_DECLARATION}<sitemapindex xmlns="{_NAMESPACE}">\n{rows}</sitemapindex>\n'.encode()
