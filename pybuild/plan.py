"""The plan: every page, handler and copy of an export, before anything is rendered.

Owns the URLs, and the rules that no two things may share an output path, on any file system, nor an address, as
hosts resolve them: `/a` finds `a`, `a.html` and `a/index.html`. Pure.
Source: nextjs.org, "Static Exports", for file names; docs/routing.md, "An address has exactly one answer".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from heapq import nlargest
from itertools import chain
from typing import Literal

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.plain import codec_of
from pybuild.records import Redirection
from pybuild.routing.params import Params
from pybuild.routing.tree import GENERATOR, Route, Surroundings
from pybuild.source.addresses import ALIAS_KEYS
from pybuild.source.built_in import listed_pages, term_feeds
from pybuild.source.document import Entry, alias_place, aliases_of, is_public
from pybuild.source.languages import Translations, Version, read_translations, without_prefix
from pybuild.source.site import Site
from pybuild.urls import collision_key, encode, nfc, page_href, page_path, variant_urls

_DEV = "_pybuild/"  # of the output; a server answers there while a site is written
JobKind = Literal["page", "handler", "metadata", "not_found"]
Given = tuple[tuple[str, str | tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Job:
    """One GET to run. Small and picklable: the route and the document are named, not carried."""

    kind: JobKind
    route: int  # index in Site.routes; -1 for the built-in not-found page
    url: str  # decoded; "/404" for not-found
    params: Given = ()  # but those of a document: see `params_of`
    entry: int = -1  # index in the collection of the route
    is_folder: bool = False  # other URLs lie below this one
    in_feed: bool = False  # a feed shows the whole content


JOB = codec_of(Job)


@dataclass(frozen=True, slots=True)
class Plan:
    """All jobs, sorted by route and URL, and the URLs of pages."""

    jobs: Sequence[Job] = ()
    pages: Set[str] = frozenset()  # decoded URLs
    taken: frozenset[str] = frozenset()  # paths of the site's own Markdown files, which variants give way to
    copies: tuple[tuple[str, str], ...] = ()  # output path and the file to copy, relative to the site
    root: Surroundings = Surroundings()  # what surrounds the page for what is not found
    redirections: tuple[
        Redirection, ...
    ] = ()  # from aliases of documents, and from Markdown of pages that stand in
    translations: Translations = Translations()


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's wish for an output path."""

    path: str
    origin: Location


ParamsByRoute = Mapping[int, Sequence[Params]]


def make_plan(site: Site, params: ParamsByRoute, root: Surroundings) -> tuple[Plan, tuple[Diagnostic, ...]]:
    """Lay out every output; `root` surrounds the not-found page of a site without its own. Findings: `output-conflict`."""
    fed = _fed_files(site)
    jobs = [job for index, route in enumerate(site.routes) for job in _jobs(site, index, route, params, fed)]
    copies = tuple(_copies(site, params))
    jobs += _listed(site, jobs, copies)
    if not any(job.kind == "not_found" for job in jobs):
        jobs.append(Job("not_found", -1, "/404"))
    folders = _folders(job.url for job in jobs)
    ordered = sorted(jobs, key=lambda job: (job.route, job.url))
    placed = tuple(replace(job, is_folder=True) if job.url in folders else job for job in ordered)
    pages = frozenset(job.url for job in placed if job.kind == "page")
    taken = frozenset(path for path, _ in _paths(site, placed, copies) if path.endswith(".md"))
    refused = tuple(_named_index(site, placed))
    sound = [job for job in placed if not (job.kind == "page" and is_index(job.url))] if refused else placed
    findings = (
        *_reserved(site, placed, copies),
        *refused,
        *_path_conflicts(site, sound, copies),
        *_address_conflicts(site, sound, copies),
        *_hidden_pages(site, sound, taken),
        *_alias_conflicts(site, sound, copies),
    )
    translations = _translations(site, placed)
    redirections = (*_redirections(site), *_stand_ins(site, placed, translations))
    return Plan(placed, pages, taken, copies, root, redirections, translations), findings


