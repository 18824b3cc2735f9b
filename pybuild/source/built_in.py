"""Built-in pages: the lists, folders, terms and the home page that pybuild makes where a site has none.

Owns which there are and at which addresses. Knows no template; what a page of the site answers, none of these does.
Source: docs/lists.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pybuild.config.loader import Config
from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic
from pybuild.near_words import Words
from pybuild.routing.segments import Pattern, Refused
from pybuild.routing.tree import Listing, Route, Tree
from pybuild.rules.model import Redirect, Rule
from pybuild.source.document import Entry
from pybuild.source.languages import below
from pybuild.source.lists import list_order, paginate, read_terms
from pybuild.source.navigation import check_items

TERMS = ("tags", "authors")


def listing_routes(
    config: Config,
    tree: Tree,
    routes: Iterable[Route],
    patterns: Mapping[str, Pattern],
    collections: Mapping[str, Sequence[Entry]],
) -> tuple[tuple[Route, ...], tuple[Diagnostic, ...]]:
    """The routes of all built-in pages that the site does not answer itself.

    Findings: `config-error` for menus and routes of terms, `front-matter-error` for terms without a slug.
    """
    known = tuple(routes)
    shapes = {route.pattern.shape for route in known if route.kind in ("page", "handler")}
    found: list[Route] = []
    findings: list[Diagnostic] = []
    for name, pattern in patterns.items():
        collection, entries = config.settings.collections[name], collections[name]
        if collection.locale and not entries:  # nothing is translated, and nothing stands in for it
            continue
        findings += _nav_faults(config, collection, entries)
        base = Pattern(pattern.segments[:-1])
        own = next((route for route in known if route.kind == "page" and route.pattern == pattern), None)
        for listing, at in _listings(collection, base, own):
            if isinstance(at, Diagnostic):
                findings += [at] if not collection.locale else []
            elif at.shape not in shapes:
                found.append(_route(tree, listing, at, collection.locale))
        for kind in TERMS:
            if getattr(collection, kind):
                findings += read_terms(entries, collection, kind)[1]
    for locale in ("", *config.languages[1:]):
        names = [name for name in collections if config.settings.collections[name].locale == locale]
        pattern = below(locale, Pattern())
        home = _route(tree, Listing("home"), pattern, locale)
        if any(collections[name] for name in names) and not is_moved_home(home, config.rules):
            found.append(home)
    return tuple(found), tuple(findings)


def is_moved_home(route: Route, rules: Iterable[Rule]) -> bool:
    """Whether a route is a built-in home page, and a redirect leads away from it in any case."""
    if route.listing is None or route.listing.kind != "home":
        return False
    redirects = (rule for rule in rules if isinstance(rule, Redirect) and not (rule.has or rule.missing))
    return any(rule.source.match(route.pattern.fill({})) is not None for rule in redirects)


def _route(tree: Tree, listing: Listing, pattern: Pattern, locale: str) -> Route:
    around = tree.around(pattern, locale)
    return Route("page", pattern, "", surroundings=around, listing=listing, locale=locale)


def _listings(
    collection: Collection, base: Pattern, own: Route | None
) -> Iterator[tuple[Listing, Pattern | Diagnostic]]:
    """The built-in pages a collection asks for, each with its address; `own` is the route of its documents."""
    if collection.list:
        yield Listing("list", collection.name), base
    elif has_folder_pages(own):
        yield Listing("folders", collection.name), base
    for kind in TERMS:
        if getattr(collection, kind):
            yield Listing("terms", collection.name, kind), term_pattern(collection, kind)  # type: ignore[arg-type]


def has_folder_pages(own: Route | None) -> bool:
    """Whether folders without a document get a page: where the default look shows the documents."""
    return own is not None and not own.file and not own.surroundings.layouts


def term_pattern(collection: Collection, kind: str) -> Pattern | Diagnostic:
    """The route of the pages of terms: its only parameter is last."""
    text = getattr(collection, kind)
    pattern = Pattern.parse(text)
    if isinstance(pattern, Refused):
        message = f"collections.{collection.name}.{kind}: {pattern.reason}"
        return Diagnostic("config-error", message, collection.location, pattern.hint)
    if len(pattern.params) == 1 and pattern.segments[-1].is_param and not pattern.segments[-1].is_catch_all:
        return pattern
    message = f"collections.{collection.name}.{kind} needs one parameter, at its end: {text}"
    hint = f'write {kind} = "/{collection.name}/{kind}/[{kind[:-1]}]"'
    return Diagnostic("config-error", message, collection.location, hint)


def _nav_faults(config: Config, collection: Collection, entries: Sequence[Entry]) -> Iterator[Diagnostic]:
    if not collection.nav or collection.locale:
        return
    slugs = {entry.slug for entry in entries}
    folders = {slug.rpartition("/")[0] for slug in slugs} - {""}
    folders |= {folder.rpartition("/")[0] for folder in folders} - {""}
    source = config.root / collection.source

    def exists(slug: str) -> bool:
        names = (f"{slug}.md", f"{slug}/index.md".lstrip("/"))
        return any((source / name).is_file() for name in names)

    known = cache(lambda: Words(slugs))
    yield from check_items(collection.nav, slugs, folders, exists, lambda slug: known().hint(slug))


@dataclass(frozen=True, slots=True)
class ListedPage:
    """One built-in page."""

    url: str  # decoded
    params: tuple[tuple[str, str], ...] = ()


def listed_pages(
    route: Route, collections: Mapping[str, Sequence[Entry]], config: Config
) -> Iterator[ListedPage]:
    """The pages of a built-in route."""
    listing = route.listing
    assert listing is not None, "only built-in routes have pages of lists"
    if listing.kind == "home":
        yield ListedPage(route.pattern.fill({}))
        return
    entries, collection = collections[listing.collection], config.settings.collections[listing.collection]
    makers: dict[str, Callable[..., Iterator[ListedPage]]] = {
        "list": _list_pages,
        "folders": _folder_pages,
        "terms": _term_pages,
    }
    yield from makers[listing.kind](route, entries, collection)


def _list_pages(route: Route, entries: Sequence[Entry], collection: Collection) -> Iterator[ListedPage]:
    base = route.pattern.fill({})
    has_index = any(not entry.slug for entry in entries)
    yield from _numbered(
        base, len(list_order(entries, collection)), collection.per_page, without_first=has_index
    )


def _numbered(
    base: str,
    count: int,
    per_page: int,
    params: tuple[tuple[str, str], ...] = (),
    *,
    without_first: bool = False,
) -> Iterator[ListedPage]:
    for page in paginate(range(count), per_page):
        if page.number > 1:
            url = f"{base.rstrip('/')}/page/{page.number}"
            yield ListedPage(url, (*params, ("page", str(page.number))))
        elif not without_first:
            yield ListedPage(base, params)


def _folder_pages(route: Route, entries: Sequence[Entry], _: Collection) -> Iterator[ListedPage]:
    """A page for each folder that has documents below it and none of its own; that of the root is at the route."""
    slugs = {entry.slug for entry in entries}
    folders = {""} if entries else set[str]()
    for slug in slugs:
        while slug := slug.rpartition("/")[0]:
            folders.add(slug)
    base = route.pattern.fill({}).rstrip("/")
    for folder in sorted(folders - slugs):
        if url := f"{base}/{folder}".rstrip("/"):
            yield ListedPage(url)


def _term_pages(route: Route, entries: Sequence[Entry], collection: Collection) -> Iterator[ListedPage]:
    """A page for each term, its further pages, and the one that lists all terms."""
    assert route.listing is not None, "the pages of terms are built in"
    terms = read_terms(entries, collection, route.listing.term)[0]
    name = route.pattern.params[0]
    for term in terms:
        url = route.pattern.fill({name: term.slug})
        yield from _numbered(url, len(term.entries), collection.per_page, ((name, term.slug),))
    if terms:
        yield ListedPage(Pattern(route.pattern.segments[:-1]).fill({}))


@dataclass(frozen=True, slots=True)
class TermFeed:
    """The feed of one tag: its newest dated documents."""

    url: str  # decoded, of the page of the tag
    name: str
    entries: tuple[Entry, ...]  # newest first


def term_feeds(collections: Mapping[str, Sequence[Entry]], config: Config) -> Iterator[TermFeed]:
    """A feed for each tag that has a page, but in collections that no feed shows."""
    for name, entries in collections.items():
        settings = config.settings.collections[name]
        pattern = term_pattern(settings, "tags") if settings.tags and settings.feed else None
        for term in read_terms(entries, settings, "tags")[0] if isinstance(pattern, Pattern) else ():
            assert isinstance(pattern, Pattern), "terms have a pattern"
            dated = ((entries[n].date, entries[n]) for n in term.entries)
            known = sorted(
                ((d, e) for d, e in dated if d), key=lambda pair: (-pair[0].timestamp(), pair[1].url)
            )
            shown = tuple(entry for _, entry in known[: config.settings.feed.limit])
            yield TermFeed(pattern.fill({pattern.params[0]: term.slug}), term.name, shown)
