"""Azure Static Web Apps.

Owns `staticwebapp.config.json`, which Azure reads from the web root. One route answers a request, and it is
chosen by path, so every route is written with all the headers that hold there. Markdown stays at its own
address. Writes no file.
Sources: learn.microsoft.com/azure/static-web-apps/configuration and /quotas.
"""

from __future__ import annotations

import json
import os

from pybuild.config.loader import Config
from pybuild.diagnostics import warning
from pybuild.hosts.base import Compiled, Target, check_limits, readme, sizes
from pybuild.hosts.edge.rules import Json
from pybuild.hosts.limited import Reason, base_findings, condition_reason, part, plain_reason, shape
from pybuild.records import Artifact, Files, Headers
from pybuild.rules.evaluate import ADDITIVE, NOT_FOUND, join_list
from pybuild.rules.model import Proxy, Redirect, Rewrite, Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import SEGMENT, PathPattern, Text
from pybuild.urls import encode

LIMITS = {"files": 15_000, "site_bytes": 524_288_000, "rules_bytes": 20 * 1024}
_ALL = "/*"


def compile_azure(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `staticwebapp.config.json`. Findings: `unsupported-rule`, `rules-lost`, `rule-limit`."""
    parted = part("Azure Static Web Apps", rules, config, _reason)
    settings = _settings(parted.kept, has_404=NOT_FOUND in files)
    text = (json.dumps(settings, indent=2) + "\n").encode()
    site = (Artifact("staticwebapp.config.json", "[azure]", text),)
    out = os.path.relpath(config.out, config.deploy)
    step = f"npx @azure/static-web-apps-cli deploy {out} --env production"
    counts = {**sizes(files), "rules_bytes": len(text)}
    over = check_limits("Azure Static Web Apps", LIMITS, counts, files)
    functions = sum(path.startswith("api/") for path in files)
    message = f"Azure keeps /api for functions; {functions} files below it may not be answered"
    hidden = warning("rules-lost", message, hint="publish them below another path, such as /data")
    found = (*parted.findings, *base_findings("Azure Static Web Apps", rules, config), *over)
    found += (hidden,) if functions else ()
    return Compiled(site, (readme("azure", (step,)),), found)


def _reason(rule: Rule) -> Reason | None:
    if isinstance(rule, Proxy):
        return (
            "it passes nothing on to other servers",
            "link a backend to /api in Azure, or call it by its address",
        )
    common = condition_reason(rule) or plain_reason(rule)
    if common:
        return common
    if route_of(rule.source) is None:
        return "its routes are one path, or a folder with all below it", "write one rule for each address"
    if isinstance(rule, Redirect | Rewrite) and rule.destination.slots:
        return (
            "its destinations hold no values",
            "write one rule for each address, with its destination in full",
        )
    return None


def route_of(source: PathPattern) -> str | None:
    """The route of a source: `/a` → "/a", `/a/:path*` → "/a/*", `/(.*)` → "/*"; None where there is none."""
    if source.literal is not None:
        return source.literal
    if len(source.parts) == 2 and source.parts[0] == Text("/") and source.params[0].regex == ".*":
        return _ALL
    form = shape(source)
    if (
        form is None
        or form[1] is None
        or form[1].modifier != "*"
        or form[1].regex != SEGMENT
        or ":" in form[0]
    ):
        return None
    return f"{form[0]}/*"


def _settings(rules: RuleSet, *, has_404: bool) -> dict[str, Json]:
    everywhere = [rule for rule in rules.headers if route_of(rule.source) == _ALL]
    # redirects and rewrites in their order, then headers, the narrowest route first
    leading: tuple[Redirect | Rewrite, ...] = (*rules.redirects, *rules.rewrites)
    routes: list[Json] = []
    for rule in leading:
        route = route_of(rule.source)
        assert route is not None, "rules without a route were refused"
        if route.endswith("/*") and route != _ALL:  # the folder itself, which its route may not cover
            routes.append(_leading(rules, rule, route.removesuffix("/*")))
        routes.append(_leading(rules, rule, route))
    places = {route for rule in rules.headers if (route := route_of(rule.source)) and route != _ALL}
    places |= {place.removesuffix("/*") for place in places if place.endswith("/*")}
    for place in sorted(places, key=lambda place: (place.endswith("*"), -len(place), place)):
        routes.append({"route": place, "headers": dict(_merged(_holding(rules, place)))})
    settings: dict[str, Json] = {
        "trailingSlash": "always" if rules.trailing_slash else "never",
        "routes": routes,
    }
    if everywhere:
        settings["globalHeaders"] = dict(_merged(everywhere))
    if has_404:
        settings["responseOverrides"] = {"404": {"rewrite": f"/{NOT_FOUND}"}}
    return settings


def _holding(rules: RuleSet, place: str) -> list[SetHeaders]:
    folder = f"{place.removesuffix('*')}/"
    return [
        rule
        for rule in rules.headers
        if (route := route_of(rule.source) or "") == place
        or (route.endswith("/*") and folder.startswith(route[:-1]))
    ]


def _merged(rules: list[SetHeaders]) -> Headers:
    merged: dict[str, tuple[str, str]] = {}
    for rule in rules:
        for name, value in rule.headers:
            old = merged.get(name.lower(), ("", ""))[1]
            merged[name.lower()] = (name, join_list(old, value) if name.lower() in ADDITIVE else value)
    return tuple(merged[key] for key in sorted(merged))


def _leading(rules: RuleSet, rule: Redirect | Rewrite, place: str) -> Json:
    to = rule.destination
    query = f"?{to.fill_query({})}" if to.query else ""
    fragment = f"#{to.fragment}" if to.fragment else ""
    if isinstance(rule, Redirect):
        address = to.origin + to.fill_sent({}) + query + fragment
        return {"route": place, "redirect": address, "statusCode": rule.status}
    headers: dict[str, Json] = dict(_merged(_holding(rules, place)))
    return {"route": place, "rewrite": encode(to.fill({})), **({"headers": headers} if headers else {})}


TARGET = Target("azure", "Azure Static Web Apps", frozenset({"redirects", "headers"}), compile_azure, LIMITS)
