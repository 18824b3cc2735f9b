"""The settings as values: every table of the settings file with its defaults.

Owns the names, types and defaults. Reads nothing. Source of truth: docs/settings.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pybuild.diagnostics import Location

OnUnsupported = Literal["error", "warn"]
FeedFormat = Literal["rss", "atom", "json"]


@dataclass(frozen=True, slots=True)
class Site:
    """What the site says of itself: `[site]`."""

    url: str = ""  # absolute, encoded, without a trailing slash; its path is the base path
    title: str = ""
    description: str = ""
    author: str = ""
    language: str = "en"  # BCP 47
    timezone: str = "UTC"  # IANA name; dates without a zone are read in it

    @property
    def base_path(self) -> str:
        """The path of the site's address, decoded: `https://a.example/docs` → `/docs`; `""` at the root."""
        return unquote(urlsplit(self.url).path).rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme and host: `https://a.example/docs` → `https://a.example`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Build:
    """How the export runs: `[build]`."""

    out: str = "out"  # relative to the site
    target: str = "static"
    timeout: float = 60.0  # seconds one page or handler may take
    memory: int = 4096  # MiB a worker process may hold; 0 is without a limit
    jobs: int = 0  # worker processes; 0 is one a processor
    engine: str = "processes"
    git_dates: bool = True  # ask git for the last change of documents whose front matter is silent


@dataclass(frozen=True, slots=True)
class Markdown:
    """`[markdown]`."""

    engine: str = "markdown-it-py"  # or "pyromark", which gives the same, faster
    html: bool = False  # let raw HTML through
    highlight: bool = True
    toc_depth: int = 3  # deepest heading level in `toc`


@dataclass(frozen=True, slots=True)
class Collection:
    """`[collections.NAME]`: a folder of Markdown documents and the route they answer."""

    name: str = ""
    source: str = ""
    route: str = ""
    title: str = ""  # heading of its section in llms.txt; "" makes one of the name
    feed: bool = True  # dated documents may go into the feeds
    location: Location = Location()


@dataclass(frozen=True, slots=True)
class Feed:
    """`[feed]`."""

    formats: tuple[FeedFormat, ...] = ("rss",)
    limit: int = 20  # entries
    title: str = ""  # "" is the site's
    description: str = ""
    collections: tuple[str, ...] = ()  # () is every collection, and pages with a date


@dataclass(frozen=True, slots=True)
class Sitemap:
    """`[sitemap]`."""

    enabled: bool = True
    exclude: tuple[str, ...] = ()  # globs over decoded URLs


@dataclass(frozen=True, slots=True)
class Robots:
    """`[robots]`: one group for every crawler. `app/robots.py` does more."""

    disallow: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    content_signal: str = ""  # contentsignals.org; written only when set: it is a legal statement


@dataclass(frozen=True, slots=True)
class Llms:
    """`[llms]`."""

    enabled: bool = True
    summary: str = ""  # the quoted line; "" is the site's description
    details: str = ""  # the paragraph below it
    optional: tuple[str, ...] = ()  # collections listed in the section named Optional
    split: int = 50_000  # characters past which llms.txt becomes an index of sections
    full: int = 2_000_000  # characters llms-full.txt may have; past it there is one file a section


@dataclass(frozen=True, slots=True)
class Negotiation:
    """`[negotiation]`."""

    strict: bool = False  # answer 406 when neither HTML nor Markdown is acceptable
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """`[targets.NAME]`."""

    on_unsupported: OnUnsupported = "error"


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file."""

    site: Site = Site()
    trailing_slash: bool = False
    build: Build = Build()
    markdown: Markdown = Markdown()
    collections: Mapping[str, Collection] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)  # defaults for every page
    feed: Feed = Feed()
    sitemap: Sitemap = Sitemap()
    robots: Robots = Robots()
    llms: Llms = Llms()
    negotiation: Negotiation = Negotiation()
    targets: Mapping[str, TargetSettings] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the settings; None keeps the setting."""

    out: str | None = None
    deploy_dir: str | None = None
    target: str | None = None
    base_url: str | None = None
    jobs: int | None = None
    engine: str | None = None
    cache: bool = True
    allow_shrink: bool = False
    verify_reproducible: bool = False
    drafts: bool = False
    future: bool = False
    strict: bool = False
