"""What a host should answer: the rules and the files applied to one request.

Owns the meaning of a rule set, of `has` and `missing`, and the decoding of a path; every target is held against it, and
the preview serves by it. Sends nothing and opens no file. Redirects, headers and proxies are matched against the path as
it was sent, rewrites and files against the decoded one; an encoded slash names no file.
Sources: RFC 9110 §5.3, §8.7 (Content-Location), §9 (methods), §12.5.5 (Vary), §13.1.2 (If-None-Match), §15.5.6 (405),
§15.5.7 (406); RFC 6265 §4.2.1 (Cookie); RFC 3986 §5.2.4, §6.2.2; Fetch, "CORS-preflight fetch"; Next.js, "Header,
Cookie, and Query Matching".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from pybuild.records import File, Headers
from pybuild.rules.media_types import OCTETS, type_of
from pybuild.rules.model import ALLOWED, Condition, Method, ProxyHeader, Redirect, RuleSet, allowed
from pybuild.rules.negotiate import negotiate
from pybuild.rules.patterns import to_python
from pybuild.urls import absolute, encode

# Backslashes, NUL, and segments of dots, which clients resolve themselves: answered with 400. No case.
REFUSED = r"\\|%00|(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|%2f|%5c|$)"


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sends."""

    target: str  # path and query as sent, percent-encoded: "/docs/a?x=1"
    method: str = "GET"
    headers: Headers = ()

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    def lines(self, name: str) -> list[str]:
        """The values of all field lines of that name, in order."""
        return [value for key, value in self.headers if key.lower() == name]


def decoded(sent: str) -> str | None:
    """Decode a path and merge its slashes; None for what no client of good faith sends."""
    if re.search(REFUSED, sent, re.I) or not re.fullmatch(r"/(?:[^%]|%[0-9A-Fa-f]{2})*", sent):
        return None
    return re.sub("/+", "/", unquote(sent, errors="surrogateescape"))


def holds(conditions: Iterable[Condition], request: Request) -> dict[str, str] | None:
    """Check that all conditions hold; maps the named groups of their regexes to what they took."""
    captures: dict[str, str] = {}
    for condition in conditions:
        value = _value(condition, request)
        if not value:
            return None
        found = re.fullmatch(to_python(condition.value) or ".*", value, re.ASCII | re.DOTALL)
        if found is None:
            return None
        captures |= {name: taken or "" for name, taken in found.groupdict().items()}
    return captures


def applies(
    has: Iterable[Condition], missing: Iterable[Condition], request: Request
) -> dict[str, str] | None:
    """Like `holds`, and none of `missing` may hold."""
    if any(holds((condition,), request) is not None for condition in missing):
        return None
    return holds(has, request)


def _value(condition: Condition, request: Request) -> str:
    """What the request says for a condition; of several values of a query name, the first."""
    if condition.type == "header":
        return ", ".join(request.lines(condition.key))
    if condition.type == "host":
        return re.sub(r":\d*$", "", next(iter(request.lines("host")), "")).lower()
    if condition.type == "query":
        pairs = (pair.partition("=") for pair in request.query.split("&"))
        return next((value for name, _, value in pairs if name == condition.key), "")
    if condition.type == "cookie":
        pairs = (pair.strip().partition("=") for line in request.lines("cookie") for pair in line.split(";"))
        return next((value for name, _, value in pairs if name == condition.key), "")
    wanted = {"text/markdown": "md", "text/html": "html"}[condition.key]
    return "yes" if negotiate(request.lines("accept")) == wanted else ""


__all__ = [
    "ADDITIVE",
    "ALLOW_METHODS",
    "ALLOW_ORIGIN",
    "NOT_ACCEPTABLE",
    "NOT_FOUND",
    "REFUSED",
    "Outcome",
    "ProxyCall",
    "Request",
    "decoded",
    "evaluate",
    "find",
    "join_list",
    "location_of",
    "page_of",
    "variant_of",
]
NOT_FOUND = "404.html"
ADDITIVE = frozenset({"vary", "link"})  # lists, to which every rule adds
ALLOW_ORIGIN, ALLOW_METHODS = "access-control-allow-origin", "Access-Control-Allow-Methods"
NOT_ACCEPTABLE = "406: this page exists as text/html and text/markdown\n"


