"""The author's rewrites put in order with the names of files, so that the first match is the right one.

Owns three promises that hosts with plain rules would not keep: a rewrite leads to the file that answers its
destination, whatever the file is called; it is never applied to what it leads to; and one that looks at Accept
never concerns an address that names a file, such as `/docs/a.md`. Each is written as further rewrites, before the
author's own, so that no host needs to know of them. Knows no host.
Source: Next.js, "rewrites"; RFC 9110 §12.5.1: only what has several representations is negotiated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pybuild.rules.model import Rewrite
from pybuild.rules.patterns import Destination, Param, PathPattern, Slot, Text

_WITH_SUFFIX = r"(?:[^/]+/)*[^/]*\.[A-Za-z0-9]+"
_BELOW = Param("path", modifier="*", prefix="/")


def ordered(
    authored: Sequence[Rewrite], names: Sequence[Rewrite], paths: Mapping[str, str]
) -> tuple[Rewrite, ...]:
    """All rewrites in the order they are tried. `paths` maps URLs to the paths of files that `names` lead to."""
    places = [place.source for rule in authored for place in _places(rule)]
    first = [
        rule for rule in names if any(place.match(_example(rule.source)) is not None for place in places)
    ]
    rules = [rule for own in authored for rule in (*_named(own, paths), *_spared(own), own)]
    return (*first, *rules, *(rule for rule in names if rule not in first))


def _example(pattern: PathPattern) -> str:
    """A URL that a pattern of file names matches."""
    return "".join(part.text if isinstance(part, Text) else "x" for part in pattern.parts)


def _named(rule: Rewrite, paths: Mapping[str, str]) -> Iterator[Rewrite]:
    """The rule once more for each URL that leads to a file of another name: `/docs` → `/docs/md/index.md`."""
    reverse = _as_pattern(rule)
    for url, path in sorted(paths.items()) if reverse else ():
        captures = reverse.match(url) if reverse else None
        if captures is not None:
            source = _filled(rule.source, captures)
            if rule.source.match(source) is not None:
                target = "/" + path
                yield replace(
                    rule,
                    source=PathPattern(source, (Text(source),)),
                    destination=Destination(target, "", (Text(target),)),
                )


def _spared(rule: Rewrite) -> Iterator[Rewrite]:
    """Rewrites that leave an address as it is where the rule must not be applied."""
    yield from _places(rule)
    head = rule.source.parts[0]
    is_negotiation = any(
        c.type == "accept" or (c.type, c.key) == ("header", "accept") for c in (*rule.has, *rule.missing)
    )
    if is_negotiation and rule.source.params and isinstance(head, Text):
        parts = (Text(head.text.rstrip("/") + "/"), Param("path", _WITH_SUFFIX))
        kept = Destination(head.text, "", (parts[0], Slot("path")))
        yield replace(rule, source=PathPattern(rule.source.source, parts), destination=kept)


def _places(rule: Rewrite) -> Iterator[Rewrite]:
    """The address below which the rule leads, where the rule would catch that too: `/docs/md` of `/docs/:slug*`."""
    head = rule.destination.path[0] if rule.destination.path else None
    place = head.text.rstrip("/") if isinstance(head, Text) and not rule.destination.is_external else ""
    if place and rule.destination.slots and rule.source.match(f"{place}/x") is not None:
        source = PathPattern(f"{place}/:path*", (Text(place), _BELOW))
        same = Destination(f"{place}/:path*", "", (Text(place), Slot("path", "/")))
        yield replace(rule, source=source, destination=same)


def _as_pattern(rule: Rewrite) -> PathPattern | None:
    """The destination as a pattern over the source's parameters; None where it says more or less than these."""
    params = {param.name: param for param in rule.source.params}
    slots = [part for part in rule.destination.path if isinstance(part, Slot)]
    if rule.destination.is_external or sorted(s.name for s in slots) != sorted(params):
        return None
    parts = tuple(
        replace(params[part.name], prefix=part.prefix or params[part.name].prefix)
        if isinstance(part, Slot)
        else part
        for part in rule.destination.path
    )
    return PathPattern(rule.destination.source, parts)


def _filled(pattern: PathPattern, captures: Mapping[str, str]) -> str:
    def one(part: Text | Param) -> str:
        if isinstance(part, Text):
            return part.text
        value = captures.get(part.name, "")
        return part.prefix + value if value else ""

    return "".join(map(one, pattern.parts)) or "/"
