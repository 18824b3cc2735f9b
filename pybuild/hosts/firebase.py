"""Firebase Hosting.

Owns `firebase.json`: redirects, headers and types by regex, and the slash at the end of addresses. Files answer
before rewrites and nothing but the path is looked at, so that Markdown stays at its own address. Writes no file.
Source: firebase.google.com/docs/hosting/full-config.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable

from pybuild.config.loader import Config
from pybuild.diagnostics import Location
from pybuild.hosts.base import (
    Compiled,
    Target,
    check_limits,
    condition_captures,
    expand_empty_destinations,
    query_reason,
    readme,
    sizes,
)
from pybuild.hosts.edge.rules import Json
from pybuild.hosts.limited import (
    Reason,
    additive_reason,
    answered,
    base_findings,
    condition_reason,
    is_name,
    part,
    plain_reason,
    shadow_reason,
)
from pybuild.records import Artifact, Files
from pybuild.rules.model import Proxy, Redirect, Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import Param, PathPattern, print_regex
from pybuild.urls import encode

LIMITS = {"file_bytes": 2 * 1024**3}
_STATUSES = (301, 302)


def compile_firebase(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `firebase.json`. Findings: `unsupported-rule`, `rules-lost`, `rule-limit`."""
    parted = part("Firebase Hosting", rules, config, _reasons(files), types=True)
    kept = expand_empty_destinations(parted.kept)
    rewrites: list[Json] = []
    for rule in kept.rewrites:
        assert rule.destination.literal is not None, "other rewrites were refused"
        rewrites.append({"regex": _regex(rule.source), "destination": encode(rule.destination.literal)})
    headers = [  # types reversed, for with Firebase the last one wins
        *((one.source, (("Content-Type", one.media_type),)) for one in reversed(kept.types)),
        *((one.source, one.headers) for one in kept.headers),
    ]
    hosting: dict[str, Json] = {
        "public": os.path.relpath(config.out, config.deploy),
        "cleanUrls": True,
        "trailingSlash": rules.trailing_slash,
        "redirects": [_redirect(rule) for rule in kept.redirects],
        "rewrites": rewrites,
        "headers": [
            {"regex": _regex(source), "headers": [{"key": name, "value": value} for name, value in pairs]}
            for source, pairs in headers
        ],
    }
    text = json.dumps({"hosting": hosting}, indent=2) + "\n"
    deploy = (Artifact("firebase.json", "[firebase]", text.encode()), readme("firebase", _STEPS))
    over = check_limits("Firebase Hosting", LIMITS, sizes(files), files)
    return Compiled((), deploy, (*parted.findings, *base_findings("Firebase Hosting", rules, config), *over))


_STEPS = ("npx firebase-tools deploy --only hosting --project PROJECT",)


def _reasons(files: Files) -> Callable[[Rule], Reason | None]:
    urls, seen = answered(files), dict[str, Location]()

    def reason(rule: Rule) -> Reason | None:
        if isinstance(rule, Proxy):
            return "it passes nothing on to other servers", "call the backend by its own address"
        common = condition_reason(rule) or plain_reason(rule)
        if common or isinstance(rule, SetHeaders):
            return common or additive_reason(rule, seen)
        if isinstance(rule, Redirect):
            if rule.status not in _STATUSES:
                near = 301 if rule.status == 308 else 302
                return f"it redirects with 301 and 302, not {rule.status}", f"write status = {near}"
            if query_reason(rule):
                return query_reason(rule)
            if condition_captures("Firebase Hosting", rule) or re.search(":", rule.destination.fill({})):
                return 'it reads ":" in a destination as a value', "write the destination without it"
            return None
        if rule.source.literal is None or rule.destination.literal is None:
            return "it rewrites to one file at a time", "write one rule for each address"
        return None if is_name(rule) else shadow_reason(rule, urls)

    return reason


def _regex(source: PathPattern) -> str:
    """A regex in RE2's dialect, with the names that a destination may use."""

    def group(param: Param) -> str:
        return (
            f"({param.value_regex})" if param.name.isdecimal() else f"(?P<{param.name}>{param.value_regex})"
        )

    return f"^{print_regex(source, group=group)}/?$"


def _redirect(rule: Redirect) -> Json:
    to = rule.destination
    names = {slot.name: f":{slot.name}" for slot in to.slots}
    query = f"?{to.fill_query(names)}" if to.query else ""
    fragment = f"#{to.fragment}" if to.fragment else ""
    destination = to.origin + to.fill_sent(names) + query + fragment
    return {"regex": _regex(rule.source), "destination": destination, "type": rule.status}


TARGET = Target(
    "firebase",
    "Firebase Hosting",
    frozenset({"redirects", "headers", "types"}),
    compile_firebase,
    LIMITS,
)
