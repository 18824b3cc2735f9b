"""Why a page is rendered again: everything that goes into one, by the name of the part.

Owns the key of a job. A page that no Python of the site has a part in depends on its document, its templates
and what those look at; what Python makes depends on the whole site, unless its module narrows it. Pure but for
the templates and the digests it is given.
Source: docs/caching.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, cast

from pybuild.cache.fingerprint import Snapshot, digest, digest_many
from pybuild.cache.inputs import globs_of, matcher
from pybuild.cache.template_deps import Dependencies, TemplateDependencies
from pybuild.plan import Job, Plan, document_of, entry_of
from pybuild.render.cards import CARD
from pybuild.render.layouts import LAYOUT
from pybuild.render.listing_values import TEMPLATES as LISTINGS
from pybuild.render.look import NAVIGATION
from pybuild.render.page import DOCUMENT, NOT_FOUND, UNTRANSLATED
from pybuild.render.worker import homes_of
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Listing, Route
from pybuild.source.document import Entry
from pybuild.source.site import Site
from pybuild.source.site_lists import ListPage, SiteLists, TermKind
from pybuild.source.template_files import COMPONENTS, component_files
from pybuild.urls import variant_urls

LINKS, TEMPLATES = "links", "templates"
PARTS = ("document", "address", TEMPLATES, "other documents", "navigation", "code", LINKS)
_NAVIGATION = PARTS.index("navigation")


@dataclass(frozen=True, slots=True)
class _RouteInputs:
    """What all jobs of one route depend on."""

    surroundings: str
    templates: str
    others: str
    code: str
    modules: tuple[ModuleFacts, ...]
    is_plain: bool  # made of a document and templates that ask for no address
    is_listed: bool  # shows more of other documents than their index tells: a list, or what code chooses
    shows_others: bool  # the tree, what is before and after, related documents
    walks: bool  # templates of the site do so, as far as they like
    inner: tuple[str, ...] = ()  # as in `Key`


@dataclass(frozen=True, slots=True)
class Key:
    """What a job depends on: a digest for each of `PARTS`."""

    parts: tuple[str, ...]
    follows_links: bool  # where only the links differ, what became of them decides
    modules: tuple[ModuleFacts, ...] = ()  # Python that makes it
    inner: tuple[
        str, ...
    ] = ()  # digests of the templates inside each layout, innermost first, and inside the last


class Keys:
    """The keys of one plan."""

    def __init__(
        self,
        site: Site,
        plan: Plan,
        snapshot: Snapshot,
        digest: Callable[[str], str],
        templates: Any = None,
    ) -> None:
        """`digest` gives that of the bytes of a file of the snapshot; `templates` is `templates` of the last export."""
        self._site = site
        self._plan = plan
        self._snapshot = snapshot
        self._digest = digest
        self._closures = TemplateDependencies(site.config.root, templates)
        self._components = tuple(f"{COMPONENTS}/{name}" for name in component_files(site.config.root))
        cards = site.config.settings.cards
        self._components += (CARD,) if cards.enabled else ()
        self._fonts = tuple(cards.fonts)
        self._globs: dict[tuple[str, ...], str] = {}
        self._addresses_of: dict[tuple[object, ...], str] = {}  # what many jobs have
        self._of_routes: dict[tuple[int, str], _RouteInputs | None] = {}

    def key(self, job: Job, known: Sequence[str] = ()) -> Key | None:
        """None for a job that always runs: its Python may read what nobody knows of.

        `known` are the parts that this job had while `shown_by_all` was what it is.
        """
        same = self._shared(job)
        if same is None:
            return None
        entry = document_of(job, self._site)
        own = (
            texts_digest(self.shown_documents(job)),
            self._address(job, same.surroundings),
            same.templates,
        )
        is_known = entry is not None and entry.slug and not same.is_listed and own == tuple(known[:3])
        navigation = (
            known[_NAVIGATION] if is_known else self._navigation(job, entry, shows_others=same.shows_others)
        )
        parts = (*own, same.others, navigation, same.code, self.links)
        return Key(parts, same.is_plain and entry is not None, same.modules, same.inner)

    def modules(self, job: Job) -> tuple[ModuleFacts, ...] | None:
        """The Python that makes a job; None for one that always runs."""
        same = self._shared(job)
        return same.modules if same else None

    @property
    def templates(self) -> Mapping[str, Any]:
        """What the templates of all jobs do, as a JSON value."""
        return self._closures.findings

    @property
    def globs(self) -> list[tuple[str, ...]]:
        """The files whose contents something depends on besides documents and templates."""
        return list(self._globs)

    def shown_documents(self, job: Job) -> tuple[Entry, ...]:
        """The documents whose texts are on a page as pybuild makes it: its own first, then those of a list."""
        entry, page = document_of(job, self._site), self.shown_list(job)
        listed = map(self.lists.entries(page.collection).__getitem__, page.numbers) if page else ()
        return (*((entry,) if entry else ()), *listed)

    def shown_list(self, job: Job) -> ListPage | None:
        """The page of a list that a page shows as pybuild makes it."""
        route, entry = self._route(job), document_of(job, self._site)
        if route.listing:
            is_list = route.listing.kind == "list" or (route.listing.kind == "terms" and job.params)
            return self.lists.list_page(route, job.url, job.params) if is_list else None
        settings = self._site.config.settings.collections.get(entry.collection) if entry else None
        has_list = entry and settings and settings.list and not entry.slug
        return self.lists.index_page(entry.collection) if entry and has_list else None

    def shown_tree(self, job: Job) -> str:
        """The collection of whose tree a page shows just what is around it; "" for any other."""
        same = self._shared(job)
        entry = entry_of(job, self._site)
        return entry.collection if entry and same and same.shows_others and not same.walks else ""

    def _shared(self, job: Job) -> _RouteInputs | None:
        of_kind = job.route, job.kind
        if of_kind not in self._of_routes:
            self._of_routes[of_kind] = self._of_route(job)
        return self._of_routes[of_kind]

    def release_snapshot(self) -> None:
        """Release the snapshot and its digests. Precondition: the modules of all jobs have been asked for once."""
        assert self.links and self.shown_by_all, "both are part of every row"
        self._snapshot, self._digest = Snapshot({}, ()), str

    def _of_route(self, job: Job) -> _RouteInputs | None:
        """What the job shares with all of its route and kind."""
        route = self._route(job)
        own = (self._site.extensions,) if self._site.extensions else ()
        modules = (*_modules(route), *own)
        if not all(map(is_bounded, modules)):
            return None
        reach = (
            self._closures.reach((*_roots(route, job), *self._components))
            if job.kind in ("page", "not_found")
            else None
        )
        return _RouteInputs(
            surroundings=self._surroundings(route),
            templates=self._templates(reach) if reach else "",
            others=self._others(reach) if reach else "",
            code=self._code(modules) if modules else "",
            modules=modules,
            is_plain=not modules and reach is not None and not reach.pages,
            is_listed=bool(route.listing or route.module),
            shows_others=reach is not None and (reach.around or _is_default(route)),
            walks=reach is not None and reach.walks,
            inner=tuple(self._inner(route, job)) if job.kind == "page" and not modules else (),
        )

    def _inner(self, route: Route, job: Job) -> Iterator[str]:
        """A digest of the templates inside each layout, innermost first, and inside the default one."""
        roots = (*_inner_roots(route, job), *self._components)
        layouts = tuple(reversed(route.surroundings.layouts))
        for count in range(len(layouts) + 1):
            yield self._templates(self._closures.reach((*roots, *layouts[:count])))

    @cached_property
    def lists(self) -> SiteLists:
        """The lists of the site, made once for keys and outputs."""
        bases = {name: base for name, (_, base) in homes_of(self._site).items()}
        return SiteLists(self._site.config, self._site.collections, bases, self._plan.pages)

    def _navigation(self, job: Job, entry: Entry | None, *, shows_others: bool) -> str:
        """What a page shows of others: titles, addresses and order, not their texts."""
        listing, page = self._route(job).listing, self.shown_list(job)
        if not (shows_others or listing or page):
            return ""
        name = entry.collection if entry else listing.collection if listing else ""
        shown = self.lists.page_digest(name, job.entry, job.url, self._route(job).locale)
        if self._route(job).module:  # which document it shows, only its code knows
            return digest(shown, self._index)
        if page:
            return digest(shown, self.lists.list_digest(page))
        return digest(shown, self._listing(job, listing)) if listing else shown

    def _listing(self, job: Job, listing: Listing) -> str:
        """What a built-in page lists that shows no documents."""
        if listing.kind in ("home", "folders"):
            return self._index
        return self.lists.terms_digest(listing.collection, cast(TermKind, listing.term))

    def _route(self, job: Job) -> Route:
        root = self._plan.root
        return (
            self._site.routes[job.route]
            if job.route >= 0
            else Route("not_found", Pattern(), "app", surroundings=root)
        )

    def _address(self, job: Job, surroundings: str) -> str:
        """The job without its place in the plan and its URL, which names it, and what is around its route."""
        taken: tuple[str, ...] = ()
        if self._plan.taken:
            urls = variant_urls(job.url, trailing_slash=self._site.config.trailing_slash)
            taken = tuple(url for url in urls if url[1:] in self._plan.taken)
        said = (surroundings, job.params, job.is_folder, job.in_feed, taken)
        if len(self._site.config.languages) > 1:
            return digest(repr((said, self._plan.translations.of(job.url), self._homes, self._header)))
        if job.params or taken:
            return digest(repr(said))
        if said not in self._addresses_of:
            self._addresses_of[said] = digest(repr(said))
        return self._addresses_of[said]

    @cached_property
    def _header(self) -> tuple[bool, ...]:
        """Which links of the header there are in which language."""
        config, pages = self._site.config, self._plan.pages
        urls = [link.url for link in config.settings.theme.links]
        return tuple(f"/{code}{url}".rstrip("/") in pages for code in config.languages[1:] for url in urls)

    @cached_property
    def _homes(self) -> tuple[bool, ...]:
        """Which languages have a home page."""
        return tuple(f"/{code}" in self._plan.pages for code in self._site.config.languages[1:])

    def _surroundings(self, route: Route) -> str:
        around = route.surroundings
        images = [(image.kind, str(image.pattern), image.alt) for image in around.images]
        said = (
            str(route.pattern),
            route.folder,
            route.file,
            route.markdown,
            route.template,
            route.locale,
            route.is_fallback,
        )
        return digest(repr((said, around.group, around.layouts, images, self._manifest)))

    @cached_property
    def _manifest(self) -> str:
        found = next((route for route in self._site.routes if route.metadata == "manifest"), None)
        return str(found.pattern) if found else ""

    def _templates(self, reach: Dependencies) -> str:
        asked = (url for url in reach.asked if url in self._plan.pages)
        copied = (self._public(path) for path in reach.copied)
        return digest(reach.digest, *asked, *copied, self._contents(self._fonts) if self._fonts else "")

    def _public(self, path: str) -> str:
        """A digest of a file of `public/`; "" for one that is not there."""
        file = f"public/{path.strip('/')}"
        return self._digest(file) if file in self._snapshot.stamps else ""

    def _others(self, reach: Dependencies) -> str:
        data = self._contents(("data/**",)) if reach.data else ""
        return digest(self._index if reach.index else "", self.whole if reach.whole else "", data)

    @cached_property
    def _index(self) -> str:
        """A digest of what all documents say of themselves, and of their addresses."""
        entries = chain(*(entries for _, entries in sorted(self._site.collections.items())))
        return digest_many(chain([self._addresses], map(_said, entries)))

    @cached_property
    def shown_by_all(self) -> str:
        """A digest of what the navigation of every page is made of: the same gives each page the same, but for lists."""
        languages = ("", *self._site.config.languages[1:])
        return digest(self._index, *(self.lists.page_digest("", -1, "", locale) for locale in languages))

    @cached_property
    def _addresses(self) -> str:
        """A digest of the addresses of pages and documents."""
        files = self._site.files
        return digest_many(
            chain(sorted(self._plan.pages), (f"{file}\0{files[file]}" for file in sorted(files)))
        )

    @cached_property
    def links(self) -> str:
        """A digest of all that links can lead to: pages, documents and the files beside them."""
        return digest(self._addresses, self._snapshot.listing)

    @cached_property
    def whole(self) -> str:
        """A digest of every file of the site."""
        return self._contents(("**",))

    def _code(self, modules: tuple[ModuleFacts, ...]) -> str:
        """The site's Python, and the files its modules name; all files where one names none."""
        named = [module.settings.get("inputs") for module in modules]
        globs = {glob for setting in named if setting for glob in globs_of(setting)}
        inputs = self._contents(tuple(sorted(globs))) if all(named) else self.whole
        return digest(inputs, self._contents(("**.py",)))

    def _contents(self, globs: tuple[str, ...]) -> str:
        """A digest of the files that match: names and bytes."""
        if globs not in self._globs:
            matches = matcher(globs)
            chosen = (path for path in self._snapshot.stamps if matches(path))
            digests = (f"{path}\0{self._digest(path)}" for path in chosen)
            self._globs[globs] = digest_many(chain(digests, self._snapshot.others))
        return self._globs[globs]


