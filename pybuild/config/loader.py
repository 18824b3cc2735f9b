"""The settings file read: found, parsed, turned into typed values, and held against what types cannot say.

Owns every finding on the file but those on rules. Knows no environment and no page. Source: TOML 1.0.

The configuration of one run: settings, options, and what the outside world may say.

Owns `Config` and `load_config`, and is the only module that reads the environment and the clock. Knows no
route and no page; the file is read by `settingsfile`, rules by `rules.parse`.
Source of truth: docs/settings.md; reproducible-builds.org, "SOURCE_DATE_EPOCH".
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import re
import time
import tomllib
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pybuild.config.languages import language_codes, settings_in, with_collections_of_languages
from pybuild.config.redirect_file import read_redirects
from pybuild.config.rules import parse_rules
from pybuild.config.schema import (
    Cards,
    Collection,
    Feed,
    FeedFormat,
    Images,
    Llms,
    Markdown,
    NavItem,
    Negotiation,
    Options,
    Robots,
    Settings,
    Site,
    Sitemap,
    Theme,
)
from pybuild.config.toml_lines import TomlMap
from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.files import decode
from pybuild.language_tags import is_language_tag, language_hint
from pybuild.rules.model import RULE_TABLES, Rule
from pybuild.source.secrets import Secrets, secrets_of
from pybuild.urls import encode, nfc, path_fault

MARKDOWN_ENGINES = ("auto", "markdown-it-py", "pyromark")
_ADVICE = {  # by how the parser's sentence begins
    "Invalid value": 'write text in quotes, such as title = "My site"',
    "Invalid statement": "write name = value, or a header such as [site]",
    "Expected '='": 'write name = value, such as title = "My site"',
    "Cannot overwrite": "keep one of the two",
    "Cannot declare": "keep one of the two headers",
    "Illegal character": "end the text with the quote it began with, on the same line",
    'Expected "': "end the text with the quote it began with",
    "Unterminated": "end the text with the quote it began with",
    "": "correct this line; https://toml.io shows how values are written",
}


class MissingSettings(Exception):
    """No settings file is in the folder; the command line named the wrong one (exit 2)."""


def read_file(root: Path) -> tuple[str, str, dict[str, Any], list[Diagnostic]]:
    """Find and parse the settings file: its name, text and table. `pybuild.toml` and `[tool.pybuild]` exclude each other."""
    own, project = root / "pybuild.toml", root / "pyproject.toml"
    shared = _project_line(project)
    if own.is_file():
        text, table, findings = _parse(own)
        if shared:
            message = "settings stand in both pybuild.toml and pyproject.toml"
            hint = "keep one: delete [tool.pybuild] from pyproject.toml, or delete pybuild.toml"
            findings.append(Diagnostic("config-error", message, Location("pyproject.toml", shared), hint))
        return "pybuild.toml", text, table, findings
    if not shared:
        raise MissingSettings(f"{root} has no pybuild.toml" if root.is_dir() else f"{root} is not a folder")
    text, table, findings = _parse(project)
    ours = table.get("tool", {}).get("pybuild", {})
    if isinstance(ours, dict):
        return "pyproject.toml", text, ours, findings
    at = Location("pyproject.toml", shared)
    wrong = Diagnostic("config-error", "tool.pybuild must be a table", at, "write [tool.pybuild]")
    return "pyproject.toml", text, {}, [*findings, wrong]


def has_settings(folder: Path) -> bool:
    """Whether a folder is a site: it has a settings file, whatever is in it."""
    return (folder / "pybuild.toml").is_file() or _project_line(folder / "pyproject.toml") > 0


def _project_line(project: Path) -> int:
    """The line of the first header of ours in a pyproject.toml, 1-based; 0 where there is none."""
    data = project.read_bytes() if project.is_file() else b""
    found = re.search(rb"(?m)^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*pybuild\b", data)
    return data.count(b"\n", 0, found.start()) + 1 if found else 0


def _parse(file: Path) -> tuple[str, dict[str, Any], list[Diagnostic]]:
    text, findings = decode(file.read_bytes(), file.name)
    if findings:
        return "", {}, list(findings)
    try:
        return text, tomllib.loads(text), []
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"line (\d+), column (\d+)", str(fault))
        place = (int(found[1]), int(found[2])) if found else (len(text.splitlines()), None)
        said = re.sub(r" \(at .*\)$", "", str(fault))
        hint = next((hint for start, hint in _ADVICE.items() if said.startswith(start)), _ADVICE[""])
        at = Location(file.name, *place)
        return text, {}, [Diagnostic("config-error", f"this is not TOML: {said}", at, hint)]


def lift_trailing_slash(table: dict[str, Any]) -> dict[str, Any]:
    """Accept `trailing_slash` below `[site]` or `[build]`, where TOML puts a key written after the header."""
    for name in ("site", "build"):
        inner = table.get(name)
        if isinstance(inner, dict) and "trailing_slash" in inner:
            table = {"trailing_slash": inner["trailing_slash"], **table}
            table[name] = {k: v for k, v in inner.items() if k != "trailing_slash"}
    return table


class Reader:
    """Turns tables into dataclasses and collects what does not fit."""

    def __init__(self, file: str, lines: TomlMap, others: Iterable[str] = ()) -> None:
        """`others` are tables at the top level that somebody else reads."""
        self.file = file
        self.others = frozenset(others)
        self.lines = lines
        self.findings: list[Diagnostic] = []

    def locate(self, path: tuple[str | int, ...]) -> Location:
        return Location(self.file, self.lines.line(path))

    def fault(self, path: tuple[str | int, ...], message: str, hint: str) -> None:
        self.findings.append(Diagnostic("config-error", message, self.locate(path), hint))

    def read(self, kind: Any, value: object, path: tuple[str | int, ...]) -> Any:
        """Read `value` as `kind`: a dataclass, a scalar, a tuple, a mapping or a Literal."""
        if kind is NavItem:
            return self._nav_item(value, path)
        if dataclasses.is_dataclass(kind):
            return self._read_table(kind, value, path)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple:
            if isinstance(value, list):
                return tuple(self.read(inner[0], v, (*path, i)) for i, v in enumerate(value))
            return self._wrong(path, "a list", value)
        if origin in (Mapping, dict):
            if isinstance(value, dict):
                return self._mapping(inner[1], value, path)
            return self._wrong(path, "a table", value)
        if origin is Literal:
            known = next((v for v in inner if type(v) is type(value) and v == value), None)
            return (
                known if known is not None else self._wrong(path, " or ".join(map(_toml_text, inner)), value)
            )
        return self._scalar(kind, value, path)

    def _nav_item(self, value: object, path: tuple[str | int, ...]) -> NavItem:
        """Read a slug, `{ label, items }` or `{ label, url }`."""
        if isinstance(value, str):
            return NavItem(slug=value, location=Location(self.file, self.lines.line_of(path, value)))
        item: NavItem = self._read_table(NavItem, value, path) or NavItem()
        if sum(map(bool, (item.slug, item.url, item.items))) != 1 or (item.items and not item.label):
            hint = 'write "slug", { label = "…", items = […] } or { label = "…", url = "…" }'
            self.fault(path, f"{'.'.join(map(str, path))} is no item of a menu", hint)
            return NavItem(label="?", url="#")
        return item

    def _mapping(self, kind: Any, value: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
        if kind is Any:
            return value
        read = {name: self.read(kind, item, (*path, name)) for name, item in value.items()}
        return {name: item for name, item in read.items() if item is not None}

    def _scalar(self, kind: Any, value: object, path: tuple[str | int, ...]) -> object:
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, kind) and not (kind is int and isinstance(value, bool)):
            return value
        names = {str: "text in quotes", bool: "true or false", int: "a whole number", float: "a number"}
        return self._wrong(path, names[kind], value)

    def _wrong(self, path: tuple[str | int, ...], wanted: str, value: object) -> Any:
        """Report a value of the wrong type; None, which keeps the default."""
        name = ".".join(map(str, path))
        self.fault(path, f"{name} must be {wanted}, not {_toml_text(value)}", f"write {wanted}")
        return None

    def _read_table(self, kind: Any, value: object, path: tuple[str | int, ...]) -> Any:
        if not isinstance(value, dict):
            return self._wrong(path, "a table", value)
        hints = typing.get_type_hints(kind)
        own = {"name": str(path[-1]), "location": self.locate(path)} if "location" in hints else {}
        own = {name: given for name, given in own.items() if name in hints}
        rest = next((f.name for f in dataclasses.fields(kind) if f.metadata.get("rest")), "")
        if rest:  # tables of any other name
            named = {k: v for k, v in value.items() if isinstance(v, dict) and k not in hints}
            found = self._mapping(typing.get_args(hints[rest])[1], named, path)
            value = {k: v for k, v in value.items() if k not in found}
            own[rest] = found
        hints = {k: v for k, v in hints.items() if k not in own}
        read = {k: self.read(hints[k], v, (*path, k)) for k, v in value.items() if k in hints}
        for name in value.keys() - hints.keys():
            self._unknown((*path, name), hints.keys() | (self.others if not path else ()))
        least = {field.name: field.metadata.get("minimum") for field in dataclasses.fields(kind)}
        for name, number in read.items():
            if number is not None and (minimum := least[name]) is not None and number < minimum:
                self.fault(
                    (*path, name),
                    f"{'.'.join(map(str, (*path, name)))} is too small",
                    "write a larger number",
                )
        return kind(**own, **{k: v for k, v in read.items() if v is not None})

    def _unknown(self, path: tuple[str | int, ...], known: typing.Iterable[str]) -> None:
        place = f"[{'.'.join(map(str, path[:-1]))}]" if path[:-1] else "the top level"
        hint = did_you_mean(str(path[-1]), known) or f"{place} knows {', '.join(sorted(known))}"
        self.fault(path, f'unknown setting "{path[-1]}" in {place}', hint)


def _toml_text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"'
    return "a list" if isinstance(value, list) else "a table" if isinstance(value, dict) else str(value)


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


_COLOUR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")


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


__all__ = [
    "Collection",
    "Config",
    "Feed",
    "FeedFormat",
    "Llms",
    "Markdown",
    "MissingSettings",
    "Negotiation",
    "Options",
    "Robots",
    "Settings",
    "Site",
    "Sitemap",
    "has_settings",
    "load_config",
    "locate_text",
    "site_address",
    "stopwatch",
]

_NO_OPTIONS = Options()
_NO_NAMES: Mapping[str, frozenset[str]] = {}


@dataclass(frozen=True, slots=True)
class Config:
    """Settings, options and the little the outside world may say: where, when, which environment."""

    root: Path  # of the site, absolute, resolved
    file: str  # "pybuild.toml" or "pyproject.toml"
    settings: Settings
    options: Options
    is_readable: bool = True  # False: the file could not be parsed, so nothing is known of the site
    rules: tuple[Rule, ...] = ()  # in the order of the file
    redirect_module: str = ""  # of the site, whose redirects() lists more
    home: Path | None = None  # of the user
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)  # only to tell future dates; SOURCE_DATE_EPOCH
    public_env: Mapping[str, str] = field(default_factory=dict)  # PYBUILD_PUBLIC_*, without the prefix
    secrets: Secrets = field(default_factory=dict)  # what must not be published nor printed
    digest: str = ""  # of the text of the settings file
    cluster: str = ""  # the address of the scheduler of `engine = "dask"`; "" is a cluster on this machine
    locale: str = ""  # the language whose pages it is for; "" is the default

    @property
    def site(self) -> Site:
        return self.settings.site

    @property
    def trailing_slash(self) -> bool:
        return self.settings.trailing_slash

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the site, the default one first; none where the settings name none."""
        return language_codes(self.settings)

    @property
    def prefix(self) -> str:
        """What addresses of the language begin with: `/de`; "" for the default one."""
        return f"/{self.locale}" if self.locale else ""

    def in_language(self, locale: str) -> Config:
        """The configuration as pages of a language have it."""
        if not locale:
            return self
        return dataclasses.replace(self, settings=settings_in(self.settings, locale), locale=locale)

    @property
    def out(self) -> Path:
        """The output folder as asked for, absolute, not resolved. `--out` is relative to the caller."""
        if self.options.out is not None:
            return Path.cwd() / self.options.out
        return self.root / self.settings.build.out

    @property
    def deploy(self) -> Path:
        """Where the target's files go that do not belong into the output: `<out>-deploy/<target>`."""
        if self.options.deploy_dir is not None:
            return Path.cwd() / self.options.deploy_dir
        return self.out.with_name(f"{self.out.name}-deploy") / self.target

    @property
    def state(self) -> Path:
        return self.root / ".pybuild"

    @property
    def target(self) -> str:
        return self.options.target or self.settings.build.target

    @property
    def engine(self) -> str:
        return self.options.engine or self.settings.build.engine

    @property
    def jobs(self) -> int:
        return self.options.jobs or self.settings.build.jobs or len(os.sched_getaffinity(0))

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.site.timezone)


