"""Findings that need all rules at once: loops, chains, shadows, destinations that nothing answers.

Owns the questions asked of a rule set before it is compiled, and the finding of the first rule that answers an address
without trying each of thousands: rules without parameters are looked up, the others tried; one with `has` or `missing`
is taken as not met. Knows no host and changes nothing.
Sources: RFC 9110 §15.4 (redirect loops); OWASP, "Unvalidated Redirects and Forwards"; docs/rules.md, "Order".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar
from urllib.parse import urlsplit

from pybuild.diagnostics import Diagnostic, Location, Note, warning
from pybuild.records import File
from pybuild.rules.evaluate import find
from pybuild.rules.model import Proxy, Redirect, Rewrite, Rule, RuleSet
from pybuild.rules.patterns import SEGMENT, Destination, Param, PathPattern, Slot, Text

Lead = TypeVar("Lead", Redirect, Rewrite, Redirect | Rewrite | Proxy)


class Lookup(Generic[Lead]):
    """Rules in their order; more may be added at the end."""

    def __init__(self, rules: Iterable[Lead] = ()) -> None:
        self._literal: dict[str, tuple[int, Lead]] = {}
        self._tried: list[tuple[int, Lead]] = []
        self._count = 0
        for rule in rules:
            self.add(rule)

    def add(self, rule: Lead) -> None:
        self._count += 1
        if rule.has or rule.missing:
            return
        literal = rule.source.literal
        if literal is None:
            self._tried.append((self._count, rule))
        else:
            self._literal.setdefault(literal, (self._count, rule))

    def first(self, url: str) -> tuple[Lead, dict[str, str]] | None:
        """The first rule that matches a decoded URL, with what its parameters take."""
        bare = url[:-1] if len(url) > 1 and url.endswith("/") else url
        number, known = self._literal.get(bare, (self._count + 1, None))
        for index, rule in self._tried:
            if index > number:
                break
            captures = rule.source.match(url)
            if captures is not None:
                return rule, captures
        return None if known is None else (known, {})


_HOPS = 20


def review(rules: RuleSet, files: Mapping[str, File]) -> tuple[Diagnostic, ...]:
    """Look for faults among rules and files. Codes: `invalid-rule`, `broken-link`."""
    return (
        *_open_redirects(rules.redirects),
        *_chains([at_home(rule, rules.site, rules.base) for rule in rules.redirects]),
        *_shadows(rules.redirects),
        *_shadows(rules.rewrites),
        *_shadows(rules.proxies),
        *_hidden_files(rules, files),
        *_dead_ends(rules, files),
        *_never_asked(rules),
        *_hidden_rules(rules, files),
        *_headers_of_nothing(rules, files),
    )


def _open_redirects(redirects: Iterable[Redirect]) -> Iterator[Diagnostic]:
    """Refuse destinations whose first segment is a value that may start with a slash: `//evil.example`."""
    for rule in redirects:
        regexes = {param.name: param.regex for param in rule.source.params}
        for name in () if rule.destination.is_external else _leading(rule.destination):
            regex = regexes.get(name, SEGMENT)
            # tried behind the "/" of a destination; a regex that takes none of them is safe
            if regex != SEGMENT and any(re.fullmatch(f"(?:{regex})", value, re.ASCII) for value in _HOSTILE):
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


_HOSTILE = [head + tail for head in "/\\" for tail in ("", "a", "evil.example", "evil.example/a", "1", "1/2")]


def at_home(rule: Redirect, site: str, base: str) -> Redirect:
    """The redirect with a path in place of an address on the site's own host."""
    to, at = rule.destination, urlsplit(site)
    first = to.path[0] if to.path else None
    if to.origin.lower() != f"{at.scheme}://{at.netloc}".lower() or not isinstance(first, Text):
        return rule
    if not (first.text + "/").startswith(base + "/"):
        return rule
    start = first.text[len(base) :] or ("" if to.path[1:] else "/")
    return replace(rule, destination=replace(to, origin="", path=(Text(start), *to.path[1:])))


def _chains(redirects: Sequence[Redirect]) -> Iterator[Diagnostic]:
    """Follow each redirect by example values, with conditions taken as not met."""
    lookup = Lookup(redirects)
    for rule in redirects:
        hops: list[Redirect] = []
        values = _example(rule.source)
        found = None if rule.has or rule.missing or values is None else (rule, values)
        while found and not found[0].destination.is_external and len(hops) <= _HOPS:
            found = lookup.first(found[0].destination.fill(found[1]))
            hops += [found[0]] if found else []
        others = list(dict.fromkeys(hop for hop in hops if hop != rule))
        notes = tuple(Note(f'then from "{hop.source.source}"', hop.location) for hop in others[:3])
        if len(hops) > _HOPS or rule in hops:
            message = f'the redirect from "{rule.source.source}" leads back to itself'
            hint = "change its destination, or delete one of the redirects"
            yield Diagnostic("invalid-rule", message, rule.location, hint, notes)
        elif hops:
            message = f'the redirect from "{rule.source.source}" leads to another redirect'
            yield _warned(
                message, rule.location, f'write destination = "{hops[-1].destination.source}"', notes
            )


def _warned(message: str, location: Location, hint: str, notes: tuple[Note, ...]) -> Diagnostic:
    return Diagnostic("invalid-rule", message, location, hint, notes, severity="warning")


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