@dataclass(frozen=True, slots=True)
class ProxyCall:
    """The request to pass on; the client's Authorization and Cookie do not go with it."""

    url: str
    headers: tuple[ProxyHeader, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a host should answer. One of `path`, `text` and `proxy` says where the body comes from; 204 has none."""

    status: int
    headers: Headers = ()  # names as written; sorted by name
    path: str = ""  # of the file to send
    text: str = ""
    proxy: ProxyCall | None = None

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


def evaluate(rules: RuleSet, request: Request, files: Mapping[str, File]) -> Outcome:
    """Answer `request` as a host with these rules and files should."""
    whole = decoded(request.path)
    if whole is None:
        return Outcome(400, text="400\n")
    sent, url = (
        _below(base, path) for base, path in ((encode(rules.base), request.path), (rules.base, whole))
    )
    if sent is None or url is None:
        return Outcome(404, text="404\n")
    visit = _Visit(request, sent, url)
    return _with_headers(rules, _answer(rules, visit, files), visit)


@dataclass(frozen=True, slots=True)
class _Visit:
    """A request, its path below the base as sent, and the same decoded."""

    request: Request
    sent: str
    url: str


def _below(base: str, path: str) -> str | None:
    """Take the base path off: `/docs/a` under `/docs` → `/a`; None outside of it."""
    if not base:
        return path
    return (path[len(base) :] or "/") if path == base or path.startswith(base + "/") else None


def _answer(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> Outcome:
    method, found = visit.request.method, _proxy_rule(rules, visit)
    if method == "OPTIONS" and not (found and method in found[1]):
        # a browser's preflight follows no redirect: say what the address allows, also where it redirects
        if _answers(rules, visit, files) or _proxy_rule(rules, visit):
            return Outcome(204, (("Allow", _allow(rules, visit, files)),))
        return Outcome(404, text="404\n")
    redirected = _redirect(rules, visit) or _slash_redirect(rules, visit, files)
    if redirected:
        return redirected
    readable = method in {"GET", "HEAD"}
    served = _serve(rules, visit, files) if readable else None
    if served:
        return served
    if found and method in found[1]:
        return Outcome(200, proxy=found[0])
    if not readable or found:
        return Outcome(405, (("Allow", _allow(rules, visit, files)),), text="405\n")
    if NOT_FOUND in files:
        return Outcome(404, (("Content-Type", type_of(NOT_FOUND)),), path=NOT_FOUND)
    return Outcome(404, text="404\n")


def _allow(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> str:
    """The methods of an address: those of files, and those of its proxy; a proxy alone may take no GET."""
    found = _proxy_rule(rules, visit)
    return allowed(found[1], read=_answers(rules, visit, files)) if found else ALLOWED


def _answers(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> bool:
    """Whether a file or a redirect answers."""
    return bool(_path(rules, visit, files) or _redirect(rules, visit))


def _hides_slash(visit: _Visit) -> bool:
    """Whether the path has an encoded slash, which would be another address once decoded."""
    return re.search("%(?:2f|5c)", visit.sent, re.I) is not None


def _path(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> str | None:
    """The path of the file that answers after rewrites, before negotiation."""
    path = None if _hides_slash(visit) else find(_rewritten(rules, visit), files)
    return None if path == NOT_FOUND else path


def _redirect(rules: RuleSet, visit: _Visit) -> Outcome | None:
    for rule in rules.redirects:
        captures = rule.source.match_sent(visit.sent)
        more = None if captures is None else applies(rule.has, rule.missing, visit.request)
        if captures is not None and more is not None:
            target = location_of(rule, captures | _encoded(more), rules.base, visit.request.query)
            return Outcome(rule.status, (("Location", target),), text=f"{rule.status}\n")
    return None


def _encoded(more: Mapping[str, str]) -> dict[str, str]:
    """Captures of conditions, which were never part of an address, as they may stand in one."""
    return {name: quote(value, safe="!'()*", errors="surrogateescape") for name, value in more.items()}


def location_of(rule: Redirect, captures: Mapping[str, str], base: str, query: str) -> str:
    """The Location of a redirect: captured text as it was sent, the visitor's query behind the rule's own."""
    to = rule.destination
    path = to.fill_sent(captures)
    own = to.fill_query(captures)
    joined = "&".join(part for part in (own, query) if part)
    fragment = f"#{to.fragment}" if to.fragment else ""
    return (to.origin or encode(base)) + path + (f"?{joined}" if joined else "") + fragment


def _slash_redirect(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> Outcome | None:
    """Lead to the one address of a page: with a slash at its end, or without."""
    to = _one_address(rules, visit, files)
    if to == visit.sent or visit.sent.startswith("//") or _proxy_rule(rules, visit):
        return None
    query = f"?{visit.request.query}" if visit.request.query else ""
    return Outcome(308, (("Location", encode(rules.base) + to + query),), text="308\n")


def _one_address(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> str:
    """The path as it should have been sent. With trailing slashes, only what files say decides."""
    bare = visit.sent.rstrip("/") or "/"
    if not rules.trailing_slash:
        return bare
    url = _rewritten(rules, visit).rstrip("/")
    found = None if _hides_slash(visit) else find(url, files)
    if visit.sent == bare:
        return f"{bare}/" if url and found == f"{url[1:]}/index.html" else bare
    return bare if url and found == url[1:] else visit.sent


def _serve(rules: RuleSet, visit: _Visit, files: Mapping[str, File]) -> Outcome | None:
    """Answer with a file: rewrite, find, negotiate."""
    url, path = _rewritten(rules, visit), _path(rules, visit, files)
    if path is None:
        return None
    headers: list[tuple[str, str]] = []
    markdown = variant_of(path)
    if rules.negotiation != "off" and markdown in files and url != "/" + path:
        chosen = negotiate(visit.request.lines("accept"))
        if chosen == "none" and rules.negotiation == "strict":
            plain = (("Content-Type", "text/plain; charset=utf-8"), ("Vary", "Accept"))
            return Outcome(406, plain, text=NOT_ACCEPTABLE)
        headers.append(("Vary", "Accept"))
        if chosen == "md":
            path = markdown
            headers.append(("Content-Location", encode(f"{rules.base}/{path}")))
    elif rules.variants and visit.url == "/" + path and (page := page_of(path, files)):
        headers.append(("Link", f'<{absolute(rules.site, address_of(page))}>; rel="canonical"'))
    return _file(rules, visit.request, files[path], headers)


def _rewritten(rules: RuleSet, visit: _Visit) -> str:
    for rule in rules.rewrites:
        captures = rule.source.match(visit.url)
        more = None if captures is None else applies(rule.has, rule.missing, visit.request)
        if captures is not None and more is not None:
            return rule.destination.fill(captures | more)
    return visit.url


def find(url: str, files: Mapping[str, File]) -> str | None:
    """The path of the file that answers a decoded URL: itself, `.html`, or the index of a folder."""
    bare = url.strip("/")
    tried = (bare, f"{bare}.html", f"{bare}/index.html") if bare else ("index.html",)
    return next((path for path in tried if path in files), None)


def variant_of(path: str) -> str:
    """The Markdown variant that is beside an HTML file; "" for other files."""
    return path.removesuffix(".html") + ".md" if path.endswith(".html") else ""


def page_of(path: str, files: Mapping[str, File]) -> str | None:
    """The HTML file whose variant `path` is: `a.md` → `a.html` or `a/index.html`."""
    if not path.endswith(".md"):
        return None
    stem = path.removesuffix(".md")
    return next((page for page in (f"{stem}.html", f"{stem}/index.html") if page in files), None)


def address_of(page: str) -> str:
    """The decoded address of a page by its file: `a.html` → `/a`, `a/index.html` → `/a/`."""
    return (
        "/" + page.removesuffix("index.html") if page.rpartition("/")[2] == "index.html" else "/" + page[:-5]
    )


def _file(rules: RuleSet, request: Request, file: File, extra: list[tuple[str, str]]) -> Outcome:
    kind = next(
        (rule.media_type for rule in rules.types if rule.source.match("/" + file.path) is not None), ""
    )
    tag = f'"{file.digest[:32]}"'
    headers = (("Content-Type", kind or type_of(file.path) or OCTETS), ("ETag", tag), *extra)
    asked = [tag.strip().removeprefix("W/") for tag in ",".join(request.lines("if-none-match")).split(",")]
    if tag in asked or "*" in asked:
        return Outcome(304, headers[1:])
    return Outcome(200, headers, path=file.path)


def _proxy_rule(rules: RuleSet, visit: _Visit) -> tuple[ProxyCall, tuple[Method, ...]] | None:
    for rule in rules.proxies:
        captures = rule.source.match_sent(visit.sent)
        more = None if captures is None else applies(rule.has, rule.missing, visit.request)
        if captures is not None and more is not None:
            captures |= _encoded(more)
            queries = (rule.destination.fill_query(captures), visit.request.query)
            query = "&".join(part for part in queries if part)
            url = rule.destination.origin + rule.destination.fill_sent(captures)
            return ProxyCall(url + (f"?{query}" if query else ""), rule.headers), rule.methods
    return None


def _with_headers(rules: RuleSet, answer: Outcome, visit: _Visit) -> Outcome:
    """Add what the header rules say; the later of one name wins, but the values of Vary and Link add up."""
    merged = {name.lower(): (name, value) for name, value in answer.headers}
    for rule in rules.headers:
        matched = rule.source.match_sent(visit.sent) is not None
        for name, value in (
            rule.headers if matched and applies(rule.has, rule.missing, visit.request) is not None else ()
        ):
            old = merged.get(name.lower(), ("", ""))[1]
            joined = join_list(old, value) if name.lower() in ADDITIVE else value
            merged[name.lower()] = (name, joined)
    if answer.status == 204 and ALLOW_ORIGIN in merged:
        methods = merged["allow"][1].replace(", OPTIONS", "")
        merged.setdefault(ALLOW_METHODS.lower(), (ALLOW_METHODS, methods))
    headers = tuple(merged[key] for key in sorted(merged) if answer.status != 304 or key != "content-type")
    return Outcome(answer.status, headers, answer.path, answer.text, answer.proxy)


def join_list(*values: str) -> str:
    """Join lists such as Vary, each member once: `Accept`, `accept, Cookie` → `Accept, Cookie`."""
    names = [name.strip() for value in values for name in value.split(",") if name.strip()]
    first = {name.lower(): name for name in reversed(names)}
    return ", ".join(first[key] for key in dict.fromkeys(name.lower() for name in names))
