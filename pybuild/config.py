"""The settings: `pybuild.toml` or `[tool.pybuild]` read into typed values.

Owns every setting with its default, and is the only module that reads the environment and the clock.
Knows no route and no page. Rules are parsed by `rules.model`; here they only find their lines.
Source of truth: docs/settings.md.
"""

from __future__ import annotations

import dataclasses
import os
import re
import time
import tomllib
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.rules.model import RULE_TABLES, Rule
from pybuild.rules.parse import parse_rules
from pybuild.tomlmap import TomlMap
from pybuild.urls import encode, nfc, path_fault

OnUnsupported = Literal["error", "warn"]
FeedFormat = Literal["rss", "atom", "json"]
SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.I)


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
    jobs: int = 0  # worker processes; 0 is one a processor
    engine: str = "processes"
    git_dates: bool = True  # ask git for the last change of documents whose front matter is silent


@dataclass(frozen=True, slots=True)
class Markdown:
    """`[markdown]`."""

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
    drafts: bool = False
    future: bool = False
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Config:
    """Settings, options and the little the outside world may say: where, when, which environment."""

    root: Path  # of the site, absolute, resolved
    file: str  # "pybuild.toml" or "pyproject.toml"
    settings: Settings
    options: Options
    rules: tuple[Rule, ...] = ()  # in the order of the file
    home: Path | None = None  # of the user
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)  # only to tell future dates; SOURCE_DATE_EPOCH
    public_env: Mapping[str, str] = field(default_factory=dict)  # PYBUILD_PUBLIC_*, without the prefix
    secrets: Mapping[str, str] = field(default_factory=dict)  # values that must not be published

    @property
    def site(self) -> Site:
        return self.settings.site

    @property
    def trailing_slash(self) -> bool:
        return self.settings.trailing_slash

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


class MissingSettings(Exception):
    """No settings file stands in the folder; the command line named the wrong one (exit 2)."""


def load_config(root: Path, options: Options = Options()) -> tuple[Config, tuple[Diagnostic, ...]]:
    """Read the settings of the site at `root`. Findings: `config-error`, `invalid-rule`.

    Raises `MissingSettings` where `root` has neither `pybuild.toml` nor `[tool.pybuild]`.
    """
    root = root.resolve()
    file, text, table, findings = _read(root)
    reader = _Reader(file, TomlMap.scan(text, prefix="tool.pybuild" if file == "pyproject.toml" else ""))
    reader.findings += findings
    rule_tables = {name: table.pop(name) for name in RULE_TABLES if name in table}
    settings: Settings = reader.read(Settings, _lift_trailing_slash(table), ())
    rules, rule_findings = parse_rules(rule_tables, reader.locate)
    if not findings:
        settings = _checked(settings, options, reader)
    env = _environment(rules)
    config = Config(
        root=root,
        file=file,
        settings=settings,
        options=options,
        rules=rules,
        home=_home(),
        now=_now(reader),
        public_env=env[0],
        secrets=env[1],
    )
    return config, (*reader.findings, *rule_findings)


def _read(root: Path) -> tuple[str, str, dict[str, Any], list[Diagnostic]]:
    """Find and parse the settings file: its name, text and table. `pybuild.toml` and `[tool.pybuild]` exclude each other."""
    own, project = root / "pybuild.toml", root / "pyproject.toml"
    shared = project.is_file() and _project_table(project)
    if own.is_file():
        text, table, findings = _parse(own)
        if shared:
            findings.append(
                Diagnostic(
                    "config-error",
                    "settings stand in both pybuild.toml and pyproject.toml",
                    Location("pyproject.toml"),
                    "keep one: delete [tool.pybuild] from pyproject.toml, or delete pybuild.toml",
                )
            )
        return "pybuild.toml", text, table, findings
    if not shared:
        raise MissingSettings(f"{root} has no pybuild.toml" if root.is_dir() else f"{root} is not a folder")
    text, table, findings = _parse(project)
    return "pyproject.toml", text, table.get("tool", {}).get("pybuild", {}), findings


def _project_table(project: Path) -> bool:
    return bool(re.search(rb"(?m)^\s*\[+tool\.pybuild\b", project.read_bytes()))


def _parse(file: Path) -> tuple[str, dict[str, Any], list[Diagnostic]]:
    try:
        text = file.read_bytes().decode("utf-8-sig")
        return text, tomllib.loads(text.replace("\r\n", "\n")), []
    except UnicodeDecodeError as fault:
        at = Location(file.name)
        return (
            "",
            {},
            [Diagnostic("encoding-error", f"byte {fault.start} is not UTF-8", at, "save it as UTF-8")],
        )
    except tomllib.TOMLDecodeError as fault:
        found = re.search(r"line (\d+), column (\d+)", str(fault))
        place = (int(found[1]), int(found[2])) if found else (None, None)
        said = re.sub(r" \(at .*\)$", "", str(fault))
        at = Location(file.name, *place)
        return text, {}, [Diagnostic("config-error", f"this is not TOML: {said}", at, "see https://toml.io")]


def _lift_trailing_slash(table: dict[str, Any]) -> dict[str, Any]:
    """Accept `trailing_slash` below `[site]` or `[build]`, where TOML puts a key written after the header."""
    for name in ("site", "build"):
        inner = table.get(name)
        if isinstance(inner, dict) and "trailing_slash" in inner:
            table = {"trailing_slash": inner["trailing_slash"], **table}
            table[name] = {k: v for k, v in inner.items() if k != "trailing_slash"}
    return table


