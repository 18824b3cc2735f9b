"""Findings that need all rules at once: loops, chains, shadows, destinations that nothing answers.

Owns the questions asked of a rule set before it is compiled. Knows no host and changes nothing.
Sources: RFC 9110 §15.4 (redirect loops); OWASP, "Unvalidated Redirects and Forwards".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pybuild.artifact import File
from pybuild.diagnostics import Diagnostic, Location, Note, warning
from pybuild.rules.destinations import Destination, Slot
from pybuild.rules.evaluate import find
from pybuild.rules.model import Proxy, Redirect, Rewrite, RuleSet
from pybuild.rules.patterns import SEGMENT, Param, PathPattern, Text

_HOPS = 20


def review(rules: RuleSet, files: Mapping[str, File]) -> tuple[Diagnostic, ...]:
    """Look for faults among rules and files. Codes: `invalid-rule`, `broken-link`."""
    return (
        *_open_redirects(rules.redirects),
        *_chains(rules.redirects),
        *_shadows(rules.redirects),
        *_shadows(rules.rewrites),
        *_hidden_files(rules, files),
        *_dead_ends(rules, files),
    )


def _open_redirects(redirects: Iterable[Redirect]) -> Iterator[Diagnostic]:
    """Refuse destinations whose first segment is a value that may start with a slash: `//evil.example`."""
    for rule in redirects:
        regexes = {param.name: param.regex for param in rule.source.params}
        for name in () if rule.destination.is_external else _leading(rule.destination):
            regex = regexes.get(name, SEGMENT)
            if regex != SEGMENT and _may_start_with_slash(regex):
                yield Diagnostic(
                    "invalid-rule",
                    f'"{rule.destination.source}" lets a visitor choose the host: :{name} may start with a slash',
                    rule.location,
                    f'write ":{name}*" without a regex in the source, or begin the destination with text',
                )


def _leading(destination: Destination) -> Iterator[str]:
    """The names of values that may come right behind the first slash."""
    for part in destination.path:
        if isinstance(part, Slot):
            yield part.name
        if not (isinstance(part, Slot) and part.prefix) and part != Text("/"):
            return


def _may_start_with_slash(regex: str) -> bool:
    """Try what follows the "/" of a destination; a regex that takes none of it is safe."""
    return any(re.fullmatch(f"(?:{regex})", value, re.ASCII) for value in _HOSTILE)


_HOSTILE = [head + tail for head in "/\\" for tail in ("", "a", "evil.example", "evil.example/a", "1", "1/2")]


def _chains(redirects: Sequence[Redirect]) -> Iterator[Diagnostic]:
    for rule in redirects:
        hops = list(_follow(rule, redirects))
        if len(hops) > _HOPS or rule in hops:
            yield Diagnostic(
                "invalid-rule",
                f'the redirect from "{rule.source.source}" leads back to itself',
                rule.location,
                "change its destination, or delete one of the redirects",
                _notes(hops, rule),
            )
        elif hops:
            yield _warned(
                f'the redirect from "{rule.source.source}" leads to another redirect',
                rule.location,
                f'write destination = "{hops[-1].destination.source}"',
                _notes(hops, rule),
            )


def _warned(message: str, location: Location, hint: str, notes: tuple[Note, ...]) -> Diagnostic:
    return Diagnostic("invalid-rule", message, location, hint, notes, severity="warning")


def _notes(hops: Iterable[Redirect], rule: Redirect) -> tuple[Note, ...]:
    others = dict.fromkeys(hop for hop in hops if hop != rule)
    return tuple(Note(f'then from "{hop.source.source}"', hop.location) for hop in list(others)[:3])


def _follow(rule: Redirect, redirects: Sequence[Redirect]) -> Iterator[Redirect]:
    """The redirects a visitor meets after `rule`, by example values; conditions are taken as not met."""
    here: Redirect | None = None if rule.has or rule.missing else rule
    captures = _example(rule.source)
    seen = 0
    while here is not None and captures is not None and not here.destination.is_external and seen <= _HOPS:
        url = here.destination.fill(captures)
        here, captures = _first(url, redirects)
        seen += 1
        if here is not None:
            yield here


def _first(url: str, redirects: Iterable[Redirect]) -> tuple[Redirect | None, dict[str, str] | None]:
    for rule in redirects:
        captures = None if rule.has or rule.missing else rule.source.match(url)
        if captures is not None:
            return rule, captures
    return None, None


def _example(pattern: PathPattern) -> dict[str, str] | None:
    """Values that the pattern takes, or None where a regex of its own makes them unknown."""
    if any(param.regex != SEGMENT for param in pattern.params):
        return None
    return {param.name: f"x{index}-example" for index, param in enumerate(pattern.params)}


def _example_url(pattern: PathPattern) -> str | None:
    values = _example(pattern)
    if values is None:
        return None

    def one(part: Text | Param) -> str:
        return part.text if isinstance(part, Text) else part.prefix + values[part.name]

    return "".join(one(part) for part in pattern.parts)


def _shadows(rules: Sequence[Redirect] | Sequence[Rewrite]) -> Iterator[Diagnostic]:
    """Warn of a rule that an earlier one always answers for."""
    free: list[Redirect | Rewrite] = []
    for rule in rules:
        url = _example_url(rule.source)
        earlier = next(
            (other for other in free if other.source.parts == rule.source.parts or _takes(other, url)), None
        )
        if earlier is not None:
            note = Note(f'"{earlier.source.source}" is tried first', earlier.location)
            message = f'"{rule.source.source}" is never reached'
            yield _warned(message, rule.location, "move it up, or delete it", (note,))
        if not rule.has and not rule.missing:
            free.append(rule)


def _takes(rule: Redirect | Rewrite, url: str | None) -> bool:
    return url is not None and rule.source.match(url) is not None


def _hidden_files(rules: RuleSet, files: Mapping[str, File]) -> Iterator[Diagnostic]:
    """Warn of a file whose URL a redirect answers for."""
    for rule in rules.redirects:
        url = rule.source.literal
        path = find(url, files) if url and not rule.has and not rule.missing else None
        if path is not None and files[path].origin != rule.location.file:  # not the stand-in it leaves itself
            message = f'the redirect from "{rule.source.source}" hides {files[path].origin}'
            yield warning("invalid-rule", message, rule.location, "delete the redirect or the file")


def _dead_ends(rules: RuleSet, files: Mapping[str, File]) -> Iterator[Diagnostic]:
    """Warn of a destination with no parameters that nothing answers."""
    listed: tuple[Redirect | Rewrite, ...] = (*rules.redirects, *rules.rewrites)
    for rule in listed:
        url = None if rule.destination.is_external else rule.destination.literal
        if url is not None and not _answers(url, rules, files, after_rewrite=isinstance(rule, Rewrite)):
            message = f'"{rule.destination.source}" leads nowhere'
            yield warning("broken-link", message, rule.location, "name a page or file that the export writes")


def _answers(url: str, rules: RuleSet, files: Mapping[str, File], *, after_rewrite: bool) -> bool:
    if find(url, files):
        return True
    if after_rewrite:
        return False
    others: tuple[Redirect | Rewrite | Proxy, ...] = (*rules.redirects, *rules.rewrites, *rules.proxies)
    return any(rule.source.match(url) is not None for rule in others)
