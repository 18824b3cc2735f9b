"""The settings as values: every table of the settings file with its defaults, and a sentence for each key.

Owns the names, types, defaults and sentences. Reads nothing. Source of truth: docs/settings.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pybuild.diagnostics import Location

OnUnsupported = Literal["error", "warn"]
FeedFormat = Literal["rss", "atom", "json"]
SecurityHeaders = Literal["none", "basic", "strict"]


def key(
    default: Any, sentence: str, *, required: bool = False, minimum: float | None = None, names: str = ""
) -> Any:
    """A setting with its default, and the sentence that docs/settings.md and the JSON Schema have of it.

    `names`: the kind of names that it takes a value of, such as "target".
    """
    facts = {"sentence": sentence, "required": required, "minimum": minimum, "names": names}
    return field(default=default, metadata=facts)


@dataclass(frozen=True, slots=True)
class Site:
    """What the site says of itself: `[site]`."""

    url: str = key("", "required: the absolute address, `http` or `https`", required=True)
    title: str = key("", "required: the name of the site", required=True)
    description: str = key("", "what pages, feeds and `llms.txt` say where nothing nearer does")
    author: str = key("", "`Jo`, `Jo <jo@example.com>` or an address")
    language: str = key("en", "BCP 47 tag of pages that say nothing else")
    timezone: str = key("UTC", "IANA name; dates without a zone are read in it")

    @property
    def base_path(self) -> str:
        """The path of the site's address, decoded: `https://a.example/docs` → `/docs`; `""` at the root."""
        return _parts_of(self.url)[0]

    @property
    def origin(self) -> str:
        """Scheme and host: `https://a.example/docs` → `https://a.example`."""
        return _parts_of(self.url)[1]


@lru_cache(maxsize=16)  # each page asks for it some hundred times
def _parts_of(url: str) -> tuple[str, str]:
    """The base path and the origin of an address."""
    parts = urlsplit(url)
    return unquote(parts.path).rstrip("/"), f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class Build:
    """How the export runs: `[build]`."""

    out: str = key("out", "the output folder, relative to the site")
    target: str = key("static", "the host to write rules for", names="target")
    timeout: float = key(
        60.0, "seconds one page, handler or `generate_static_params` may take", minimum=0.001
    )
    memory: int = key(4096, "MiB a worker process may hold", minimum=0)
    jobs: int = key(0, "worker processes; `0` is one a processor", minimum=0)
    engine: str = key(
        "processes",
        "`processes`; `serial`: everything in the command's own process, for debuggers; `dask`: a cluster",
        names="engine",
    )
    git_dates: bool = key(True, "ask git for the last change of documents that name none")
    before: tuple[str, ...] = key(
        (), "commands that run in the site's folder before an export or `dev` reads it"
    )
    public_env: tuple[str, ...] = key(
        (), "variables whose values all may read, although their names look secret"
    )


@dataclass(frozen=True, slots=True)
class Dev:
    """What runs beside `pybuild dev`: `[dev]`."""

    run: tuple[str, ...] = key((), "commands that start with `dev` and end with it")


@dataclass(frozen=True, slots=True)
class Cluster:
    """The machines of `engine = "dask"`: `[cluster]`."""

    address: str = key(
        "",
        "of the Dask scheduler, such as `tls://scheduler:8786`; without one a cluster in the command itself",
    )
    workers: int = key(
        0, "workers to wait for; with fewer the export goes on after a minute, with a warning", minimum=0
    )
    batch: float = key(1.0, "seconds of work that a worker is given at once", minimum=0.01)
    ca: str = key("", "file with the certificate of the authority of the cluster, relative to the site")
    cert: str = key("", "file with our own certificate")
    key: str = key("", "file with the key of our own certificate")


@dataclass(frozen=True, slots=True)
class Store:
    """Objects that all machines of a cluster see: `[store]`."""

    url: str = key("", "such as `s3://bucket/site`; without one all workers see the site at one path")
    publish: Literal["out", "versions"] = key(
        "out", "`out`: the output folder only; `versions`: each build in the store too, and one pointer"
    )
    grace: int = key(
        3600, "seconds after a publication in which `pybuild clean --store` deletes nothing", minimum=0
    )


@dataclass(frozen=True, slots=True)
class Markdown:
    """How Markdown is read and rendered: `[markdown]`."""

    engine: str = key(
        "auto",
        '`"pyromark"`, `"markdown-it-py"`, or the faster of the two that is installed; all make the same pages',
        names="markdown",
    )
    html: Literal["safe", True, False] = key(
        "safe", "raw HTML: by a list of harmless elements, `true` as it is written, `false` shown as text"
    )
    highlight: bool = key(True, "colour code while exporting")
    toc_depth: int = key(3, "the deepest heading level in `toc`")
    math: bool = key(False, "read `$x^2$` and `$$…$$` as formulas")


