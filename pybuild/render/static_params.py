"""The params of dynamic routes, as site code enumerates them.

Owns the chain of `generate_static_params` from the outermost segment inwards. Calls site code through
`usercode` only. Source: Next.js, "generateStaticParams", "Multiple Dynamic Segments in a Route".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pybuild.diagnostics import Diagnostic, Location
from pybuild.render.user_code import SiteCode, Stop, kind_of
from pybuild.routing.checks import fills, missing_static_params
from pybuild.routing.params import Params, check_params
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Provider, Route
from pybuild.source.site import Site

NAME = "generate_static_params"


@dataclass(frozen=True, slots=True)
class Expanded:
    """What one route enumerates."""

    route: int  # index in Site.routes
    params: tuple[Params, ...] = ()  # in the order given, without repeats
    findings: tuple[Diagnostic, ...] = ()


def expand_route(site: Site, code: SiteCode, index: int) -> Expanded:
    """Ask the route's segments for their params, outermost first.

    Findings: `import-error`, `handler-error`, `invalid-static-params`, `empty-static-params`, `missing-static-params`.
    """
    route = site.routes[index]
    try:
        unique = {tuple(sorted(entry.items())): entry for entry in _entries(site, code, route)}
        return Expanded(index, tuple(unique.values()))
    except Stop as stop:
        if route.locale and all(finding.code == "empty-static-params" for finding in stop.findings):
            return Expanded(index)  # this language has none
        return Expanded(index, findings=stop.findings)


def providers(site: Site, code: SiteCode, route: Route) -> tuple[Provider, ...]:
    """Who to ask, outermost first. An image file without params of its own takes those of the page beside it.

    A module that binds names only when it runs is asked whether it has bound the function by then.
    """
    own = route.module
    if route.kind == "metadata" and not (own and NAME in own.names):
        beside = (r.providers for r in site.routes if r.kind == "page" and r.folder == route.folder)
        return next(beside, route.providers)
    if own and own.is_open and NAME not in own.names and hasattr(code.load(own.file), NAME):
        return (*route.providers, Provider(own, route.pattern))
    return route.providers


def _entries(site: Site, code: SiteCode, route: Route) -> list[Params]:
    """The params of every step multiplied out; together the steps must fill the pattern."""
    steps = providers(site, code, route)
    if not steps and (
        name := next((name for name, known in site.patterns.items() if fills(known, route.pattern)), "")
    ):
        segment = site.patterns[name].segments[-1]
        with_index = route.kind == "metadata" and segment.is_catch_all
        entries = (entry for entry in site.collections[name] if entry.slug or with_index)
        return [{segment.name: entry.segments if segment.is_catch_all else entry.slug} for entry in entries]
    given = {name for step in steps for name in step.pattern.params}
    if not given.issuperset(route.pattern.params):
        raise Stop(missing_static_params(route))
    found: list[Params] = [{}]
    for step in steps:
        at = step.module.place(NAME)
        found = [e for known in found for e in _checked(step.pattern, _call(code, step, known), known, at)]
    return _checked(route.pattern, [dict(entry) for entry in found], {}, steps[-1].module.place(NAME))


def _call(code: SiteCode, step: Provider, known: Params) -> list[Any]:
    """Call one module's function with the params of its parents."""
    file, at = step.module.file, step.module.place(NAME)
    function = getattr(code.load(file), NAME, None)
    if not callable(function):
        raise Stop(_bad(f"{NAME} is {kind_of(function)}, not a function", at, f"write def {NAME}(): …"))
    given = {name: value if isinstance(value, str) else list(value) for name, value in known.items()}
    said = ", ".join(f"{name}={value!r}" for name, value in given.items())
    doing = f"{NAME} of {step.pattern}" + (f" ({said})" if said else "")
    with code.guard("handler-error", at, doing):
        result = code.call(function, given)
        if not isinstance(result, str | bytes | Mapping) and isinstance(result, Iterable):
            result = list(result)
    if not isinstance(result, list):
        raise Stop(_bad(f"{doing} returned {kind_of(result)}, not a list", at, "return a list of mappings"))
    allowed = step.module.settings.get("allow_empty")
    if not result and not (allowed and allowed.value):
        message = f"{doing} returned no params, so nothing would be exported there"
        hint = "return at least one entry, or write allow_empty = True in this file"
        raise Stop(Diagnostic("empty-static-params", message, at, hint))
    return result


def _checked(pattern: Pattern, entries: list[Any], known: Params, at: Location) -> list[Params]:
    kept: list[Params] = []
    faults: list[Diagnostic] = []
    for entry in entries:
        result = check_params(pattern, entry, known)
        if isinstance(result, list):
            faults += [Diagnostic(f.code, f"{NAME} of {pattern}: {f.reason}", at, f.hint) for f in result]
        else:
            kept.append(result)
    if faults:
        raise Stop(*dict.fromkeys(faults))
    return kept


def _bad(message: str, at: Location, hint: str) -> Diagnostic:
    return Diagnostic("invalid-static-params", message, at, hint)