def _translations(site: Site, jobs: Iterable[Job]) -> Translations:
    """Which pages are translations of each other; the further pages of lists are of none."""
    if len(site.config.languages) < 2:
        return Translations()
    found: list[tuple[Version, str]] = []
    for job in jobs:
        route = site.routes[job.route]
        if job.kind == "page" and not (route.listing and "page" in dict(job.params)):
            entry = entry_of(job, site)
            is_fallback = entry.is_fallback if entry else route.is_fallback
            original = (entry.original if entry else "") or without_prefix(job.url, route.locale)
            found.append((Version(route.locale, job.url, is_fallback), original))
    return read_translations(site.config, found)


def entry_of(job: Job, site: Site) -> Entry | None:
    """The document of a collection that a job renders."""
    return site.collections[site.collection_of[job.route]][job.entry] if job.entry >= 0 else None


def document_of(job: Job, site: Site) -> Entry | None:
    """The document that a job renders: one of a collection, or the `page.md` of its route."""
    markdown = site.routes[job.route].markdown if job.route >= 0 else ""
    return entry_of(job, site) or site.documents.get(markdown)


def _stand_ins(site: Site, jobs: Iterable[Job], translations: Translations) -> Iterator[Redirection]:
    """The Markdown of pages that are not translated leads to that of the default language."""
    slash, base, originals = site.config.trailing_slash, site.config.site.base_path, translations.stand_ins
    for job in jobs if originals else ():
        if job.url in originals and job.kind == "page":
            target = encode(base + variant_urls(originals[job.url], trailing_slash=slash)[0])
            for variant in variant_urls(job.url, trailing_slash=slash):
                yield Redirection(variant, target, 308, _origin(site, job).file, None)


def _reserved(site: Site, jobs: Iterable[Job], copies: Iterable[tuple[str, str]]) -> Iterator[Diagnostic]:
    """Refuse what would answer at the addresses of `pybuild dev`."""
    for path, maker in _paths(site, jobs, copies):
        if path.startswith(_DEV):
            message = f'"{path}" lies in {_DEV}, which belongs to pybuild dev'
            yield Diagnostic("output-conflict", message, _origin(site, maker), "rename the folder")


def _documents(site: Site) -> Iterator[tuple[Entry, str]]:
    """Documents with the address each answers at; a page.md of a route with parameters has none."""
    for entries in site.collections.values():
        yield from ((entry, entry.url) for entry in entries if not entry.is_fallback)
    for file, entry in site.documents.items():
        if (url := site.files.get(nfc(file))) and is_public(entry, site.config):
            yield entry, url


def _aliases(site: Site) -> Iterator[tuple[str, Entry, str]]:
    """Each alias with its document and that one's address."""
    for entry, url in _documents(site):
        if any(key in entry.meta for key in ALIAS_KEYS):
            yield from ((alias, entry, url) for alias in aliases_of(entry, url, site.config))


def _redirections(site: Site) -> Iterator[Redirection]:
    """The redirects that aliases are: permanent ones."""
    for alias, entry, url in _aliases(site):
        at = alias_place(entry)
        href = page_href(url, trailing_slash=site.config.trailing_slash)
        yield Redirection(alias, encode(site.config.site.base_path + href), 308, at.file, at.line)


def _alias_conflicts(
    site: Site, jobs: Iterable[Job], copies: Iterable[tuple[str, str]]
) -> Iterator[Diagnostic]:
    """Find aliases that meet an address of anything else, or of each other."""
    aliases = list(_aliases(site))
    if not aliases:
        return
    slash, answers = site.config.trailing_slash, dict[str, Location]()
    for path, file in copies:
        answers |= dict.fromkeys((collision_key(path), collision_key(address_of(path))), Location(file))
    for job in jobs:
        at = _origin(site, job)
        answers[collision_key(job.url[1:])] = at
        if job.kind == "page":
            files = (
                page_path(job.url, trailing_slash=slash),
                *(u[1:] for u in variant_urls(job.url, trailing_slash=slash)),
            )
            answers |= {collision_key(path): at for path in files}
    for alias, entry, _ in aliases:
        at = alias_place(entry)
        other = answers.setdefault(collision_key(address_of(alias[1:])), at)
        if other is at:
            other = answers.setdefault(collision_key(alias[1:]), at)
        if other is not at:
            message = f'the alias "{alias}" of {entry.file} is the address of {other.file or "pybuild"}'
            notes = (Note("which is here", other),) if other.file else ()
            yield Diagnostic("output-conflict", message, at, "delete the alias, or rename the other", notes)


