"""Refusals that need no line of the site to run.

Owns the rules for route handlers, pages and metadata files, and `route-conflict` between routes; values of segment
settings have a module of their own. Pure: reads the tree, and no disk. What two params make of one URL is only known
when the site is planned.
Sources: Next.js 16, "Static Exports", "Route Handlers", "Dynamic Segments" and "Route Groups"; docs/errors.md.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic, Location, Note, arrange, warning
from pybuild.routing.module_facts import ModuleFacts
from pybuild.routing.segment_config import check_settings
from pybuild.routing.segments import Pattern, sequence_fault
from pybuild.routing.tree import GENERATOR, Route, RouteKind, Tree


@dataclass(frozen=True, slots=True)
class Claim:
    """Something that wants the URLs of a pattern."""

    pattern: Pattern
    kind: RouteKind | None  # None is a collection; a page or handler of its pattern answers for it
    name: str  # for messages
    location: Location
    folder: str = ""


def route_claim(route: Route) -> Claim:
    return Claim(route.pattern, route.kind, route.file, Location(route.file), route.folder)


def find_conflicts(claims: Iterable[Claim]) -> tuple[Diagnostic, ...]:
    """List all conflicts among `claims`, each at the later of the two places with a note to the first."""
    ordered = sorted(claims, key=lambda claim: (claim.location.file, claim.location.line or 0, claim.name))
    findings = []
    for claim in ordered:
        pattern = Pattern(claim.pattern.segments[:-1]) if claim.kind == "metadata" else claim.pattern
        if fault := sequence_fault(pattern):
            findings.append(Diagnostic("route-conflict", fault.reason, claim.location, fault.hint))
    return (
        *findings,
        *_same_urls(ordered),
        *_two_names(ordered),
        *_two_catch_alls(ordered),
        *_parents_of_optional(ordered),
    )


def _same_urls(claims: Iterable[Claim]) -> list[Diagnostic]:
    """Find routes of one pattern. A route and a collection belong together: the one answers for the other."""
    findings = []
    first: dict[tuple[Pattern, bool], Claim] = {}
    for claim in claims:
        other = first.setdefault((claim.pattern, claim.kind is None), claim)
        if other is claim:
            continue
        if other.folder == claim.folder and {other.kind, claim.kind} == {"page", "handler"}:
            message = f"{claim.folder} holds both a page and a route handler"
            hint = "move one of them to a folder of its own, or delete it"
        else:
            message = f"{claim.name} and {other.name} both answer {claim.pattern}"
            hint = "keep one of them; route groups are no part of the URL"
        findings.append(_conflict(message, claim, other, hint))
    return findings


def _two_names(claims: Iterable[Claim]) -> list[Diagnostic]:
    """Find parameters that read the same part of the same URLs but have two names."""
    findings: dict[tuple[str, str], Diagnostic] = {}
    first: dict[str, tuple[str, Claim]] = {}
    for claim in claims:
        for index, segment in enumerate(claim.pattern.segments):
            if not segment.is_param:
                continue
            level = Pattern(claim.pattern.segments[: index + 1]).shape
            name, other = first.setdefault(level, (segment.name, claim))
            if name != segment.name:
                message = (
                    f'{claim.name} calls the parameter "{segment.name}" where {other.name} calls it "{name}"'
                )
                finding = _conflict(message, claim, other, "give both folders the same name")
                findings.setdefault((level, segment.name), finding)
                break
    return list(findings.values())


def _two_catch_alls(claims: Iterable[Claim]) -> list[Diagnostic]:
    findings = []
    first: dict[str, tuple[str, Claim]] = {}
    for claim in claims:
        for index, segment in enumerate(claim.pattern.segments):
            if segment.is_catch_all and not (segment.prefix or segment.suffix):
                level = Pattern(claim.pattern.segments[:index]).shape
                kind, other = first.setdefault(level, (segment.kind, claim))
                if kind != segment.kind:
                    message = (
                        f"{claim.name} and {other.name} are a required and an optional catch-all at one level"
                    )
                    findings.append(_conflict(message, claim, other, "keep one of the two folders"))
    return findings


def _parents_of_optional(claims: Iterable[Claim]) -> list[Diagnostic]:
    """Find what is at the parent of an optional catch-all, which answers its parent too."""
    claims = [claim for claim in claims if claim.kind in {"page", "handler"}]
    parents: Mapping[str, Claim] = {claim.pattern.shape: claim for claim in claims}
    findings = []
    for claim in claims:
        segments = claim.pattern.segments
        other = parents.get(Pattern(segments[:-1]).shape)
        if segments and segments[-1].kind == "optional_catch_all" and other:
            message = f"{claim.name} also answers {other.pattern}, as {other.name} does"
            hint = f"rename its folder to [...{segments[-1].name}], or delete {other.name}"
            findings.append(_conflict(message, claim, other, hint))
    return findings


def _conflict(message: str, claim: Claim, other: Claim, hint: str) -> Diagnostic:
    notes = (Note(f"{other.name} is here", other.location),)
    return Diagnostic("route-conflict", message, claim.location, hint, notes)


METHODS = ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_METHOD_HINTS: Mapping[str, str] = {
    "HEAD": "delete it: hosts answer HEAD from what GET made",
    "OPTIONS": "delete it, and set Access-Control-Allow-Origin in [[headers]] where another origin reads it",
}
_SNAKE_CASE: Mapping[str, str] = {
    "allowEmpty": "allow_empty",
    "contentType": "content_type",
    "dynamicParams": "dynamic_params",
    "fetchCache": "fetch_cache",
    "generateMetadata": "generate_metadata",
    "generateSitemaps": "generate_sitemaps",
    "generateStaticParams": GENERATOR,
    "getInitialProps": "load",
    "getServerSideProps": "load",
    "getStaticPaths": GENERATOR,
    "getStaticProps": "load",
    "get_initial_props": "load",
    "get_server_side_props": "load",
    "get_static_paths": GENERATOR,
    "get_static_props": "load",
    "maxDuration": "max_duration",
    "preferredRegion": "preferred_region",
}
_KNOWN = frozenset(_SNAKE_CASE.values()) | {"dynamic", "inputs", "metadata", "revalidate", "runtime"}


def check(tree: Tree, collections: Mapping[str, Collection]) -> tuple[Diagnostic, ...]:
    """List what is wrong with the routes, sorted by place.

    The findings of the tree are not repeated, and a collection whose route is no pattern is passed over.
    Codes: `invalid-setting`, `missing-get`, `missing-static-params`, `non-get-handler`,
    `not-force-static`, `route-conflict`, `unknown-export`.
    """
    patterns = {name: Pattern.parse(collection.route) for name, collection in sorted(collections.items())}
    parsed = {name: pattern for name, pattern in patterns.items() if isinstance(pattern, Pattern)}
    findings: list[Diagnostic] = []
    for module in tree.modules:
        findings += [*check_settings(module), *_unknown_exports(module), *_without_effect(module)]
    for route in tree.routes:
        if route.module is None or route.module.is_readable:
            findings += _check_route(route, set(parsed.values()))
    claims = [route_claim(route) for route in tree.routes]
    for name, pattern in parsed.items():
        claims.append(Claim(pattern, None, f'the collection "{name}"', collections[name].location))
    return arrange([*findings, *find_conflicts(claims)])


def _check_route(route: Route, collections: Iterable[Pattern]) -> list[Diagnostic]:
    # somebody must give the params of a dynamic route
    covered = {name for provider in route.providers for name in provider.pattern.params}
    missing = [name for name in route.pattern.params if name not in covered]
    enumerated = any(fills(pattern, route.pattern) for pattern in collections)
    is_sound = not missing or enumerated or (route.module and route.module.is_open)
    findings = [] if is_sound else [missing_static_params(route)]
    if route.kind == "handler" and route.module:
        findings += _handler(route.module)
    if route.kind == "metadata" and route.module and route.metadata:
        findings += _metadata_function(route.module, route.metadata.replace("-", "_"))
    if route.kind in {"page", "not_found"} and route.pattern not in collections:
        findings += _page_content(route)
    return findings


def _handler(module: ModuleFacts) -> list[Diagnostic]:
    findings = []
    for method in METHODS:
        if method in module.names:
            findings.append(non_get_handler(method, module.place(method)))
    if "GET" not in module.names and not module.is_open and not findings:
        near = next((name for name in ("get", "Get") if name in module.names), None)
        hint = f"rename {near} to GET" if near else "define GET(), or delete the file"
        findings.append(
            Diagnostic("missing-get", f"{module.file} defines no GET", module.place(near or ""), hint)
        )
    if "dynamic" not in module.names and ("GET" in module.names or not findings):
        message = f"{module.file} does not say that it is static"
        hint = 'write dynamic = "force-static" at the top level'
        findings.append(Diagnostic("not-force-static", message, module.place("GET"), hint))
    return findings


def non_get_handler(method: str, at: Location) -> Diagnostic:
    """Refuse a method that no static host answers."""
    message = f"{method} in {at.file} cannot be exported: a static host only answers GET"
    usual = "delete it here, and serve it from a backend, reached through [[proxies]]"
    return Diagnostic("non-get-handler", message, at, _METHOD_HINTS.get(method, usual))


def _metadata_function(module: ModuleFacts, name: str) -> list[Diagnostic]:
    if name in module.names or module.is_open:
        return []
    near = next(iter(difflib.get_close_matches(name, list(module.names), n=1, cutoff=0.8)), None)
    hint = f"rename {near} to {name}" if near else f"define {name}(), or delete the file"
    return [
        Diagnostic("unknown-export", f"{module.file} defines no {name}()", module.place(near or ""), hint)
    ]


def _page_content(route: Route) -> list[Diagnostic]:
    """Refuse a page of nothing but a module that loads nothing."""
    module = route.module
    if module is None or route.template or route.markdown or "load" in module.names or module.is_open:
        return []
    stem = module.file.rpartition("/")[2].removesuffix(".py")
    message = f"{module.file} has nothing to show: no load(), and no {stem}.html or {stem}.md beside it"
    return [
        Diagnostic(
            "unknown-export", message, module.place("load"), f"write {stem}.md or {stem}.html, or load()"
        )
    ]


def fills(collection: Pattern, pattern: Pattern) -> bool:
    """Whether a collection's documents give all params of a pattern: its own, or one of static segments below it."""
    size = len(collection.segments)
    below = pattern.segments[size:]
    return pattern.segments[:size] == collection.segments and not any(segment.is_param for segment in below)


