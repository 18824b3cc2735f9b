"""Pages in several languages: the routes and documents of each, what takes the place of a missing translation, and
which pages are translations of each other.

Owns the addresses of languages: the default one has no prefix, the others begin with their code. Reads nothing.
Source: docs/languages.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pybuild.compact import table
from pybuild.config.languages import locale_name
from pybuild.config.loader import Config
from pybuild.config.schema import Collection
from pybuild.routing.segments import Pattern, Segment
from pybuild.routing.tree import Route
from pybuild.source.document import ENTRY, Entry, slug_of
from pybuild.urls import nfc


def routes_of_languages(
    routes: Sequence[Route], config: Config, is_published: Callable[[str], bool]
) -> Iterator[Route]:
    """The routes of `app/`, and each page in every further language; a route that `app/` has there itself comes first.

    `is_published` says of a Markdown file whether it is; pages of one that is not are left out.
    """
    others = config.languages[1:]
    taken: set[str] = set()
    for route in routes:
        is_left_out = route.kind == "page" and route.markdown and not is_published(route.markdown)
        if is_left_out or not (route.module or route.template or route.markdown or route.static):
            continue  # a draft, or a page that only has translations
        if route.kind in ("page", "handler"):
            taken.add(route.pattern.shape)
        yield replace(route, locale=_written_locale(route, others)) if route.kind == "page" else route
    for code in others:
        for route in routes:
            found = _translated(route, code, config, is_published)
            if found and not _written_locale(route, others) and found.pattern.shape not in taken:
                yield found


def _written_locale(route: Route, others: Sequence[str]) -> str:
    """The language of a route that lies below the folder of one, such as `app/de/`."""
    first = next(iter(route.pattern.segments), None)
    return first.name if first and first.kind == "static" and first.name in others else ""


def _translated(route: Route, code: str, config: Config, is_published: Callable[[str], bool]) -> Route | None:
    """A page in another language; one whose text is not translated stands in with that of the default, or is none."""
    if route.kind != "page":
        return None
    own = dict(route.translations).get(code, "")
    made = replace(route, pattern=below(code, route.pattern), locale=code)
    if own and is_published(own):
        return replace(made, markdown=own)
    if not route.markdown:
        return made if route.module or route.template else None
    stands_in = config.settings.languages.fallback and is_published(route.markdown)
    return replace(made, is_fallback=True) if stands_in else None


def below(code: str, pattern: Pattern) -> Pattern:
    """A pattern below the prefix of a language; "" is the default."""
    return Pattern((Segment("static", code), *pattern.segments)) if code else pattern


def without_prefix(url: str, locale: str) -> str:
    """The address in the default language: `/de/a` → `/a`; one that is not below the prefix stays."""
    return url.removeprefix(f"/{locale}") or "/" if locale and f"{url}/".startswith(f"/{locale}/") else url


def with_translations(
    config: Config, collections: Mapping[str, Sequence[Entry]]
) -> Mapping[str, Sequence[Entry]]:
    """Join the documents of each language with those that they translate; what is missing is filled from the default."""
    found = dict(collections)
    for name, entries in collections.items():
        if config.settings.collections[name].locale:
            continue
        known = {_key(entry, config): entry.url for entry in entries}
        for code in config.languages[1:]:
            other = locale_name(name, code)
            translated = {_key(entry, config): entry for entry in collections[other]}
            made = [replace(one, locale=code, original=known.get(key, "")) for key, one in translated.items()]
            urls = {entry.url for entry in made}
            for entry in entries if config.settings.languages.fallback else ():
                url = f"/{code}{entry.url}".rstrip("/")
                if _key(entry, config) not in translated and url not in urls:
                    stand_in = replace(entry, collection=other, url=url, locale=code)
                    made.append(replace(stand_in, original=entry.url, is_fallback=True))
            sorted_entries = table(ENTRY, len(made))
            sorted_entries.extend(sorted(made, key=lambda entry: entry.segments))
            found[other] = sorted_entries
    return found


def _key(entry: Entry, config: Config) -> tuple[str, ...]:
    """What a document and its translations have in common: the path below the folder of their language."""
    collection = config.settings.collections[entry.collection]
    return slug_of(_path_in(collection, entry), collection)


def _path_in(collection: Collection, entry: Entry) -> str:
    return entry.file.removeprefix(collection.source.strip("/") + "/")


def files_of_languages(
    config: Config, routes: Iterable[Route], collections: Mapping[str, Sequence[Entry]]
) -> Mapping[str, Mapping[str, str]]:
    """For each further language the address in it of every document, by file: also of one that is not translated.

    A file that a translation would have leads to the page that stands in for it, else to that of the default language.
    """
    found: dict[str, dict[str, str]] = {code: {} for code in config.languages[1:]}
    for name, entries in collections.items():
        settings = config.settings.collections[name]
        if not settings.locale:
            continue
        default = config.settings.collections[settings.base_name]
        originals = {entry.url: entry.file for entry in collections[settings.base_name]}
        translated = {entry.original for entry in entries}
        for entry in collections[settings.base_name]:
            if entry.url not in translated:
                found[settings.locale][nfc(f"{settings.source}/{_path_in(default, entry)}")] = entry.url
        for entry in entries:
            files = [entry.file, originals.get(entry.original, entry.file)]
            if entry.is_fallback:
                files.append(f"{settings.source}/{_path_in(default, entry)}")
            found[settings.locale] |= {nfc(file): entry.url for file in files}
    for route in routes:
        if route.locale and route.kind == "page" and not route.pattern.is_dynamic:
            files = [route.markdown, *(file for code, file in route.translations if code == route.locale)]
            base = f"{route.folder}/page.md"
            found[route.locale] |= {nfc(file): route.pattern.fill({}) for file in (*files, base) if file}
    return found


@dataclass(frozen=True, slots=True)
class Version:
    """A page in one language."""

    locale: str  # "" is the default
    url: str  # decoded
    is_fallback: bool = False  # it has the text of the default language


@dataclass(frozen=True, slots=True)
class Translations:
    """Which pages say the same in other languages."""

    originals: Mapping[str, str] = field(default_factory=dict)  # of each page the address they have in common
    versions: Mapping[str, tuple[Version, ...]] = field(
        default_factory=dict
    )  # by that, in the order of languages

    @property
    def stand_ins(self) -> Mapping[str, str]:
        """The pages that are not translated, each with the page whose text it has."""
        found: dict[str, str] = {}
        for versions in self.versions.values():
            default = next((version.url for version in versions if not version.locale), None)
            if default:
                found |= {version.url: default for version in versions if version.is_fallback}
        return found

    def of(self, url: str) -> tuple[Version, ...]:
        """A page in all languages that it has, itself among them; nothing in a site of one language."""
        return self.versions.get(self.originals.get(url, ""), ())


NO_TRANSLATIONS = Translations()


def read_translations(config: Config, pages: Iterable[tuple[Version, str]]) -> Translations:
    """Join pages by the address that each is given with, that of the default language."""
    ranks = {"": 0, **{code: rank for rank, code in enumerate(config.languages) if rank}}
    versions: dict[str, list[Version]] = {}
    originals: dict[str, str] = {}
    for version, original in pages:
        originals[version.url] = original
        versions.setdefault(original, []).append(version)
    return Translations(
        originals,
        {
            key: tuple(sorted(found, key=lambda one: (ranks[one.locale], one.url)))
            for key, found in versions.items()
        },
    )
