"""The languages of a site: what each changes of the settings.

Owns which languages there are, which is the default, and what a collection is in another one: `docs@de` has the
documents of `content/docs/de` and answers below `/de`. Reads nothing. Source: docs/languages.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pybuild.config.schema import Collection, Language, NavItem, Settings
from pybuild.language_tags import NAMES

_NO_LANGUAGE = Language()


def language_codes(settings: Settings) -> tuple[str, ...]:
    """The languages, the default one first; none where the settings name none."""
    languages = settings.languages
    if not languages.default:
        return ()
    default = languages.default
    return (default, *(code for code in languages.known if code != default))


def language_of(settings: Settings, code: str) -> Language:
    """What the settings say of a language, and its own name where they do not say one."""
    found = settings.languages.known.get(code, _NO_LANGUAGE)
    return found if found.label else replace(found, label=NAMES.get(code.partition("-")[0].lower(), code))


def locale_name(collection: str, locale: str) -> str:
    """The name of a collection in a language; "" is the default one."""
    return f"{collection}@{locale}" if locale else collection


def with_collections_of_languages(settings: Settings) -> Settings:
    """Add each collection in each further language."""
    others = language_codes(settings)[1:]
    found: dict[str, Collection] = {}
    for name, collection in settings.collections.items():
        found[name] = collection
        for code in others:
            found[locale_name(name, code)] = _in_language(collection, code, settings)
    return replace(settings, collections=found)


def _in_language(collection: Collection, code: str, settings: Settings) -> Collection:
    said = settings.languages.known[code]

    def below(route: str) -> str:
        return f"/{code}{route}" if route else ""

    return replace(
        collection,
        name=locale_name(collection.name, code),
        title=said.collections.get(collection.name, collection.title),
        source=f"{collection.source.strip('/')}/{code}",
        route=below(collection.route),
        tags=below(collection.tags),
        authors=below(collection.authors),
        nav=_in_words(collection.nav, said.strings),
    )


def _in_words(items: Iterable[NavItem], words: Mapping[str, str]) -> tuple[NavItem, ...]:
    """The items of a menu with their labels as the strings of a language have them."""
    return tuple(
        replace(item, label=words.get(item.label, item.label), items=_in_words(item.items, words))
        for item in items
    )


def settings_in(settings: Settings, code: str) -> Settings:
    """The settings as pages of a language have them: title and description of the site, and its language."""
    said = language_of(settings, code)
    site = settings.site
    named = replace(
        site, language=code, title=said.title or site.title, description=said.description or site.description
    )
    return replace(settings, site=named)
