"""Routes that cannot stand beside each other.

Owns `route-conflict`. Pure; what two params make of one URL is only known when the site is planned.
Source: Next.js 16, "Dynamic Segments" and "Route Groups".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.routing.segments import Pattern, sequence_fault
from pybuild.routing.tree import Route, RouteKind


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
    return (
        *_misordered(ordered),
        *_same_urls(ordered),
        *_two_names(ordered),
        *_two_catch_alls(ordered),
        *_parents_of_optional(ordered),
    )


def _misordered(claims: Iterable[Claim]) -> list[Diagnostic]:
    findings = []
    for claim in claims:
        pattern = Pattern(claim.pattern.segments[:-1]) if claim.kind == "metadata" else claim.pattern
        if fault := sequence_fault(pattern):
            findings.append(Diagnostic("route-conflict", fault.reason, claim.location, fault.hint))
    return findings


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
    """Find what stands at the parent of an optional catch-all, which answers its parent too."""
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
