"""Small sites for one target: settings and names of files in, what the target makes of them out."""

from __future__ import annotations

from pathlib import Path

from pybuild.build.rules import derive
from pybuild.config.loader import Config, load_config
from pybuild.config.schema import Options
from pybuild.hosts import TARGETS, Compiled, compile_rules
from pybuild.hosts.base import Files
from pybuild.records import File, Page, by_path
from pybuild.rules.model import RuleSet

SITE = '[site]\nurl = "https://a.example"\ntitle = "Small"\n'
PAGES = ("index.html", "index.md", "docs/a.html", "docs/a.md", "404.html")


def derived(
    root: Path, rules: str = "", *more: File | str, target: str = "static", base: str = ""
) -> tuple[RuleSet, Files, Config]:
    """The rule set of a site with two pages, rules as TOML and more files."""
    (root / "pybuild.toml").write_text(SITE + rules, encoding="utf-8")
    config, findings = load_config(root, Options(target=target, base_url=f"https://a.example{base}"))
    assert findings == ()
    files = [*(file(path) for path in PAGES), *(file(one) if isinstance(one, str) else one for one in more)]
    made, _ = derive(
        config, [Page("/docs/a", "", "docs/a.html", "a", variant_path="docs/a.md")], by_path(files), []
    )
    return made, by_path(files), config


def file(path: str, size: int = 1, **options: object) -> File:
    return File(path, f"public/{path}", "0" * 64, size, **options)  # type: ignore[arg-type]


def compiled(root: Path, target: str, rules: str = "", *more: File | str, base: str = "") -> Compiled:
    """What a target makes of such a site."""
    made, files, config = derived(root, rules, *more, target=target, base=base)
    return compile_rules(TARGETS[target], made, files, config)


def texts(made: Compiled) -> dict[str, str]:
    """All files of a target by path."""
    return {artifact.path: artifact.body.decode() for artifact in (*made.site, *made.deploy)}


def said(made: Compiled) -> list[str]:
    """The findings, each as `file:line code message`."""
    return [f"{one.location} {one.code} {one.message}".strip() for one in made.findings]