def texts_digest(entries: Iterable[Entry]) -> str:
    """The part of a key for the documents whose texts are on a page; "" for none."""
    said = [text for entry in entries for text in (entry.digest, _said(entry))]
    return digest(*said) if said else ""


def is_bounded(module: ModuleFacts) -> bool:
    """Whether a module says how long its results hold."""
    return "inputs" in module.settings or "revalidate" in module.settings


def lifetime(modules: Iterable[ModuleFacts]) -> float:
    """The seconds for which results of these modules hold."""
    said = [module.settings["revalidate"].value for module in modules if "revalidate" in module.settings]
    return min(
        (float(n) for n in said if isinstance(n, int | float) and n is not False), default=float("inf")
    )


def _modules(route: Route) -> tuple[ModuleFacts, ...]:
    own = (route.module,) if route.module else ()
    return (*own, *route.surroundings.layout_modules) if route.kind in ("page", "not_found") else own


def _roots(route: Route, job: Job) -> tuple[str, ...]:
    """The templates a page begins with; one that is given no document may still show its fallback."""
    return (*_inner_roots(route, job), *route.surroundings.layouts, LAYOUT)


def _inner_roots(route: Route, job: Job) -> tuple[str, ...]:
    """Those of them that make what is inside all layouts."""
    own = route.template or (NOT_FOUND if job.kind == "not_found" else DOCUMENT)
    more = (UNTRANSLATED,) if route.locale else ()
    if route.listing:
        return (*sorted(LISTINGS.values()), NAVIGATION)
    return (own, DOCUMENT, NAVIGATION, *more)


def _is_default(route: Route) -> bool:
    """Whether the default look makes the whole page."""
    return route.kind == "page" and not route.template and not route.surroundings.layouts


def _said(entry: Entry) -> str:
    """What a document says of itself, and where it is."""
    moments = (moment.isoformat() if moment else "" for moment in (entry.date, entry.updated))
    stands_in = (entry.locale, entry.original, str(entry.is_fallback)) if entry.locale else ()
    return "\0".join((entry.file, entry.collection, entry.slug, entry.url, *moments, entry.head, *stands_in))