def missing_static_params(route: Route) -> Diagnostic:
    """Say that nobody gives the params of a route."""
    covered = {name for provider in route.providers for name in provider.pattern.params}
    names = " and ".join(f'"{name}"' for name in route.pattern.params if name not in covered)
    message = f"nothing says which values {names} of {route.pattern} can have"
    example = ", ".join(
        f'"{s.name}": {"[…]" if s.is_catch_all else "…"}' for s in route.pattern.segments if s.is_param
    )
    beside = f"{route.folder}/{'page' if route.kind == 'page' else 'layout'}.py"
    hint = f"define generate_static_params() in {route.module.file if route.module else beside}: return [{{{example}}}]"
    at = route.module.place("GET") if route.module else Location(route.file)
    return Diagnostic("missing-static-params", message, at, hint)


def _unknown_exports(module: ModuleFacts) -> list[Diagnostic]:
    """Warn of names that are nearly names with a meaning: camelCase, and spelling mistakes."""
    findings = []
    for name in sorted(module.names.keys() - module.reads):
        is_long = len(name) >= 6  # a short name that differs by a slip of the keyboard is too often another
        slips = difflib.get_close_matches(name, sorted(_KNOWN), n=1, cutoff=0.9) if is_long else []
        meant = _SNAKE_CASE.get(name) or ("" if name in _KNOWN else next(iter(slips), ""))
        is_there = meant in module.names
        if meant and (not is_there or name in _SNAKE_CASE):
            message = f"{name} has no meaning in {module.file}"
            hint = f"delete it: {meant} is there too" if is_there else f'did you mean "{meant}"?'
            findings.append(warning("unknown-export", message, module.place(name), hint))
    if "GET" not in module.names and module.is_open:
        findings += [
            warning(
                "unknown-export",
                f"{name} has no meaning in {module.file}",
                module.place(name),
                'did you mean "GET"?',
            )
            for name in ("get", "Get")
            if name in module.names
        ]
    return findings