def _named_index(site: Site, jobs: Iterable[Job]) -> Iterator[Diagnostic]:
    """Refuse pages whose file hosts serve for the folder around them: `docs/index.html` answers `/docs/`."""
    for job in jobs if not site.config.trailing_slash else ():
        if job.kind == "page" and is_index(job.url):
            yield index_fault(site, job, _origin(site, job))


def is_index(url: str) -> bool:
    """Whether the file of an HTML page at this URL would be that of its folder, on some system."""
    return url.rpartition("/")[2].casefold() == "index"


def index_fault(site: Site, job: Job, at: Location) -> Diagnostic:
    """Say that a page cannot answer at an address that ends in `/index`, and what to write in its place."""
    folder = job.url.rpartition("/")[0] or "/"
    message = f'no page can answer at "{job.url}": hosts serve its file, "{job.url[1:]}.html", for "{folder}"'
    route = site.routes[job.route]
    if job.entry >= 0:
        hint = 'rename the folder or file named "index"; an index.md answers for the folder around it'
        return Diagnostic("invalid-static-params", message, at, hint)
    if job.params:
        return Diagnostic("invalid-static-params", message, at, 'leave "index" out, or name it otherwise')
    outer = route.folder.rpartition("/")[0]
    hint = f"move {route.folder}/{route.file.rpartition('/')[2]} to {outer}/, which answers {folder}, or rename its folder"
    return Diagnostic("invalid-segment", message, Location(route.folder), hint)


def _path_conflicts(
    site: Site, jobs: Sequence[Job], copies: Sequence[tuple[str, str]]
) -> tuple[Diagnostic, ...]:
    if not are_in_conflict(path for path, _ in _paths(site, jobs, copies)):
        return ()
    return conflicts(Claim(path, _origin(site, maker)) for path, maker in _paths(site, jobs, copies))


def address_of(path: str) -> str:
    """The address at which hosts find a file, less its first slash: `a`, `a.html` and `a/index.html` are at `a`."""
    stem = path.removesuffix(".html")
    return path if stem == path else "" if stem == "index" else stem.removesuffix("/index")


def _address_conflicts(
    site: Site, jobs: Sequence[Job], copies: Iterable[tuple[str, str]]
) -> Iterator[Diagnostic]:
    """Find two answers for one address that lie in different files, so that hosts serve but one of them.

    Pages are held against the rest, which is mostly little; two pages of one address are of one file.
    """
    made: dict[str, tuple[str, Job | str]] = {}
    copied: dict[str, tuple[str, Job | str]] = {}
    for path, file in copies:
        copied[collision_key(address_of(path))] = path, file
    for job in sorted(jobs, key=lambda job: job.kind == "page"):
        if job.kind != "not_found":
            key = collision_key(job.url[1:] if job.kind == "page" else address_of(job.url[1:]))
            path = (
                page_path(job.url, trailing_slash=site.config.trailing_slash)
                if job.kind == "page"
                else job.url[1:]
            )
            for other, maker in filter(None, (made.get(key), copied.get(key))):
                if collision_key(other) != collision_key(path):
                    yield _same_address(job.url, _origin(site, maker), _origin(site, job))
            if job.kind != "page":
                made.setdefault(key, (path, job))


def _same_address(url: str, first: Location, second: Location) -> Diagnostic:
    message = f'{first.file} and {second.file} both answer "{url}", and a host serves one of them'
    if first == second:
        message = f'{first.file} answers "{url}" twice, in two files, and a host serves one of them'
    notes = (Note("the other one", first),) if first != second else ()
    return Diagnostic("output-conflict", message, second, "rename or remove one of the two", notes)


