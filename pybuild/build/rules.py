"""Settings and produced files made into one rule set.

Owns the order of rules, and those that settings and answers ask for; those that files need lie in
`rules.file_rules`, the findings that need all rules at once in `rules.lint`. Knows no host.
Sources: RFC 9110 §12.5.5 (Vary); contract of rules in docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from urllib.parse import unquote, urljoin, urlsplit

from pybuild.build.security import page_headers, security_rules
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import REDIRECTS, Files, Link, Page, Redirection
from pybuild.rules.evaluate import find, join_list
from pybuild.rules.file_rules import rules_for_files
from pybuild.rules.lint import at_home, review
from pybuild.rules.model import (
    REDIRECT_STATUSES,
    Negotiation,
    Proxy,
    Redirect,
    Rewrite,
    Rule,
    RuleSet,
    SetHeaders,
    SetType,
)
from pybuild.rules.order import ordered as in_order
from pybuild.rules.patterns import Destination, PathPattern, Text


def derive(
    config: Config,
    pages: Iterable[Page],
    files: Files,
    redirections: Iterable[Redirection],
    read: Callable[[str], bytes] = lambda _: b"",
    *,
    notable: Files | None = None,
) -> tuple[RuleSet, tuple[Diagnostic, ...]]:
    """Make the rule set of an export. `files` are sorted; the order of pages and redirections is of no account.

    `read` gives the bytes of a file, for what a page needs of its security headers. `notable` are the files of the
    folders in which one has a type, headers or a name of its own; without it, all are looked at.

    Findings: `invalid-rule` for loops, chains, shadowed rules and unsafe destinations; `broken-link` for
    destinations that nothing answers.
    """
    variants, redirections = any(page.variant_path for page in pages), tuple(redirections)
    answered, findings = _answered(config, redirections)
    seen = files if notable is None else notable
    policies, lost, over = page_headers(config, seen, read)
    of_files = rules_for_files(seen, redirections, policies)
    redirects = (*(rule for rule in config.rules if isinstance(rule, Redirect)), *answered)
    rewrites = tuple(rule for rule in config.rules if isinstance(rule, Rewrite))
    negotiation: Negotiation = "off"
    if variants and config.settings.negotiation.enabled:
        negotiation = "strict" if config.settings.negotiation.strict else "lenient"
    rules = RuleSet(
        site=config.site.url,
        base=unquote(config.site.base_path),
        trailing_slash=config.trailing_slash,
        variants=variants,
        negotiation=negotiation,
        redirects=tuple(_with_page_slash(rule, config, files) for rule in redirects),
        rewrites=in_order(rewrites, of_files.names, of_files.renamed),
        proxies=tuple(rule for rule in config.rules if isinstance(rule, Proxy)),
        headers=(
            *security_rules(config, lost),
            *of_files.headers,
            *_vary(config.rules),
            *_header_rules(config.rules),
        ),
        types=(*_set_types(config.rules), *of_files.types),
    )
    return rules, (*findings, *over, *of_files.findings, *review(rules, files))


def _header_rules(rules: Iterable[Rule]) -> Iterator[SetHeaders]:
    """Header rules without their Content-Type, which belongs to the file."""
    for rule in rules:
        if isinstance(rule, SetHeaders):
            pairs = tuple(pair for pair in rule.headers if pair[0].lower() != "content-type")
            if pairs:
                yield replace(rule, headers=pairs)


def _set_types(rules: Iterable[Rule]) -> Iterator[SetType]:
    for rule in reversed([rule for rule in rules if isinstance(rule, SetHeaders)]):
        yield from (
            SetType(rule.source, value) for name, value in rule.headers if name.lower() == "content-type"
        )


def _vary(rules: Iterable[Rule]) -> Iterator[SetHeaders]:
    """Name in Vary what the conditions of a rule look at, on every answer below its source."""
    for rule in rules:
        names = [
            {"cookie": "Cookie", "accept": "Accept"}.get(condition.type, condition.key)
            for condition in (*rule.has, *rule.missing)
            if condition.type in {"header", "cookie", "accept"}
        ]
        if names:
            titled = ("-".join(map(str.capitalize, name.split("-"))) for name in names)
            yield SetHeaders(rule.location, rule.source, (("Vary", join_list(*titled)),))


def _with_page_slash(rule: Redirect, config: Config, files: Files) -> Redirect:
    """Lead straight to `/a/` where pages end with a slash, so that a visitor is not sent on twice."""
    literal = rule.destination.literal
    if not config.trailing_slash or rule.destination.is_external or not literal or literal.endswith("/"):
        return rule
    if not (find(literal, files) or "").endswith("/index.html"):
        return rule
    to = rule.destination
    slashed = Destination(to.source, "", (Text(literal + "/"),), to.query, to.fragment)
    return Redirect(rule.location, rule.source, slashed, rule.status, rule.has, rule.missing)


def _answered(
    config: Config, redirections: Iterable[Redirection]
) -> tuple[tuple[Redirect, ...], tuple[Diagnostic, ...]]:
    """Rules for the redirects that site code answered with, sorted by URL."""
    rules: list[Redirect] = []
    findings: list[Diagnostic] = []
    for answer in sorted(redirections, key=lambda answer: answer.url):
        at = Location(answer.file, answer.line)
        fault = _fault(answer)
        if fault:
            hint = "answer with a path of the site or a full https:// address, and 301, 302, 303, 307 or 308"
            findings.append(Diagnostic("invalid-rule", f"{answer.url} {fault}", at, hint))
            continue
        source = PathPattern(answer.url, (Text(answer.url),))
        rules.append(Redirect(at, source, _literal_destination(config, answer), answer.status))
    return tuple(rules), tuple(findings)


def redirect_links(config: Config, redirections: Iterable[Redirection]) -> Iterator[Link]:
    """The redirects to one part of a page of this site, as links to it."""
    answered, _ = _answered(config, redirections)
    for rule in (*(rule for rule in config.rules if isinstance(rule, Redirect)), *answered):
        to = at_home(rule, config.site.url, unquote(config.site.base_path)).destination
        if to.fragment and to.literal is not None and not to.is_external:
            at, fragment = rule.location, unquote(to.fragment)
            yield Link(to.literal, fragment, at.file or "", at.line, to.source, REDIRECTS)


def _fault(answer: Redirection) -> str:
    if answer.status not in REDIRECT_STATUSES:
        return f"answers with the status {answer.status}, which redirects no one"
    if re.match(r"[/\\][/\\]", answer.location) or not answer.location.isprintable():
        return f'redirects to "{answer.location}", which browsers read as another host'
    try:
        parts = urlsplit(answer.location)
    except ValueError:
        return f'redirects to "{answer.location}", which is no address'
    if not answer.location or (parts.scheme and not (parts.scheme in {"http", "https"} and parts.netloc)):
        return f'redirects to "{answer.location}", which is no address of a page'
    return ""


def _literal_destination(config: Config, answer: Redirection) -> Destination:
    """Split a returned Location; addresses of this site become paths below its base."""
    site, base = config.site.origin, config.site.base_path
    parts = urlsplit(urljoin(config.site.url + answer.url, answer.location))
    origin = f"{parts.scheme}://{parts.netloc}"
    path = unquote(parts.path) or "/"
    below = path == base or path.startswith(base + "/")
    if origin == site and below:
        origin, path = "", path[len(base) :] or "/"
    elif origin == site and answer.location.startswith("/"):
        origin = ""
    query: tuple[Text, ...] = (Text(parts.query),) if parts.query else ()
    return Destination(answer.location, origin, (Text(path),), query, parts.fragment)
