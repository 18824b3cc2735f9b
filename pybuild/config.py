"""The configuration of one run: settings, options, and what the outside world may say.

Owns `Config` and `load_config`, and is the only module that reads the environment and the clock. Knows no
route and no page; the file is read by `settingsfile`, rules by `rules.parse`.
Source of truth: docs/settings.md; reproducible-builds.org, "SOURCE_DATE_EPOCH".
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pybuild.diagnostics import Diagnostic
from pybuild.rules.model import RULE_TABLES, Rule
from pybuild.rules.parse import parse_rules
from pybuild.settings import (
    Collection,
    Feed,
    FeedFormat,
    Llms,
    Markdown,
    Negotiation,
    Options,
    Robots,
    Settings,
    Site,
    Sitemap,
)
from pybuild.settingsfile import MissingSettings, Reader, check_names, checked, lift_trailing_slash, read_file
from pybuild.tomlmap import TomlMap

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
    "load_config",
    "stopwatch",
]

_NO_OPTIONS = Options()
_NO_NAMES: Mapping[str, frozenset[str]] = {}
_SECRET_LENGTH, _NAMED_LENGTH = 8, 6  # characters; shorter values stand in every page by chance
_SECRET_NAME = re.compile(r"SECRET|TOKEN|PASSWORD|PASSWD|PRIVATE|CREDENTIAL|API_?KEY|ACCESS_?KEY", re.I)


@dataclass(frozen=True, slots=True)
class Config:
    """Settings, options and the little the outside world may say: where, when, which environment."""

    root: Path  # of the site, absolute, resolved
    file: str  # "pybuild.toml" or "pyproject.toml"
    settings: Settings
    options: Options
    is_readable: bool = True  # False: the file could not be parsed, so nothing is known of the site
    rules: tuple[Rule, ...] = ()  # in the order of the file
    home: Path | None = None  # of the user
    now: datetime = datetime(1970, 1, 1, tzinfo=UTC)  # only to tell future dates; SOURCE_DATE_EPOCH
    public_env: Mapping[str, str] = field(default_factory=dict)  # PYBUILD_PUBLIC_*, without the prefix
    secrets: Mapping[str, str] = field(default_factory=dict)  # values that must not be published
    digest: str = ""  # of the text of the settings file

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
    rules, rule_findings = parse_rules(rule_tables, reader.locate)
    if not findings:
        settings = checked(settings, options, reader)
        check_names(settings, names, reader)
    env = _environment(rules)
    config = Config(
        root=root,
        file=file,
        settings=settings,
        options=options,
        is_readable=not findings,
        rules=rules,
        home=_home(),
        now=_now(reader),
        public_env=env[0],
        secrets=env[1],
        digest=text_digest(text),
    )
    return config, (*reader.findings, *rule_findings)


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


def _environment(rules: tuple[Rule, ...]) -> tuple[dict[str, str], dict[str, str]]:
    """What templates may see of the environment, and the values that no output may hold."""
    prefix = "PYBUILD_PUBLIC_"
    public = {k.removeprefix(prefix): v for k, v in sorted(os.environ.items()) if k.startswith(prefix)}
    named = {name for rule in rules for name in rule.env_names}
    secret = {
        k: v
        for k, v in sorted(os.environ.items())
        if len(v) >= (_NAMED_LENGTH if k in named else _SECRET_LENGTH)
        and (k in named or _SECRET_NAME.search(k))
        and not k.startswith(prefix)
    }
    return public, secret
