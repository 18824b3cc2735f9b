"""Settings and produced files made into one rule set.

Owns what a host must be told of the files: types, headers, names, negotiation; the order of rules; and the
findings that need all rules at once lie in `rules.review`. Knows no host.
Sources: RFC 9110 §12.5.5 (Vary); contract of rules in docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar
from urllib.parse import unquote, urljoin, urlsplit

from pybuild.artifact import File, Headers, Page, Redirection
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.rules.destinations import Destination, Slot
from pybuild.rules.evaluate import by_path, find, join_list
from pybuild.rules.media import same_type, type_of
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
from pybuild.rules.patterns import Param, PathPattern, Text
from pybuild.rules.review import review
from pybuild.rules.rewrites import ordered as in_order

# A host makes these itself, or they concern one connection (RFC 9110 §7.6.1).
_OWN = frozenset(
    {
        "connection",
        "content-encoding",
        "content-length",
        "content-type",
        "date",
        "etag",
        "keep-alive",
        "last-modified",
        "location",
        "server",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REST = "[^/.]+"  # a last segment without a suffix
Value = TypeVar("Value", bound=Hashable)


def derive(
    config: Config,
    pages: Iterable[Page],
    files: Iterable[File],
    redirections: Iterable[Redirection],
) -> tuple[RuleSet, tuple[Diagnostic, ...]]:
    """Make the rule set of an export. The order in which pages, files and redirections come is of no account.

    Findings: `invalid-rule` for loops, chains, shadowed rules and unsafe destinations; `broken-link` for
    destinations that nothing answers.
    """
    ordered = sorted(files, key=lambda file: file.path)
    variants = any(page.variant_path for page in pages)
    answered, findings = _answered(config, redirections)
    redirects = (*(rule for rule in config.rules if isinstance(rule, Redirect)), *answered)
    rewrites = tuple(rule for rule in config.rules if isinstance(rule, Rewrite))
    rules = RuleSet(
        site=config.site.url,
        base=unquote(config.site.base_path),
        trailing_slash=config.trailing_slash,
        variants=variants,
        negotiation=_negotiation(config) if variants else "off",
        redirects=tuple(_with_page_slash(rule, config, by_path(ordered)) for rule in redirects),
        rewrites=in_order(rewrites, tuple(_names(ordered)), _renamed(ordered)),
        proxies=tuple(rule for rule in config.rules if isinstance(rule, Proxy)),
        headers=(*_file_headers(ordered), *_vary(config.rules), *_header_rules(config.rules)),
        types=(*_set_types(config.rules), *_types(ordered)),
    )
    return rules, (*findings, *_unsound_headers(ordered), *review(rules, by_path(ordered)))


def _negotiation(config: Config) -> Negotiation:
    settings = config.settings.negotiation
    if not settings.enabled:
        return "off"
    return "strict" if settings.strict else "lenient"


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
            yield SetHeaders(rule.location, rule.source, (("Vary", join_list(*(_titled(n) for n in names))),))


def _titled(name: str) -> str:
    return "-".join(word.capitalize() for word in name.split("-"))


def _names(files: Iterable[File]) -> Iterator[Rewrite]:
    """Rewrites for files whose URL is not their path: `/api/posts` → `/api/posts/index.json`."""
    listed = {file.url or "/" + file.path: file for file in files}
    wanted = {url: _ending(file) for url, file in listed.items()}
    for source, ending in _grouped(wanted):
        if ending:
            path = tuple(Slot("name") if isinstance(part, Param) else part for part in source.parts)
            end = ending if source.source != "/" else ending[1:]
            yield Rewrite(Location(), source, Destination(source.source + end, "", (*path, Text(end))))


def _renamed(files: Iterable[File]) -> dict[str, str]:
    """The paths of files whose URL a host does not find of itself, by URL."""
    return {file.url: file.path for file in files if _ending(file)}


def _ending(file: File) -> str:
    """What a host must put behind the URL to find the file: `/index.json`; "" where it finds it of itself."""
    if not file.url or _found_at(file) == file.url:
        return ""
    stem = file.url.rstrip("/")
    assert ("/" + file.path).startswith(stem + "/"), f"{file.path} is not below its URL {file.url}"
    return ("/" + file.path)[len(stem) :]


def _found_at(file: File) -> str:
    """The URL a host answers with the file of itself: pages without their suffix, else the path."""
    plain = re.sub(r"(?:^|(?<=/))index\.html$|\.html$", "", file.path)
    return "/" + plain.rstrip("/")


def _types(files: Iterable[File]) -> Iterator[SetType]:
    """Rules for files whose suffix does not say their type."""
    wanted = {"/" + file.path: _odd_type(file) for file in files}
    for source, media_type in _grouped(wanted):
        if media_type:
            yield SetType(source, media_type)


def _odd_type(file: File) -> str:
    said = file.media_type
    return "" if not said or same_type(said, type_of(file.path)) else said


def _file_headers(files: Iterable[File]) -> Iterator[SetHeaders]:
    """Rules for the headers that handlers and pages answered with."""
    kept = {file.url or "/" + file.path: (file.origin, _kept(file.headers)) for file in files}
    headers = {url: pair[1] for url, pair in kept.items()}
    origins = {pair[1]: pair[0] for url, pair in sorted(kept.items(), reverse=True)}
    for source, pairs in _grouped(headers):
        if pairs:
            yield SetHeaders(Location(origins[pairs]), source, pairs)


def _kept(headers: Headers) -> Headers:
    """The headers that a host must be told of, sorted; those it cannot carry have a finding of their own."""
    told = ((name, value.strip()) for name, value in headers if name.lower() not in _OWN)
    return tuple(sorted(pair for pair in told if is_sound(*pair)))


def is_sound(name: str, value: str) -> bool:
    """Whether a header can stand in every rule file: a token, and printable ASCII on one line."""
    return bool(_TOKEN.fullmatch(name)) and value.isascii() and value.isprintable()


def _unsound_headers(files: Iterable[File]) -> Iterator[Diagnostic]:
    for file in files:
        for name, value in file.headers:
            if name.lower() not in _OWN and not is_sound(name, value.strip()):
                message = (
                    f"{file.url or '/' + file.path} answers with the header {name!r}, which no host can carry"
                )
                hint = "use a name of letters, digits and -, and printable ASCII on one line as its value"
                yield Diagnostic("bad-response", message, Location(file.origin), hint)


def _grouped(values: Mapping[str, Value]) -> Iterator[tuple[PathPattern, Value]]:
    """Write one pattern for all URLs of a folder and suffix where all have one value, else one for each URL.

    So 10,000 files of one handler need one rule: `/api/posts/1`, … → `/api/posts/:name`.
    """
    groups: dict[tuple[str, str], dict[str, Value]] = {}
    for url, value in sorted(values.items()):
        folder, _, name = url.rpartition("/")
        ending = name[name.index(".") :] if "." in name.strip(".") and not name.startswith(".") else ""
        groups.setdefault((folder, ending), {})[url] = value
    for (folder, ending), members in sorted(groups.items()):
        if len(members) > 1 and len(set(members.values())) == 1:
            yield _folder_pattern(folder, ending), next(iter(members.values()))
        else:
            yield from ((PathPattern(url, (Text(url),)), value) for url, value in members.items())


def _folder_pattern(folder: str, ending: str) -> PathPattern:
    parts: tuple[Text | Param, ...] = (Text(folder + "/"), Param("name", _REST))
    return PathPattern(f"{folder}/:name{ending}", (*parts, Text(ending)) if ending else parts)


def _with_page_slash(rule: Redirect, config: Config, files: Mapping[str, File]) -> Redirect:
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