def _hidden_pages(site: Site, jobs: Sequence[Job], taken: Collection[str]) -> Iterator[Diagnostic]:
    """Find pages named as the file or the Markdown variant of another page, which hosts serve in their place."""
    odd = [job for job in jobs if job.kind == "page" and job.url.casefold().endswith((".md", ".html"))]
    if not odd:
        return
    slash = site.config.trailing_slash
    shown: dict[str, tuple[str, Job]] = {}
    for job in (job for job in jobs if job.kind == "page"):
        shown[collision_key(page_path(job.url, trailing_slash=slash))] = "file", job
        variants = (url[1:] for url in variant_urls(job.url, trailing_slash=slash))
        shown |= {collision_key(path): ("Markdown variant", job) for path in variants if path not in taken}
    for job in odd:
        what, other = shown.get(collision_key(job.url[1:]), ("", job))
        if other is not job:
            at, first = _origin(site, job), _origin(site, other)
            message = f'{at.file} answers "{job.url}", and hosts serve the {what} of "{other.url}" there'
            notes = (Note("the other page", first),) if first != at else ()
            yield Diagnostic("output-conflict", message, at, "rename one of the two", notes)


def _copies(site: Site, params: ParamsByRoute) -> Iterator[tuple[str, str]]:
    """The files that are published as they are: `public/`, and metadata files that nothing makes."""
    for found in site.public:
        yield found.path, found.file.relative_to(site.config.root).as_posix()
    for index, route in enumerate(site.routes):
        if route.static:
            for given in params.get(index, ()) if route.pattern.is_dynamic else ({},):
                yield route.pattern.fill(given)[1:], route.static


def _jobs(site: Site, index: int, route: Route, params: ParamsByRoute, fed: frozenset[str]) -> Iterator[Job]:
    if route.kind == "not_found":
        yield Job("not_found", index, "/404")
    elif route.static or route.listing:
        return  # it is copied, or gives way to all others
    elif route.kind == "page" and index not in params and (name := site.collection_of[index]):
        for number, entry in enumerate(site.collections[name]):
            known = site.files[nfc(entry.file)]
            url = known if known == entry.url else entry.url  # held once
            yield Job("page", index, url, (), number, in_feed=entry.file in fed)
    elif not route.pattern.is_dynamic:
        yield Job(_kind(route), index, route.pattern.fill({}), in_feed=route.markdown in fed)
    else:
        for given in params.get(index, ()):
            yield Job(_kind(route), index, route.pattern.fill(given), tuple(given.items()))


def _listed(site: Site, jobs: Iterable[Job], copies: Iterable[tuple[str, str]]) -> list[Job]:
    """The built-in pages at addresses that the site leaves free."""
    taken, files = {job.url for job in jobs}, {path for path, _ in copies}
    found: dict[str, Job] = {}
    for index, route in enumerate(site.routes):
        for page in listed_pages(route, site.collections, site.config) if route.listing else ():
            path = page_path(page.url, trailing_slash=site.config.trailing_slash)
            if page.url not in taken and path not in files:
                found.setdefault(page.url, Job("page", index, page.url, page.params))
    return list(found.values())


def _kind(route: Route) -> JobKind:
    return "page" if route.kind == "page" else "handler" if route.kind == "handler" else "metadata"


def params_of(job: Job, site: Site) -> Given:
    """The params of a job; those of a document follow from where it is."""
    if job.entry < 0:
        return job.params
    entry, segment = entry_of(job, site), site.patterns[site.collection_of[job.route]].segments[-1]
    assert entry, "a job with an index has a document"
    return ((segment.name, entry.segments if segment.is_catch_all else entry.slug),)


