"""The params of dynamic routes, as site code enumerates them.

Owns the chain of `generate_static_params` from the outermost segment inwards. Calls site code through
`usercode` only. Source: Next.js, "generateStaticParams", "Multiple Dynamic Segments in a Route".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pybuild.diagnostics import Diagnostic, Location
from pybuild.render.usercode import SiteCode, Stop
from pybuild.routing.params import Params, check_params
from pybuild.routing.segments import Pattern
from pybuild.routing.tree import Provider, Route
from pybuild.site import Site

NAME = "generate_static_params"


@dataclass(frozen=True, slots=True)
class Expanded:
    """What one route enumerates."""

    route: int  # index in Site.routes
    params: tuple[Params, ...] = ()  # in the order given, without repeats
    findings: tuple[Diagnostic, ...] = ()


def expand_route(site: Site, code: SiteCode, index: int) -> Expanded:
    """Ask the route's segments for their params, outermost first.

    Findings: `import-error`, `handler-error`, `invalid-static-params`, `empty-static-params`.
    """
    route = site.routes[index]
    try:
        return Expanded(index, tuple(_unique(_entries(site, code, route))))
    except Stop as stop:
        return Expanded(index, findings=stop.findings)


def providers(site: Site, route: Route) -> tuple[Provider, ...]:
    """Who to ask, outermost first. An image file without params of its own takes those of the page beside it."""
    if route.kind != "metadata" or (route.module and NAME in route.module.names):
        return route.providers
    beside = (r.providers for r in site.routes if r.kind == "page" and r.folder == route.folder)
    return next(beside, route.providers)


def _entries(site: Site, code: SiteCode, route: Route) -> list[Params]:
    """The params of every step multiplied out; the last step must fill the pattern."""
    steps = providers(site, route)
    if not steps:
        return _from_collection(site, str(route.pattern))
    found: list[Params] = [{}]
    for step in steps:
        found = [entry for known in found for entry in _step(code, step, known)]
    at = Location(steps[-1].module.file, steps[-1].module.place(NAME).line)
    return _checked(route.pattern, [dict(entry) for entry in found], {}, at)


def _step(code: SiteCode, step: Provider, known: Params) -> list[Params]:
    entries = _call(code, step, known)
    return _checked(step.pattern, entries, known, step.module.place(NAME))


def _from_collection(site: Site, pattern: str) -> list[Params]:
    """The params that a collection of this route gives, without its index."""
    name = next((name for name, known in site.patterns.items() if str(known) == pattern), None)
    if name is None:
        return []
    segment = site.patterns[name].segments[-1]
    entries = (entry for entry in site.collections[name] if entry.slug)
    return [{segment.name: entry.segments if segment.is_catch_all else entry.slug} for entry in entries]


def _call(code: SiteCode, step: Provider, known: Params) -> list[Any]:
    """Call one module's function with the params of its parents."""
    file, at = step.module.file, step.module.place(NAME)
    function = getattr(code.load(file), NAME, None)
    if not callable(function):
        raise Stop(_bad(f"{NAME} is not a function", at, f"write def {NAME}(): …"))
    with code.guard("handler-error", at, NAME):
        result = code.call(function, _as_given(known))
        if not isinstance(result, str | bytes | Mapping) and isinstance(result, Iterable):
            result = list(result)
    if not isinstance(result, list):
        kind = "None" if result is None else f"a {type(result).__name__}"
        raise Stop(_bad(f"{NAME} returned {kind}, not a list", at, "return a list of mappings"))
    if not result and not _may_be_empty(step):
        message = f"{NAME} returned no params, so {step.pattern} would have no page"
        hint = "return at least one entry, or write allow_empty = True in this file"
        raise Stop(Diagnostic("empty-static-params", message, at, hint))
    return result


def _as_given(params: Params) -> dict[str, str | list[str]]:
    """Params as site code sees them: lists for catch-alls."""
    return {name: value if isinstance(value, str) else list(value) for name, value in params.items()}


def _may_be_empty(step: Provider) -> bool:
    setting = step.module.settings.get("allow_empty")
    return bool(setting and setting.value)


def _checked(pattern: Pattern, entries: list[Any], known: Params, at: Location) -> list[Params]:
    kept: list[Params] = []
    faults: list[Diagnostic] = []
    for entry in entries:
        result = check_params(pattern, entry, known)
        if isinstance(result, list):
            faults += [Diagnostic(f.code, f"{NAME} for {pattern}: {f.reason}", at, f.hint) for f in result]
        else:
            kept.append(result)
    if faults:
        raise Stop(*dict.fromkeys(faults))
    return kept


def _unique(entries: list[Params]) -> Iterable[Params]:
    seen = {tuple(sorted(entry.items())): entry for entry in entries}
    return seen.values()


def _bad(message: str, at: Location, hint: str) -> Diagnostic:
    return Diagnostic("invalid-static-params", message, at, hint)