_IDLE: Mapping[str, Mapping[str, str]] = {  # what nothing calls, by the stem of its module, and what to do
    "layout": {
        "load": "move it to page.py: layouts see what the page loads",
        "GET": "move it to a route.py in a folder of its own",
    },
    "page": {"GET": "move it to a route.py in a folder of its own: a page is shown, it does not answer"},
    "not-found": {"GET": "delete it: a page is shown, it does not answer"},
    "route": {
        "load": "call it in GET: only pages have load()",
        "metadata": "write what it says into the response: only pages and layouts have metadata",
        "generate_metadata": "write what it says into the response: only pages and layouts have metadata",
    },
}
_FILES: Mapping[str, str] = {  # functions of metadata files, and where they belong
    "generate_sitemaps": "move it to sitemap.py",
    "manifest": "move it to app/manifest.py",
    "robots": "move it to app/robots.py",
    "sitemap": "move it to a sitemap.py",
}
_OF_NEXT: Mapping[str, str] = {  # names of Next.js that mean nothing in any module
    "experimental_ppr": "delete it: every page is made when the site is exported",
    "generate_image_metadata": "write one file for each image, such as icon1.py and icon2.py",
    "generateImageMetadata": "write one file for each image, such as icon1.py and icon2.py",
    "generate_viewport": 'write <meta name="viewport"> into the layout',
    "viewport": 'write <meta name="viewport"> into the layout',
}


def _without_effect(module: ModuleFacts) -> list[Diagnostic]:
    """Warn of names that have a meaning elsewhere, and refuse methods in modules that are no route handlers."""
    stem = module.file.rpartition("/")[2].removesuffix(".py")
    idle = {**_IDLE.get(stem, {}), **_OF_NEXT}
    if "[" not in module.file.rpartition("/")[0] and "[" not in stem:
        idle[GENERATOR] = "delete it, or name a folder above it with a parameter, such as [slug]"
    if stem in {"route", "page", "layout", "not-found"}:
        answers = "hosts answer GET and HEAD" if stem == "route" else "a page is shown, it does not answer"
        odd = (name for name in module.functions if name.isalpha() and name.isupper())
        idle |= dict.fromkeys(
            (name for name in odd if name not in (*METHODS, "GET")), f"delete it: {answers}"
        )
        idle |= {name: hint for name, hint in _FILES.items() if name in module.functions}
    findings = [
        warning("unknown-export", f"{name} has no meaning in {module.file}", module.place(name), hint)
        for name, hint in sorted(idle.items())
        if name in module.names and name not in module.reads
    ]
    refused = METHODS if stem in {"page", "layout", "not-found"} else ()
    return findings + [non_get_handler(name, module.place(name)) for name in refused if name in module.names]