def _fed_files(site: Site) -> frozenset[str]:
    """The files of the newest dated documents, as many as feeds show."""
    feed = site.config.settings.feed
    known = site.config.settings.collections.items()
    chosen = [
        (n, c.locale) for n, c in known if (c.base_name in feed.collections if feed.collections else c.feed)
    ]
    pages = site.documents.values() if not feed.collections else ()
    found: set[str] = set()
    for locale in ("", *site.config.languages[1:]):
        own = (site.collections.get(name, ()) for name, of in chosen if of == locale)
        entries = (entry for entry in chain(*own, pages) if not entry.is_fallback)
        dated = ((entry.date, entry.file) for entry in entries if entry.date)
        found.update(file for _, file in nlargest(feed.limit, dated))
    found.update(entry.file for terms in term_feeds(site.collections, site.config) for entry in terms.entries)
    return frozenset(found)


def _folders(urls: Iterable[str]) -> set[str]:
    """Every URL that others lie below."""
    found: set[str] = set()
    for url in urls:
        while (url := url.rpartition("/")[0]) and url not in found:
            found.add(url)
    return found


def _paths(
    site: Site, jobs: Iterable[Job], copies: Iterable[tuple[str, str]]
) -> Iterator[tuple[str, Job | str]]:
    """Output paths as they are known before rendering, with the job or the file: a handler without a suffix may move."""
    yield from copies
    for job in jobs:
        if job.kind == "not_found":
            yield "404.html", job
        elif job.kind == "page":
            yield page_path(job.url, trailing_slash=site.config.trailing_slash), job
        elif job.kind == "metadata" or not job.is_folder:
            yield job.url[1:] or "index", job


def _origin(site: Site, job: Job | str) -> Location:
    if isinstance(job, str):
        return Location(job)
    if job.route < 0:
        return Location()
    route = site.routes[job.route]
    if entry := entry_of(job, site):
        return Location(entry.file)
    if job.params and route.module and GENERATOR in route.module.names:
        return route.module.place(GENERATOR)
    return Location(route.file)


def are_in_conflict(paths: Iterable[str]) -> bool:
    """Whether `conflicts` would find something."""
    keys: set[str] = set()
    count = 0
    for count, path in enumerate(paths, 1):  # noqa: B007
        keys.add(collision_key(path))
    return len(keys) < count or not keys.isdisjoint(_folders(keys))


def conflicts(claims: Iterable[Claim]) -> tuple[Diagnostic, ...]:
    """Find paths that some file system would store in one file, and files that are also folders."""
    taken: dict[str, Claim] = {}
    findings: list[Diagnostic] = []
    for claim in claims:
        first = taken.setdefault(collision_key(claim.path), claim)
        if first is not claim:
            findings.append(_same_path(first, claim))
    for key, claim in taken.items():
        if folder := next((taken[k] for k in _above(key) if k in taken), None):
            message = f'"{folder.path}" is a file of {_named(folder)}, and "{claim.path}" needs a folder of that name'
            notes = (Note("the file", folder.origin),) if folder.origin.file else ()
            findings.append(
                Diagnostic("output-conflict", message, claim.origin, "rename one of the two", notes)
            )
    return tuple(findings)


def _above(key: str) -> Iterator[str]:
    while key := key.rpartition("/")[0]:
        yield key


def _same_path(first: Claim, second: Claim) -> Diagnostic:
    """Both places are named, the finding is at the author's; one that makes both paths is asked to drop one."""
    if not second.origin.file:
        first, second = second, first
    folded = ", which some systems store in one file" if first.path != second.path else ""
    if first.origin == second.origin:
        paths = f'"{first.path}" and "{second.path}"' if folded else f'"{first.path}" twice'
        message = f"{_named(first)} makes {paths}{folded}"
        return Diagnostic("output-conflict", message, second.origin, "leave one of the two out")
    other = f'"{second.path}"' if folded else "it too"
    message = f'{_named(first)} makes "{first.path}" and {_named(second)} makes {other}{folded}'
    notes = (Note("the other one", first.origin),) if first.origin.file else ()
    hint = "rename or remove one of the two"
    if first.path == "404.html" and not first.origin.file:
        hint = "move it to app/ and name it not-found"
    return Diagnostic("output-conflict", message, second.origin, hint, notes)


def _named(claim: Claim) -> str:
    return claim.origin.file or "pybuild"