def _never_asked(rules: RuleSet) -> Iterator[Diagnostic]:
    """Warn of a source that no request can have: clients and hosts resolve such addresses before rules are read."""
    listed: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites, *rules.headers, *rules.proxies)
    for rule in listed:
        texts = "\0".join(part.text for part in rule.source.parts if isinstance(part, Text))
        under_base = rules.base and (texts + "/").startswith(rules.base + "/")
        if not rule.location.line or not (under_base or re.search(r"//|(?:^|/)\.{1,2}(?:/|$)", texts)):
            continue
        hint = (
            f'write it without the base path "{rules.base}"'
            if under_base
            else 'write it without "//", "." and ".."'
        )
        yield warning("invalid-rule", f'"{rule.source.source}" is never asked for', rule.location, hint)


def _hidden_rules(rules: RuleSet, files: Mapping[str, File]) -> Iterator[Diagnostic]:
    """Warn of a proxy for an address that a file answers, and of a rewrite or proxy that a redirect answers for."""
    redirects = Lookup(rules.redirects)
    later: tuple[Rewrite | Proxy, ...] = (*rules.rewrites, *rules.proxies)
    for rule in later:
        url = _example_url(rule.source)
        found = redirects.first(url) if url and rule.location.line else None
        if found:
            note = (Note(f'"{found[0].source.source}" redirects first', found[0].location),)
            message = f'"{rule.source.source}" is never reached'
            yield _warned(message, rule.location, "delete it, or the redirect", note)
    rewrites = Lookup(rules.rewrites)
    for proxy in rules.proxies:
        literal = proxy.source.literal
        rewritten = rewrites.first(literal) if literal else None
        url = rewritten[0].destination.fill(rewritten[1]) if rewritten else literal
        path = find(url, files) if url and set(proxy.methods) <= {"GET", "HEAD"} else None
        if path is not None:
            message = f'the proxy for "{literal}" is never reached: {files[path].origin} answers first'
            hint = "give the proxy an address of its own, or delete the file"
            yield warning("invalid-rule", message, proxy.location, hint)


def _headers_of_nothing(rules: RuleSet, files: Mapping[str, File]) -> Iterator[Diagnostic]:
    """Warn of headers for addresses where there is no page, no file and no other rule."""
    others: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites, *rules.proxies)
    taken = {rule.location for rule in others}  # Vary, which conditions of a rule ask for, lies at that rule
    examples = [url for rule in others if (url := _example_url(rule.source))]
    for rule in rules.headers if files else ():
        if not rule.location.line or rule.location in taken or any(map(rule.source.match, examples)):
            continue
        url = _example_url(rule.source)
        if (url and any(other.source.match(url) is not None for other in others)) or _meets(
            rule.source, files
        ):
            continue
        message = f'the headers for "{rule.source.source}" meet no page, file, redirect or proxy'
        yield warning("invalid-rule", message, rule.location, "correct the source, or delete the rule")


def _meets(source: PathPattern, files: Mapping[str, File]) -> bool:
    if source.literal is not None:
        return find(source.literal, files) is not None
    return any(
        source.match(url) is not None
        for path, file in files.items()
        for url in {"/" + path, file.url or "/" + re.sub(r"(?:(?:^|/)index)?\.html$", "", path)}
    )


def _shadows(rules: Sequence[Redirect] | Sequence[Rewrite] | Sequence[Proxy]) -> Iterator[Diagnostic]:
    """Warn of a rule that an earlier one always answers for."""
    free: Lookup[Redirect | Rewrite | Proxy] = Lookup()
    same: dict[tuple[Text | Param, ...], Redirect | Rewrite | Proxy] = {}
    for rule in rules:
        url = _example_url(rule.source)
        found = free.first(url) if url is not None else None
        earlier = same.get(rule.source.parts) or (found and found[0])
        if earlier:
            note = Note(f'"{earlier.source.source}" is tried first', earlier.location)
            message = f'"{rule.source.source}" is never reached'
            is_listed = rule.location.file == earlier.location.file
            hint = "move it up, or delete it" if is_listed else "delete one of the two"
            yield _warned(message, rule.location, hint, (note,))
        if not rule.has and not rule.missing:
            free.add(rule)
            same.setdefault(rule.source.parts, rule)


def _hidden_files(rules: RuleSet, files: Mapping[str, File]) -> Iterator[Diagnostic]:
    """Warn of a file whose URL a redirect answers for."""
    stand_ins = {(rule.source.literal, rule.location.file) for rule in rules.redirects}
    for rule in rules.redirects:
        url = rule.source.literal
        path = find(url, files) if url and not rule.has and not rule.missing else None
        if path is not None and (url, files[path].origin) not in stand_ins:  # the page that a redirect leaves
            message = f'the redirect from "{rule.source.source}" hides {files[path].origin}'
            yield warning("invalid-rule", message, rule.location, "delete the redirect or the file")


def _dead_ends(rules: RuleSet, files: Mapping[str, File]) -> Iterator[Diagnostic]:
    """Warn of a destination with no parameters that nothing answers."""
    redirects = (at_home(rule, rules.site, rules.base) for rule in rules.redirects)
    listed: tuple[Redirect | Rewrite, ...] = (*redirects, *rules.rewrites)
    answered: Lookup[Redirect | Rewrite | Proxy] = Lookup()
    for rule in (*listed, *rules.proxies):
        answered.add(replace(rule, has=(), missing=()))
    for rule in listed:
        url = None if rule.destination.is_external else rule.destination.literal
        if url is None or find(url, files) or (isinstance(rule, Redirect) and answered.first(url)):
            continue
        message = f'"{rule.destination.source}" leads nowhere'
        yield warning("broken-link", message, rule.location, "name a page or file that the export writes")
