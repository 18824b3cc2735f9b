"""What hosts with few rules and no code have in common.

Owns the findings for what such a host cannot express: an error at each rule an author wrote, and one warning
for what the files alone would have wanted. Knows no host.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.hosts.base import drop_unsupported, unsupported
from pybuild.hosts.edge.rules import url_shapes
from pybuild.hosts.static import losses
from pybuild.records import Files
from pybuild.rules.evaluate import ADDITIVE
from pybuild.rules.model import Redirect, Rewrite, Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import SEGMENT, Param, PathPattern, Text, print_regex, sent_literal
from pybuild.urls import encode

_PLAIN = re.compile(r"[A-Za-z0-9._~/-]*")
Reason = tuple[str, str]  # why a rule cannot be expressed, and what to do


@dataclass(frozen=True, slots=True)
class SupportedRules:
    """A rule set without what a host cannot express, and the findings that say so."""

    kept: RuleSet
    findings: tuple[Diagnostic, ...]


def part(
    title: str,
    rules: RuleSet,
    config: Config,
    reason: Callable[[Rule], Reason | None],
    *,
    types: bool = False,
) -> SupportedRules:
    """Leave out what `reason` gives a reason for, and what names the conditions of such rules in Vary.

    Findings: one `unsupported-rule` at each rule of the settings, however many rules it stands for; one
    `rules-lost` for the rest: what came out of files, negotiation and, unless the host has `types`, types.
    """
    leading: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites, *rules.proxies)
    written = {rule.location for rule in leading if rule.location.line}
    rules = replace(rules, headers=tuple(rule for rule in rules.headers if rule.location not in written))

    def fault(rule: Rule) -> Diagnostic | None:
        found = reason(rule)
        return unsupported(title, rule, *found) if found else None

    kept, _ = drop_unsupported(rules, fault)
    listed: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites, *rules.headers, *rules.proxies)
    gone = [rule for rule in listed if reason(rule)]
    shown = {rule.location: fault(rule) for rule in gone if rule.location.file == config.file}
    silent = [rule for rule in gone if rule.location.file != config.file]
    lost = _lost(
        title, silent, replace(_NOTHING, negotiation=rules.negotiation, types=() if types else rules.types)
    )
    return SupportedRules(kept, (*filter(None, shown.values()), *lost))


_NOTHING = RuleSet()


def _lost(title: str, silent: Sequence[Rule], without: RuleSet) -> Iterator[Diagnostic]:
    """The warning for what has no line to change. Redirects of handlers are small pages there."""
    whole = replace(
        without,
        redirects=tuple(rule for rule in silent if isinstance(rule, Redirect)),
        rewrites=tuple(rule for rule in silent if isinstance(rule, Rewrite)),
        headers=tuple(rule for rule in silent if isinstance(rule, SetHeaders)),
    )
    named = ", ".join(losses(whole))
    if named:
        hint = 'Markdown stays at each page\'s ".md" address; choose a host with --target to keep all of it'
        yield warning("rules-lost", f"{title} does without: {named}", hint=hint)


def condition_reason(rule: Rule) -> Reason | None:
    """Hosts that look at nothing but the path."""
    if rule.has or rule.missing:
        return "it looks at the path alone", "delete has and missing, or choose a target that runs code"
    return None


def plain_reason(rule: Rule) -> Reason | None:
    """Sources whose text could be spelled in more than one way."""
    texts = [part.text for part in rule.source.parts if isinstance(part, Text)]
    if all(_PLAIN.fullmatch(text) for text in texts):
        return None
    return "its source holds characters that are sent encoded", "use letters, digits and -._~ in the source"


def shadow_reason(rule: Rule, urls: Mapping[str, str]) -> Reason | None:
    """Hosts where a file answers before the rule is read. `urls` are those of all files."""
    regex = re.compile(print_regex(rule.source, literal=sent_literal) + "/?", re.ASCII | re.DOTALL)
    taken = next((url for url in urls if regex.fullmatch(encode(url) or "/")), None)
    if taken is None:
        return None
    return f'the file at "{taken or "/"}" answers first there', "remove the page, or write a source beside it"


def answered(files: Files) -> Mapping[str, str]:
    """All URLs that files answer, decoded, without a slash at their end."""
    return url_shapes(files, twins=False)


def shape(source: PathPattern) -> tuple[str, Param | None] | None:
    """The form most hosts know: text and whole segments, and one optional or repeated parameter at the end.

    `/a/:b/:c*` → ("/a/:b", c). None for every other form.
    """
    parts = source.parts
    last = parts[-1] if parts and isinstance(parts[-1], Param) and parts[-1].modifier else None
    plain = parts[:-1] if last else parts
    text = "".join(part.text if isinstance(part, Text) else f":{part.name}" for part in plain)
    params = [part for part in parts if isinstance(part, Param)]
    if any(param.regex != SEGMENT or (param.modifier and param is not last) for param in params):
        return None
    return (text, last) if re.fullmatch(r"(?:/(?::\w+|[^:/]*))*", text) else None


def additive_reason(rule: Rule, seen: dict[str, Location]) -> Reason | None:
    """Hosts where a header set twice is not joined."""
    for name, _ in rule.headers if isinstance(rule, SetHeaders) else ():
        if name.lower() in ADDITIVE and seen.setdefault(name.lower(), rule.location) != rule.location:
            return f"two rules set {name}, and it keeps one", f"write all of {name} in one rule"
    return None


def base_findings(title: str, rules: RuleSet, config: Config) -> tuple[Diagnostic, ...]:
    """Refuse a base path on a host that serves the root of a domain. Finding: `unsupported-rule`."""
    if not rules.base:
        return ()
    message = f'{title} serves the root of a host, and site.url ends with "{rules.base}"'
    hint = "give the site a host of its own, or choose another target"
    return (Diagnostic("unsupported-rule", message, Location(config.file), hint),)


def is_name(rule: Rule) -> bool:
    """Whether a rule only names the file behind a URL, such as `/api/posts` → `/api/posts/index.json`."""
    return isinstance(rule, Rewrite) and rule.location == Location()
