"""Plain files: any web server, object store or CDN, without rules.

Owns the one warning that lists what such a host loses. Writes no file.
Source: none; it is what remains of a site where no rule is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, warning
from pybuild.hosts.base import Compiled, Target
from pybuild.records import Files
from pybuild.rules.model import RuleSet


def compile_static(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write nothing; say once, as the warning `rules-lost`, what plain files cannot do."""
    return Compiled(findings=tuple(lost("plain files", rules)))


def lost(who: str, rules: RuleSet) -> Iterator[Diagnostic]:
    """The one warning for a host without rules: what it loses, and what still works."""
    named = ", ".join(losses(rules))
    kept = (
        'Markdown stays at each page\'s ".md" address, which <link rel="alternate"> names; '
        if rules.negotiation != "off"
        else ""
    )
    if named:
        hint = f"{kept}choose a host with --target to keep them"
        yield warning("rules-lost", f"{who} do without: {named}", hint=hint)


def losses(rules: RuleSet) -> Iterator[str]:
    """Name what a rule set wants beyond plain files: "2 redirects"."""
    if rules.negotiation != "off":
        yield "Markdown by the Accept header"
    counted = (
        ("redirect", rules.redirects),
        ("rewrite", rules.rewrites),
        ("proxy rule", rules.proxies),
        ("header rule", rules.headers),
        ("media type", rules.types),
    )
    for name, listed in counted:
        if listed:
            yield f"{len(listed)} {name}{'s' if len(listed) > 1 else ''}"


TARGET = Target("static", "plain files", frozenset(), compile_static, {})
