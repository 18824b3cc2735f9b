"""The configuration of one run: settings, options, and what the outside world may say.

Owns `Config` and `load_config`, and is the only module that reads the environment and the clock. Knows no
route and no page. Source: docs/settings.md; reproducible-builds.org, "SOURCE_DATE_EPOCH".
"""

from __future__ import annotations

import dataclasses
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pybuild.config.checks import check_names, checked
from pybuild.config.languages import language_codes, settings_in, with_collections_of_languages
from pybuild.config.redirect_file import read_redirects
from pybuild.config.rules import parse_rules
from pybuild.config.schema import Options, Settings, Site
from pybuild.config.settings_file import Reader, lift_trailing_slash, read_file, text_digest
from pybuild.config.toml_lines import TomlMap
from pybuild.diagnostics import Diagnostic, Location
from pybuild.rules.model import RULE_TABLES, Rule
from pybuild.source.secrets import Secrets, secrets_of

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
