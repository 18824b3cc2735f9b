"""What a target is: a host, what it can express, and a pure compile of rules into its files.

Owns the shape every host module has and the findings they share. Knows no host and touches no disk.
Source of truth for each host: the page named at the top of its module.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pybuild.artifact import Artifact, File
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic
from pybuild.rules.model import Rule, RuleSet

Feature = Literal[
    "negotiation",  # quality values, Vary on every answer
    "redirects",
    "rewrites",
    "headers",
    "proxies",
    "types",  # Content-Type of files without a telling suffix
    "conditions",  # has and missing
]
ALL_FEATURES: frozenset[Feature] = frozenset(
    {"negotiation", "redirects", "rewrites", "headers", "proxies", "types", "conditions"}
)
Files = Mapping[str, File]  # by path


@dataclass(frozen=True, slots=True)
class Compiled:
    """The files of one host."""

    site: tuple[Artifact, ...] = ()  # into the output, served or read by the host there
    deploy: tuple[Artifact, ...] = ()  # paths below `<out>-deploy/<target>/`
    findings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True)
class Target:
    """One host."""

    name: str
    title: str  # as its makers write it
    features: frozenset[Feature]
    compile: Callable[[RuleSet, Files, Config], Compiled]  # pure
    limits: Mapping[str, int]  # what the host refuses beyond: {"redirects": 2000}


def compile_rules(target: Target, rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Compile for one target; `on_unsupported = "warn"` turns `unsupported-rule` into warnings."""
    compiled = target.compile(rules, files, config)
    settings = config.settings.targets.get(target.name)
    if settings is None or settings.on_unsupported == "error":
        return compiled
    lowered = tuple(
        replace(finding, severity="warning") if finding.code == "unsupported-rule" else finding
        for finding in compiled.findings
    )
    return replace(compiled, findings=lowered)


def unsupported(target: str, rule: Rule, reason: str, hint: str) -> Diagnostic:
    """The finding for a rule that a host cannot express, at the rule's own line."""
    kind = {"Redirect": "redirect", "Rewrite": "rewrite", "SetHeaders": "header rule", "Proxy": "proxy"}
    message = f'{target} cannot express the {kind[type(rule).__name__]} for "{rule.source.source}": {reason}'
    return Diagnostic("unsupported-rule", message, rule.location, hint)