@dataclass(frozen=True, slots=True)
class NavItem:
    """One item of `nav`: the slug of a document or of a folder, a group of items, or a link."""

    slug: str = key("", "a document; with a slash at its end a whole folder")
    label: str = key("", "the text of the item")
    url: str = key("", "where a link leads")
    items: tuple[NavItem, ...] = key((), "the items of a group")
    location: Location = Location()


@dataclass(frozen=True, slots=True)
class Language:
    """One language of the site: `[languages.NAME]`, where the name is a BCP 47 tag."""

    label: str = key("", "its name in the menu of languages, as its speakers write it")
    dir: Literal["", "ltr", "rtl"] = key("", '`"rtl"` is written from right to left; `""` goes by the code')
    title: str = key("", "the title of the site in it")
    description: str = key("", "the description of the site in it")
    collections: Mapping[str, str] = field(
        default_factory=dict, metadata={"sentence": "titles of collections in it, by their names"}
    )
    strings: Mapping[str, str] = field(
        default_factory=dict, metadata={"sentence": "words of the look and of the site, as `t()` finds them"}
    )


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages of the site: `[languages]`."""

    default: str = key("", 'the language of addresses without a prefix; `""` is `site.language`')
    fallback: bool = key(
        True, "a page without a translation answers in the default language; `false`: it is not there"
    )
    known: Mapping[str, Language] = field(default_factory=dict, metadata={"rest": True})


@dataclass(frozen=True, slots=True)
class Collection:
    """`[collections.NAME]`: a folder of Markdown documents and the route they answer."""

    name: str = ""
    source: str = key("", "required: the folder, relative to the site", required=True)
    route: str = key(
        "", "required: the route, with one parameter at its end, such as `/docs/[...slug]`", required=True
    )
    title: str = key("", "the heading of its section in `llms.txt`, and its name in the look")
    index: tuple[str, ...] = key(
        (), "files that stand for their folder as `index.md` does, such as `README.md`"
    )
    lowercase: bool = key(False, "addresses are in small letters, whatever the files are named")
    feed: bool = key(
        True, "whether its dated documents may go into the feeds; false: its tags have none either"
    )
    nav: tuple[NavItem, ...] = key((), "the menu, instead of that of the folders")
    list: bool = key(False, "a page at the collection's own address lists its documents")
    per_page: int = key(10, "documents on one page of a list", minimum=1)
    sort: str = key("", "the order of a list")
    tags: str = key("", "the route of a page for each tag, such as `/blog/tags/[tag]`")
    authors: str = key("", "the route of a page for each author, such as `/blog/authors/[author]`")
    tag_slugs: Mapping[str, str] = field(
        default_factory=dict, metadata={"sentence": "slugs of terms whose own would not do"}
    )
    location: Location = Location()

    @property
    def base_name(self) -> str:
        """The name in the settings: `docs@de`, its German documents, is of `docs`."""
        return self.name.partition("@")[0]

    @property
    def locale(self) -> str:
        """The language of its documents; "" is the default."""
        return self.name.partition("@")[2]


@dataclass(frozen=True, slots=True)
class Feed:
    """What the feeds hold: `[feed]`."""

    formats: tuple[FeedFormat, ...] = key(
        ("rss",), "`rss` (`/rss.xml`, always written), `atom` (`/atom.xml`), `json` (`/feed.json`)"
    )
    limit: int = key(20, "entries")
    title: str = key("", '`""` is the title of the site')
    description: str = key("", '`""` is the description of the site')
    collections: tuple[str, ...] = key((), "whose documents are shown")


@dataclass(frozen=True, slots=True)
class Sitemap:
    """What `/sitemap.xml` lists: `[sitemap]`."""

    enabled: bool = key(True, "whether `/sitemap.xml` is written")
    exclude: tuple[str, ...] = key(
        (), "globs over addresses: `*` stays within a segment, `/drafts/**` is `/drafts` and all below it"
    )


@dataclass(frozen=True, slots=True)
class Robots:
    """`[robots]`: one group for every crawler. `app/robots.py` does more."""

    disallow: tuple[str, ...] = key((), "paths that start with `/` or `*`")
    allow: tuple[str, ...] = key((), "exceptions from these")
    content_signal: str = key("", "a line of contentsignals.org, such as `search=yes, ai-train=no`")


@dataclass(frozen=True, slots=True)
class Llms:
    """The index and the full text for agents, `/llms.txt` and `/llms-full.txt`: `[llms]`."""

    enabled: bool = key(True, "whether `/llms.txt` and `/llms-full.txt` are written")
    summary: str = key("", "the quoted line at the top")
    details: str = key("", "the paragraph below it")
    optional: tuple[str, ...] = key(
        (), "collections and route groups whose pages go into the section named Optional"
    )
    split: int = key(50_000, "characters past which `llms.txt` becomes a list of sections, one file each")
    full: int = key(
        2_000_000, "characters past which `llms-full.txt` becomes a list of sections, one file each"
    )


@dataclass(frozen=True, slots=True)
class Negotiation:
    """HTML or Markdown by the `Accept` header, on hosts with rules: `[negotiation]`."""

    strict: bool = key(False, "`true` answers 406 where neither HTML nor Markdown is acceptable")
    enabled: bool = key(True, "`false` leaves negotiation out of the rules")


@dataclass(frozen=True, slots=True)
class Security:
    """Headers that protect visitors, on hosts with headers: `[security]`."""

    headers: SecurityHeaders = key(
        "none",
        '`"basic"` is `X-Content-Type-Options` and `Referrer-Policy`; `"strict"` adds a policy of what each '
        "page may run and load, `Cross-Origin-Opener-Policy` and `Permissions-Policy`",
    )
    hsts: int = key(
        0, "seconds that browsers use https alone; `0` sends no `Strict-Transport-Security`", minimum=0
    )


@dataclass(frozen=True, slots=True)
class Links:
    """Which internal links are checked: `[links]`."""

    ignore: tuple[str, ...] = key((), "addresses of the host that others answer, as globs from its root")


@dataclass(frozen=True, slots=True)
class ThemeLink:
    """One link of the header."""

    label: str = key("", "the text of the link", required=True)
    url: str = key("", "where it leads", required=True)
    location: Location = Location()


@dataclass(frozen=True, slots=True)
class CodeStyles:
    """Pygments styles for code: `[theme.code]`."""

    light: str = key("", 'such as `"friendly"`; `""` is our own')
    dark: str = key("", 'such as `"nord"`; `""` is our own')


@dataclass(frozen=True, slots=True)
class Theme:
    """What most sites change of the default look: `[theme]`."""

    logo: str = key("", "the address of a picture before the title")
    accent: str = key("", 'a colour, such as `"#b3261e"`')
    links: tuple[ThemeLink, ...] = key((), "links of the header")
    footer: str = key("", "Markdown")
    edit: str = key(
        "", 'where a page can be edited, such as `"https://github.com/you/site/edit/main/{file}"`'
    )
    css: tuple[str, ...] = key((), "addresses of style sheets, after ours")
    code: CodeStyles = CodeStyles()
    toggle: bool = key(True, "a switch between light and dark")


@dataclass(frozen=True, slots=True)
class Images:
    """Pictures of pages: `[images]`."""

    widths: tuple[int, ...] = key(
        (),
        "widths in pixels of smaller pictures for `srcset`, such as `[640, 1280]`; needs the extra `images`",
    )
    sizes: str = key(
        "(min-width: 50rem) 46rem, 100vw", "how wide pictures are shown, as `sizes` in HTML says it"
    )


@dataclass(frozen=True, slots=True)
class Cards:
    """Pictures for those who share an address: `[cards]`."""

    enabled: bool = key(False, "draw an `og:image` for pages without one; needs the extra `images`")
    fonts: tuple[str, ...] = key((), "more fonts, files of the site; looked at before those that are shipped")


SearchEngine = Literal["", "titles", "pagefind", "none"]


@dataclass(frozen=True, slots=True)
class Search:
    """The search of the default look: `[search]`."""

    engine: SearchEngine = key("", '`"titles"`, `"pagefind"` or `"none"`')


@dataclass(frozen=True, slots=True)
class TargetSettings:
    """What holds for one host: `[targets.NAME]`."""

    on_unsupported: OnUnsupported = key(
        "error", '`"warn"` turns `unsupported-rule` into a warning for this host, and leaves the rule out'
    )


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a site."""

    site: Site = Site()
    trailing_slash: bool = key(
        False, "`true` writes `/about` as `about/index.html` in place of `about.html`, and links to `/about/`"
    )
    build: Build = Build()
    dev: Dev = Dev()
    cluster: Cluster = Cluster()
    store: Store = Store()
    markdown: Markdown = Markdown()
    languages: Languages = Languages()
    collections: Mapping[str, Collection] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(
        default_factory=dict,
        metadata={"sentence": "defaults for the head of every page", "names": "metadata"},
    )
    feed: Feed = Feed()
    sitemap: Sitemap = Sitemap()
    robots: Robots = Robots()
    llms: Llms = Llms()
    negotiation: Negotiation = Negotiation()
    security: Security = Security()
    links: Links = Links()
    theme: Theme = Theme()
    search: Search = Search()
    images: Images = Images()
    cards: Cards = Cards()
    targets: Mapping[str, TargetSettings] = field(default_factory=dict, metadata={"names": "target"})


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line adds to the settings; None keeps the setting."""

    out: str | None = None
    deploy_dir: str | None = None
    target: str | None = None
    base_url: str | None = None
    jobs: int | None = None
    engine: str | None = None
    cluster: str | None = None
    insecure_cluster: bool = False
    cache: bool = True
    offline: bool = False  # fetches use only what is kept
    allow_shrink: bool = False
    verify_reproducible: bool = False
    drafts: bool = False
    future: bool = False
    strict: bool = False