def load_config(
    root: Path, options: Options = _NO_OPTIONS, *, names: Mapping[str, frozenset[str]] = _NO_NAMES
) -> tuple[Config, tuple[Diagnostic, ...]]:
    """Read the settings of the site at `root`. Findings: `config-error`, `invalid-rule`.

    `names` are the engines and targets there are, by "engine" and "target"; without it any name will do.
    Raises `MissingSettings` where `root` has neither `pybuild.toml` nor `[tool.pybuild]`.
    """
    root = root.resolve()
    file, text, table, findings = read_file(root)
    lines = TomlMap.scan(text, prefix="tool.pybuild" if file == "pyproject.toml" else "")
    reader = Reader(file, lines, RULE_TABLES)
    reader.findings += findings
    rule_tables = {name: table.pop(name) for name in RULE_TABLES if name in table}
    settings: Settings = reader.read(Settings, lift_trailing_slash(table), ())
    of_file: tuple[Rule, ...] = ()
    module = ""
    if isinstance(named := rule_tables.get("redirects"), str):
        redirects = read_redirects(root, named, reader.locate(("redirects",)))
        of_file, faults = parse_rules({"redirects": [*redirects.tables]}, redirects.locate)
        reader.findings += (*redirects.findings, *faults)
        module = named if named.endswith(".py") and not redirects.findings else ""
        del rule_tables["redirects"]
    rules, rule_findings = parse_rules(rule_tables, reader.locate)
    if not findings:
        settings = checked(settings, options, reader)
        check_names(settings, names, reader)
        if settings.site.language in settings.languages.known:
            settings = settings_in(settings, settings.site.language)
        settings = with_collections_of_languages(settings)
    env = _environment(rules, settings.build.public_env)
    config = Config(
        root=root,
        file=file,
        settings=settings,
        options=options,
        is_readable=not findings,
        rules=(*of_file, *rules),
        redirect_module=module,
        home=_home(),
        now=_now(reader),
        public_env=env[0],
        secrets=env[1],
        digest=text_digest(text),
        cluster=options.cluster or os.environ.get("DASK_SCHEDULER_ADDRESS", "") or settings.cluster.address,
    )
    return config, (*reader.findings, *rule_findings)


