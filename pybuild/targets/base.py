"""What a target is: a host, what it can express, and a pure compile of rules into its files.

Owns the shape every host module has and the findings they share. Knows no host and touches no disk.
Source of truth for each host: the page named at the top of its module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from pybuild.artifact import Artifact, Files
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic
from pybuild.rules.destinations import Slot
from pybuild.rules.model import Proxy, Redirect, Rewrite, Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import Param, Text

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
Leading = TypeVar("Leading", Redirect, Rewrite, Proxy)


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


def sift(
    rules: RuleSet, fault: Callable[[Rule], Diagnostic | None]
) -> tuple[RuleSet, tuple[Diagnostic, ...]]:
    """Leave out the rules that a host cannot express; `fault` gives the finding for one, or None."""
    listed: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites, *rules.headers, *rules.proxies)
    findings = [finding for rule in listed if (finding := fault(rule))]
    kept = replace(
        rules,
        redirects=tuple(rule for rule in rules.redirects if not fault(rule)),
        rewrites=tuple(rule for rule in rules.rewrites if not fault(rule)),
        headers=tuple(rule for rule in rules.headers if not fault(rule)),
        proxies=tuple(rule for rule in rules.proxies if not fault(rule)),
    )
    return kept, tuple(findings)


def borrowed_capture(target: str, rule: Rule) -> Diagnostic | None:
    """The finding for a destination that uses a value taken from a header, cookie, query or host."""
    if isinstance(rule, SetHeaders):
        return None
    foreign = [slot.name for slot in rule.destination.slots if slot.name not in rule.source.names]
    if not foreign:
        return None
    reason = (
        f":{foreign[0]} comes from a condition, and such a value cannot be made safe for an address there"
    )
    return unsupported(target, rule, reason, "write one rule for each value, with the destination in full")


def rooted(rules: RuleSet) -> RuleSet:
    """Put a rule that leads to "/" before each whose destination may be left empty: `/:path*`.

    So that a host can fill in destinations without looking at them.
    """
    return replace(
        rules,
        redirects=tuple(one for rule in rules.redirects for one in _rooted(rule)),
        rewrites=tuple(one for rule in rules.rewrites for one in _rooted(rule)),
        proxies=tuple(one for rule in rules.proxies for one in _rooted(rule)),
    )


def _rooted(rule: Leading) -> Iterator[Leading]:
    path = rule.destination.path
    if all(isinstance(part, Slot) and part.prefix for part in path):
        empty = {part.name for part in path if isinstance(part, Slot)}
        parts = tuple(
            part for part in rule.source.parts if not (isinstance(part, Param) and part.name in empty)
        )
        to = replace(rule.destination, path=(Text("/"),))
        yield replace(rule, source=replace(rule.source, parts=parts), destination=to)
    yield rule
