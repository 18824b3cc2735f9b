"""What the types of settings cannot say: addresses, time zones, languages, colours, names of engines and targets.

Owns these findings, at the line of the setting. Opens no file.
Sources: docs/settings.md; IANA time zones; RFC 5646 (language tags).
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pybuild.config.schema import Cards, Images, NavItem, Options, Settings, Site, Theme
from pybuild.config.settings_file import Reader
from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.language_tags import is_language_tag, language_hint
from pybuild.urls import encode, is_safe, nfc, path_fault

MARKDOWN_ENGINES = ("auto", "markdown-it-py", "pyromark")
_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


def checked(settings: Settings, options: Options, reader: Reader) -> Settings:
    """Check what a type cannot say, and let `--base-url` replace `site.url`."""
    site = settings.site
    if options.base_url is not None:
        site = dataclasses.replace(site, url=options.base_url)
    for name in ("url", "title"):
        if not getattr(site, name):
            example = "https://example.com" if name == "url" else "My site"
            reader.fault(("site",), f"site.{name} is missing", f'write {name} = "{example}" below [site]')
    if site.url:
        given_as = "site.url" if options.base_url is None else "--base-url"
        site = dataclasses.replace(site, url=_checked_url(site.url, given_as, reader))
    if not _is_zone(site.timezone):
        reader.fault(
            ("site", "timezone"),
            f'"{site.timezone}" is not a time zone',
            did_you_mean(site.timezone, available_timezones())
            or 'write an IANA name such as "Europe/Vienna"',
        )
        site = dataclasses.replace(site, timezone="UTC")
    if not is_language_tag(site.language):
        message = f'site.language is no language tag: "{site.language}"'
        reader.fault(("site", "language"), message, language_hint(site.language))
    site = _checked_languages(settings, site, reader)
    settings = dataclasses.replace(settings, site=site)
    if settings.languages.default or settings.languages.known:
        languages = dataclasses.replace(settings.languages, default=site.language)
        settings = dataclasses.replace(settings, languages=languages)
    _check_collections(settings, reader)
    _check_theme(settings.theme, reader)
    _check_addresses(settings, reader)
    _check_markdown(settings.markdown.engine, reader)
    _check_images(settings.images, reader)
    _check_cards(settings.cards, reader)
    return dataclasses.replace(settings, site=site)


def _check_images(images: Images, reader: Reader) -> None:
    if odd := [width for width in images.widths if not 16 <= width <= 10_000]:
        message = f"images.widths has {odd[0]}, and widths are between 16 and 10,000 pixels"
        reader.fault(("images", "widths"), message, "write widths = [640, 1280]")
    elif images.widths and find_spec("PIL") is None:
        message = "images.widths needs Pillow, which is not installed"
        reader.fault(("images", "widths"), message, 'run: pip install "pybuild-export[images]"')


def _check_cards(cards: Cards, reader: Reader) -> None:
    if cards.enabled and not all(find_spec(name) is not None for name in ("resvg_py", "fontTools")):
        message = "cards.enabled needs resvg-py and fonttools, which are not installed"
        reader.fault(("cards", "enabled"), message, 'run: pip install "pybuild-export[images]"')


def _checked_languages(settings: Settings, site: Site, reader: Reader) -> Site:
    """Require languages that are tags, and one default; the site is returned in that."""
    default, written = settings.languages.default, ("site", "language") in reader.lines.lines
    if default and not is_language_tag(default):
        message = f'languages.default is no language tag: "{default}"'
        reader.fault(("languages", "default"), message, language_hint(default))
    elif default and written and default != site.language:
        message = f'languages.default is "{default}" and site.language is "{site.language}"'
        reader.fault(("languages", "default"), message, "write the same in both, or leave one out")
    elif default:
        site = dataclasses.replace(site, language=default)
    seen = {site.language.lower(): site.language}
    for code, language in settings.languages.known.items():
        if not is_language_tag(code):
            reader.fault(("languages", code), f'"{code}" is no language tag', language_hint(code))
        elif seen.setdefault(code.lower(), code) != code:
            message = f'the languages "{seen[code.lower()]}" and "{code}" differ by letter case only'
            reader.fault(("languages", code), message, "write one of them in both places")
        for name in language.collections.keys() - settings.collections.keys():
            hint = did_you_mean(name, settings.collections) or "name a collection of this file"
            reader.fault(("languages", code, "collections", name), f'there is no collection "{name}"', hint)
        for name, words in language.strings.items():
            for key, count in (("months", 12), ("days", 7)):
                if name == key and len(words.split()) != count:
                    message = f"languages.{code}.strings.{key} has {len(words.split())} names, not {count}"
                    reader.fault(
                        ("languages", code, "strings", key), message, "write them with spaces between"
                    )
    return site


def _check_markdown(engine: str, reader: Reader) -> None:
    """Require an engine for Markdown that there is, and that is installed."""
    if engine not in MARKDOWN_ENGINES:
        hint = did_you_mean(engine, MARKDOWN_ENGINES) or f"choose one of {', '.join(MARKDOWN_ENGINES)}"
        reader.fault(("markdown", "engine"), f'there is no Markdown engine "{engine}"', hint)
    elif engine == "pyromark" and find_spec(engine) is None:
        message = f'the Markdown engine "{engine}" is not installed'
        reader.fault(
            ("markdown", "engine"),
            message,
            'write engine = "auto", which takes the fastest that is installed',
        )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _checked_url(url: str, given_as: str, reader: Reader) -> str:
    """Require the address of a site; return it as `site_address` does."""
    if address := site_address(url):
        return address
    hint = 'write the address of the site, such as "https://example.com" or "https://example.com/docs"'
    at = reader.locate(("site", "url")) if given_as == "site.url" else Location()
    message = f'{given_as} is not an absolute address: "{url}"'
    reader.findings.append(Diagnostic("config-error", message, at, hint))
    return "https://invalid.example"


def site_address(url: str) -> str | None:
    """An http(s) address without user, query or fragment, encoded and without a trailing slash; None for any other."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 80) > 0
        sound = sound and not (parts.query or parts.fragment or "@" in parts.netloc) and url.isprintable()
        path = unquote(parts.path).strip("/")
        sound = sound and not re.search(r'[\s<>"\\^`{|}]', url) and not (path and path_fault(path))
        host = parts.netloc.encode("idna").decode("ascii")
    except ValueError:
        return None
    return f"{parts.scheme}://{host.lower()}/{encode(nfc(path))}".rstrip("/") if sound else None