def locate_text(config: Config, path: tuple[str, ...], text: str) -> Location:
    """The line of the settings file where the list at `path` has this text; else the line of the key."""
    content = read_file(config.root)[1]
    lines = TomlMap.scan(content, prefix="tool.pybuild" if config.file == "pyproject.toml" else "")
    start = lines.line(path) or 1
    rows = enumerate(content.splitlines()[start - 1 :], start)
    return Location(config.file, next((number for number, row in rows if text in row), start))


def text_digest(text: str) -> str:
    """A digest of the text of a settings file, hexadecimal."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def stopwatch() -> Callable[[], float]:
    """Start one; calling it gives the seconds since."""
    start = time.perf_counter()
    return lambda: time.perf_counter() - start


def _now(reader: Reader) -> datetime:
    """The moment of the export: `SOURCE_DATE_EPOCH` where it is set, else the clock."""
    said = os.environ.get("SOURCE_DATE_EPOCH")
    if said is None:
        return datetime.fromtimestamp(time.time(), UTC)
    try:
        return datetime.fromtimestamp(int(said), UTC)
    except (ValueError, OverflowError, OSError):
        message = f'SOURCE_DATE_EPOCH is not a number of seconds: "{said}"'
        reader.findings.append(
            Diagnostic("config-error", message, hint="set it to seconds since 1970, or unset it")
        )
        return datetime(1970, 1, 1, tzinfo=UTC)


def _environment(rules: tuple[Rule, ...], public: tuple[str, ...]) -> tuple[dict[str, str], Secrets]:
    """What templates may see of the environment, and the values that no output may hold."""
    prefix = "PYBUILD_PUBLIC_"
    shown = {k.removeprefix(prefix): v for k, v in sorted(os.environ.items()) if k.startswith(prefix)}
    sent = {name for rule in rules for name in rule.env_names}
    return shown, secrets_of(os.environ, sent=sent, public=public)


def environment_secrets() -> Secrets:
    """What must not be printed where no settings are known."""
    return secrets_of(os.environ, sent=(), public=())