class _Reader:
    """Turns tables into dataclasses and collects what does not fit."""

    def __init__(self, file: str, lines: TomlMap) -> None:
        self.file = file
        self.lines = lines
        self.findings: list[Diagnostic] = []

    def locate(self, path: tuple[str | int, ...]) -> Location:
        return Location(self.file, self.lines.line(path))

    def fault(self, path: tuple[str | int, ...], message: str, hint: str) -> None:
        self.findings.append(Diagnostic("config-error", message, self.locate(path), hint))

    def read(self, kind: Any, value: object, path: tuple[str | int, ...]) -> Any:
        """Read `value` as `kind`: a dataclass, a scalar, a tuple, a mapping or a Literal."""
        if dataclasses.is_dataclass(kind):
            return self._read_table(kind, value, path)
        origin, inner = typing.get_origin(kind), typing.get_args(kind)
        if origin is tuple:
            if isinstance(value, list):
                return tuple(self.read(inner[0], v, (*path, i)) for i, v in enumerate(value))
            return self._wrong(path, "a list", value)
        if origin in (Mapping, dict):
            if isinstance(value, dict):
                return {
                    k: v if inner[1] is Any else self.read(inner[1], v, (*path, k)) for k, v in value.items()
                }
            return self._wrong(path, "a table", value)
        if origin is Literal:
            return value if value in inner else self._wrong(path, " or ".join(f'"{v}"' for v in inner), value)
        return self._scalar(kind, value, path)

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

    def _read_table(self, kind: Any, value: object, path: tuple[str | int, ...]) -> object:
        if not isinstance(value, dict):
            self._wrong(path, "a table", value)
            return kind()
        hints = typing.get_type_hints(kind)
        own = {"name": str(path[-1]), "location": self.locate(path)} if "location" in hints else {}
        hints = {k: v for k, v in hints.items() if k not in own}
        read = {k: self.read(hints[k], v, (*path, k)) for k, v in value.items() if k in hints}
        for name in value.keys() - hints.keys():
            self._unknown((*path, name), hints.keys() | (RULE_TABLES if not path else ()))
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


def _checked(settings: Settings, options: Options, reader: _Reader) -> Settings:
    """Check what a type cannot say, and let `--base-url` replace `site.url`."""
    site = settings.site
    if options.base_url is not None:
        site = dataclasses.replace(site, url=options.base_url)
    for name in ("url", "title"):
        if not getattr(site, name):
            example = "https://example.com" if name == "url" else "My site"
            reader.fault(("site",), f"site.{name} is missing", f'write {name} = "{example}" below [site]')
    if site.url:
        site = dataclasses.replace(site, url=_checked_url(site.url, reader))
    if not _is_zone(site.timezone):
        reader.fault(
            ("site", "timezone"),
            f'"{site.timezone}" is not a time zone',
            did_you_mean(site.timezone, available_timezones())
            or 'write an IANA name such as "Europe/Vienna"',
        )
        site = dataclasses.replace(site, timezone="UTC")
    for name, least in (("timeout", 0.001), ("jobs", 0)):
        if getattr(settings.build, name) < least:
            reader.fault(("build", name), f"build.{name} is too small", "write a larger number")
    _check_collections(settings, reader)
    return dataclasses.replace(settings, site=site)


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _checked_url(url: str, reader: _Reader) -> str:
    """Require an http(s) address without user, query or fragment; return it encoded, without a trailing slash."""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 80) > 0
        sound = sound and not (parts.query or parts.fragment or "@" in parts.netloc) and url.isprintable()
        path = unquote(parts.path).strip("/")
        sound = sound and not re.search(r'[\s<>"\\^`{|}]', url) and not (path and path_fault(path))
        host = parts.netloc.encode("idna").decode("ascii")
    except ValueError:
        sound, host, path = False, "", ""
    if not sound:
        hint = 'write the address of the site, such as "https://example.com" or "https://example.com/docs"'
        reader.fault(("site", "url"), f'site.url is not an absolute address: "{url}"', hint)
        return "https://invalid.example"
    return f"{parts.scheme}://{host.lower()}/{encode(nfc(path))}".rstrip("/")


def _check_collections(settings: Settings, reader: _Reader) -> None:
    for name, collection in settings.collections.items():
        for key, example in (("source", f"content/{name}"), ("route", f"/{name}/[...slug]")):
            if not getattr(collection, key):
                hint = f'write {key} = "{example}"'
                reader.fault(("collections", name), f"collections.{name}.{key} is missing", hint)
    for index, name in enumerate(settings.feed.collections):
        if name not in settings.collections:
            hint = did_you_mean(name, settings.collections) or "name a collection of this file"
            reader.fault(("feed", "collections", index), f'there is no collection "{name}"', hint)


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None


def stopwatch() -> Callable[[], float]:
    """Start one; calling it gives the seconds since."""
    start = time.perf_counter()
    return lambda: time.perf_counter() - start


def _now(reader: _Reader) -> datetime:
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


def _environment(rules: tuple[Rule, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """What templates may see of the environment, and the values that no output may hold."""
    prefix = "PYBUILD_PUBLIC_"
    public = {k.removeprefix(prefix): v for k, v in sorted(os.environ.items()) if k.startswith(prefix)}
    named = {name for rule in rules for name in rule.env_names}
    secret = {
        k: v
        for k, v in sorted(os.environ.items())
        if (k in named or SECRET_NAME.search(k)) and len(v) >= 8 and not k.startswith(prefix)
    }
    return public, secret