def _check_collections(settings: Settings, reader: Reader) -> None:
    for name, collection in settings.collections.items():
        for key, example in (("source", f"content/{name}"), ("route", f"/{name}/[...slug]")):
            if not getattr(collection, key):
                hint = f'write {key} = "{example}"'
                reader.fault(("collections", name), f"collections.{name}.{key} is missing", hint)
        if "@" in name:
            hint = "write a name of letters, digits and hyphens"
            reader.fault(("collections", name), f'the name of a collection cannot hold "@": "{name}"', hint)
        if collection.per_page < 1:
            hint = "write 1 or more"
            message = f"collections.{name}.per_page is too small"
            reader.fault(("collections", name, "per_page"), message, hint)
    for index, name in enumerate(settings.feed.collections):
        if name not in settings.collections:
            hint = did_you_mean(name, settings.collections) or "name a collection of this file"
            reader.fault(("feed", "collections", index), f'there is no collection "{name}"', hint)


def _check_theme(theme: Theme, reader: Reader) -> None:
    if theme.accent and not _COLOUR.fullmatch(theme.accent):
        message = f'theme.accent is not a colour: "{theme.accent}"'
        reader.fault(("theme", "accent"), message, 'write it as "#0a6c74"')
    if theme.edit and "{file}" not in theme.edit:
        hint = 'write edit = "https://github.com/you/site/edit/main/{file}"'
        reader.fault(("theme", "edit"), "theme.edit does not name {file}", hint)
    for number, link in enumerate(theme.links):
        if not (link.label and link.url):
            hint = 'write { label = "…", url = "…" }'
            reader.fault(("theme", "links", number), f"theme.links.{number} needs a label and a url", hint)


def _check_addresses(settings: Settings, reader: Reader) -> None:
    """Refuse addresses of the look and of menus that run code, or that browsers leave to other programs."""
    theme = settings.theme
    named: list[tuple[tuple[str | int, ...], str]] = [
        *((("theme", "links", number, "url"), link.url) for number, link in enumerate(theme.links)),
        *((("theme", "css", number), address) for number, address in enumerate(theme.css)),
        (("theme", "edit"), theme.edit),
        (("theme", "logo"), "" if theme.logo.startswith("data:image/") else theme.logo),
    ]
    for name, collection in settings.collections.items():
        waiting: list[tuple[tuple[str | int, ...], NavItem]]
        waiting = [(("collections", name, "nav", n), item) for n, item in enumerate(collection.nav)]
        while waiting:
            path, item = waiting.pop()
            named.append(((*path, "url"), item.url))
            waiting += [((*path, "items", n), inner) for n, inner in enumerate(item.items)]
    for key, address in named:
        if not is_safe(address.strip()):
            message = f'{".".join(map(str, key))} is not an address of the web: "{address}"'
            reader.fault(
                key, message, 'write a path such as "/about", or an address that starts with https://'
            )


def check_names(settings: Settings, names: Mapping[str, frozenset[str]], reader: Reader) -> None:
    """Require that the engine and the targets are among `names`, for the kinds it has."""
    build = settings.build
    asked: dict[str, list[tuple[tuple[str, ...], str]]] = {
        "engine": [(("build", "engine"), build.engine)],
        "target": [(("build", "target"), build.target), *((("targets", n), n) for n in settings.targets)],
    }
    for kind, known in names.items():
        for path, name in asked[kind]:
            if name not in known:
                hint = did_you_mean(name, known) or f"choose one of {', '.join(sorted(known))}"
                reader.fault(path, f'there is no {kind} "{name}"', hint)
