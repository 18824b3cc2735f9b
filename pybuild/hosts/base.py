"""What a target is: a host, what it can express, and a pure compile of rules into its files.

Owns the shape every host module has, and what several hosts share: findings, counts and sizes held against documented
limits (`rule-limit`), the page that says how to put the files to use, and conditions as numbered digits for hosts whose
regexes check several at once. Knows no host and touches no disk.
Source of truth for each host: the page named at the top of its module.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeVar

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import Artifact, Files
from pybuild.rules.model import Condition, Proxy, Redirect, Rewrite, Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import QUERY_SIGNS, Param, Slot, Text

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


def drop_unsupported(
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


def condition_captures(target: str, rule: Rule) -> Diagnostic | None:
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


def query_capture(target: str, rule: Rule) -> Diagnostic | None:
    """The finding for a host that cannot encode: a value goes into a query, where its signs would mean something."""
    found = query_reason(rule)
    return unsupported(target, rule, *found) if found else None


def query_reason(rule: Rule) -> tuple[str, str] | None:
    """Why such a host cannot express a rule, and what to do."""
    if not isinstance(rule, Redirect | Proxy):
        return None
    slots = {part.name for part in rule.destination.query if isinstance(part, Slot)}
    risky = next((p for p in rule.source.params if p.name in slots and not p.is_plain_in_query), None)
    if risky is None:
        return None
    reason = f":{risky.name} goes into a query, and it cannot encode the signs {' '.join(QUERY_SIGNS)} of a visitor"
    return reason, f'leave them out in the source: ":{risky.name}([^/{QUERY_SIGNS}]+){risky.modifier}"'


def expand_empty_destinations(rules: RuleSet) -> RuleSet:
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


UNITS = {
    "file_bytes": "bytes in a file",
    "site_bytes": "bytes in a site",
    "script_bytes": "bytes of code",
    "rules_bytes": "bytes of rules",
}
HINTS = {
    "files": "publish fewer files, or choose a host that takes more",
    "file_bytes": "keep it elsewhere, or make it smaller",
    "site_bytes": "publish less, or choose a host that takes more",
}


def sizes(files: Files) -> dict[str, int]:
    """The counts of an output that hosts limit."""
    total = sum(file.size for file in files.values())
    return {"files": len(files), "file_bytes": largest(files)[1], "site_bytes": total}


def largest(files: Files) -> tuple[str, int]:
    """The largest file and its size in bytes; ("", 0) where there is none."""
    if not files:
        return "", 0
    path = max(sorted(files), key=lambda path: files[path].size)
    return path, files[path].size


def check_limits(
    title: str, limits: Mapping[str, int], counts: Mapping[str, int], files: Files
) -> Iterator[Diagnostic]:
    """Find what is over a limit of `limits`. Finding: `rule-limit`."""
    for name, count in sorted(counts.items()):
        if count > limits.get(name, count):
            unit = UNITS.get(name, name.replace("_", " "))
            path = largest(files)[0] if name == "file_bytes" else ""
            have = f'"{path}" has' if path else "there are"
            message = f"{title} takes at most {limits[name]:,} {unit}; {have} {count:,}"
            hint = HINTS.get(name, "write fewer rules: one with a parameter in place of many")
            origin = files[path].origin if path and not files[path].origin.startswith("[") else ""
            yield Diagnostic("rule-limit", message, Location(origin), hint)


def readme(
    target: str,
    lines: Sequence[str],
    more: Sequence[str] = (),
    *,
    where: str = "this folder",
    intro: str = "",
) -> Artifact:
    """`README.md`: the commands that deploy and where to run them, or the lines for the place `intro` names."""
    text = [f"# Deploying to {target}", "", intro or f"Run in {where}:", "", *(f"    {one}" for one in lines)]
    text += ["", *more] if more else []
    text += ["", "Written by pybuild; the next export writes it anew."]
    return Artifact("README.md", f"[{target}]", ("\n".join(text) + "\n").encode())


SITE = "the folder of the site"


def secrets(rules: RuleSet, command: str) -> tuple[str, ...]:
    """How the secrets of proxies are given to the host; `command` has a place for `{name}`."""
    if not rules.env_names:
        return ()
    intro = "Once, so that the proxies have their secrets:"
    return (intro, "", *(f"    {command.format(name=name)}" for name in rules.env_names))


def spaced(lines: Sequence[str]) -> tuple[str, ...]:
    """Lines with an empty one before them, where there are any."""
    return ("", *lines) if lines else ()


Conditional = Redirect | Rewrite | SetHeaders | Proxy


@dataclass(frozen=True, slots=True)
class Table:
    """All conditions of a rule set, each once."""

    conditions: tuple[Condition, ...]  # in the order of the rules

    @classmethod
    def of(cls, rules: RuleSet) -> Table:
        listed: tuple[Conditional, ...] = (*rules.redirects, *rules.rewrites, *rules.headers, *rules.proxies)
        return cls(tuple(dict.fromkeys(one for rule in listed for one in (*rule.has, *rule.missing))))

    @property
    def asks_accept(self) -> bool:
        return any(condition.type == "accept" for condition in self.conditions)

    def digits(self, rule: Conditional) -> str:
        """A regex over one digit for each condition of the table: `.1.0`."""
        return "".join(
            "1" if condition in rule.has else "0" if condition in rule.missing else "."
            for condition in self.conditions
        )
