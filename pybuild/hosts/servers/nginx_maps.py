"""nginx: the part for the http block, where maps decide before any file is looked at.

Owns every variable of a site. A map's regexes see what was sent; its values are Locations, headers, paths.
Sources: nginx.org, ngx_http_map_module, ngx_http_geo_module, ngx_http_core_module ("variables").
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

import pybuild.hosts.accept_regex as accept
from pybuild.hosts.base import Conditional, Table
from pybuild.rules.evaluate import ADDITIVE, ALLOW_METHODS, ALLOW_ORIGIN
from pybuild.rules.model import ALLOWED, Proxy, Redirect, RuleSet, SetHeaders, allowed
from pybuild.rules.patterns import PathPattern, Slot, Text, escape, print_regex, sent_literal
from pybuild.urls import encode

NOWHERE = "/index.html/none"  # no file can lie below a file
Lines = Iterator[str]


def quoted(text: str) -> str:
    """A quoted string of nginx where nothing is a variable but what the caller puts in as `$name`."""
    assert text.isprintable(), "control characters are refused before rules are compiled"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Http:
    """Prints the http part of one site; all its variables begin with `self.v`."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.v = "$pb" + hashlib.sha256(rules.site.encode()).hexdigest()[:6] + "_"
        self.table = Table.of(rules)

    def text(self, text: str) -> str:
        """Literal text for a place where nginx reads variables."""
        return text.replace("$", "${" + self.v[1:] + "dollar}")

    def var(self, name: str) -> str:
        return "${" + self.v[1:] + name + "}"

    def group(self, name: str) -> str:
        return f"(?<{self.v[1:]}{name}>"

    def map(self, source: str, name: str, entries: Iterable[tuple[str, str]]) -> Lines:
        """One map block; entries are keys and values ready to be quoted, regexes beginning with "~"."""
        yield f"map {quoted(source)} {self.v}{name} {{"
        for key, value in entries:
            yield f"  {key if key == 'default' else quoted(key)} {quoted(value)};"
        yield "}"

    def http(self) -> list[str]:
        return [
            "# Include this in the http block (a file in conf.d is). Written by pybuild; edit pybuild.toml.",
            f'geo {self.v}dollar {{ default "$"; }}',
            *self._paths(),
            *(self._negotiation() if self.rules.negotiation != "off" or self.table.asks_accept else ()),
            *self._conditions(),
            *self._rewrites(),
            *(self._content_location() if self.rules.negotiation != "off" else ()),
            *self._redirects(),
            *self._headers(),
            *self._types(),
            *self._proxies(),
            *self._methods(),
            "",
        ]

    def _paths(self) -> Lines:
        """The path as sent and decoded, both below the base; and the redirect that drops a slash."""
        base, x = self.rules.base, self.group("x")
        sent = sent_literal(base)
        path = [(f"~(?s)^{escape(base)}{x}/.*)$", self.var("x")), (f"~^{escape(base)}$", "/")]
        yield from self.map("$request_uri", "raw", [(f"~^{x}[^?]*)", self.var("x"))])
        yield from self.map("$uri", "path", path)
        yield from self.map(self.var("path"), "inside", [("default", "1"), ("", "")])
        below = [(f"~^1{sent}{x}/[^?]*)", self.var("x")), (f"~^1{sent}(?:\\?|$)", "/")]
        yield from self.map(self.var("inside") + "$request_uri", "sent", below)
        yield from self.map("$request_uri", "q", [(f"~{x}\\?.+)$", self.var("x"))])
        yield from self.map("$request_uri", "amp", [(f"~\\?{x}.+)$", "&" + self.var("x"))])
        bare = [("default", self.var("url")), (f"~(?s)^{x}.+?)/+$", self.var("x"))]
        yield from self.map(self.var("url"), "bare", bare)
        yield from self.map(self.var("bare"), "stem", [("default", self.var("bare")), ("/", "/index")])
        yield from self.map(self.var("bare"), "file", [("default", self.var("bare")), ("/", NOWHERE)])
        yield from self.map(
            self.var("sent"),
            "slashless",
            [(f"~^{x}/(?!/).*?[^/])/+$", self.text(encode(base)) + self.var("x"))],
        )
        if self.rules.variants:
            md = [("default", NOWHERE), (f"~(?s)^{x}.+)\\.md$", self.var("x"))]
            yield from self.map(self.var("path"), "twin", md)
            yield from self._canonical(x)

    def _canonical(self, x: str) -> Lines:
        site = f"<{self.text(self.rules.site)}{self.var('x')}"
        end = '>; rel="canonical"'
        entries = [
            (f"~^1{x}/|.*/)index\\.md$", site + end),
            (f"~^1{x}.+)\\.md$", site + end),
            (f"~^2{x}.+)\\.md$", site + "/" + end),
        ]
        yield from self.map(self.var("canon") + self.var("sent"), "link", entries)

    def _negotiation(self) -> Lines:
        yield from self.map("$http_accept", "acc", [("default", "$http_accept"), ('~"', "")])
        yield from self.map(self.var("acc"), "valid", [("default", "0"), (f"~*{accept.valid()}", "1")])
        for name, media in accept.RANGES.items():
            entries = [
                (f"~*{accept.full(media)}", "1000"),
                (f"~*{accept.fraction(media, self.group('f' + name))}", f"0{self.var('f' + name)}000"),
            ]
            yield from self.map(self.var("acc"), "x" + name, entries)
        for name in ("md", "html"):
            key = f"{self.var('x' + name)}|{self.var('xtext')}|{self.var('xany')}"
            four = self.group("w" + name) + "[0-9]{4})"
            entries = [(f"~^{bars}{four}", self.var("w" + name)) for bars in ("", r"\|", r"\|\|")]
            yield from self.map(key, name, [("default", "0000"), *entries])
        key = ":".join(self.var(name) for name in ("valid", "md", "html", "xmd"))
        entries = [
            ("default", "html"),
            ("~^0:", "html"),
            ("~^1:0000:0000:", "none"),
            (r"~^1:([0-9]{4}):\1:[0-9]", "md"),
            ("~" + accept.greater("^1:", ":"), "md"),
        ]
        yield from self.map(key, "rep", entries)

    def _content_location(self) -> Lines:
        """The address of Markdown that was chosen. nginx cannot encode: a name that needs it is taken as sent."""
        base, x = self.text(encode(self.rules.base)), self.group("x")
        safe = (f"~^ymd {x}{accept.PLAIN})$", f"{base}{self.var('x')}.md")
        yield from self.map(f"{self.var('answer')} {self.var('page')}", "plain", [safe])
        names = ("plain", "answer", "sent", "path", "url", "page")
        same = f"{self.group('same')}.*)\\|\\k<{self.v[1:]}same>\\|"
        entries = [
            (f"~^{x}[^|]+)\\|", self.var("x")),
            (f"~(?s)^\\|ymd\\|{x}/[^|]*/index)/*\\|{same}", f"{base}{self.var('x')}.md"),
            (f"~(?s)^\\|ymd\\|{x}/[^|]*?)/*\\|{same}.*/index$", f"{base}{self.var('x')}/index.md"),
            (f"~(?s)^\\|ymd\\|{x}/[^|]*?)/*\\|{same}", f"{base}{self.var('x')}.md"),
        ]
        yield from self.map("|".join(map(self.var, names)), "at", entries)

    def _conditions(self) -> Lines:
        for index, condition in enumerate(self.table.conditions):
            # where a condition's value is read: the source of a map, the map's name and its entries
            source: tuple[str, str, list[tuple[str, str]]]
            name, group = escape(condition.key), self.group(f"g{index}")
            taken = self.var(f"g{index}")
            if condition.type == "cookie":
                source = "$http_cookie", f"v{index}", [(f"~^(?:[^;]*;)*?[ ]*{name}={group}[^;]*)", taken)]
            elif condition.type == "query":
                source = "$request_uri", f"v{index}", [(f"~^[^?]*\\?(?:[^&]*&)*?{name}={group}[^&]*)", taken)]
            elif condition.type == "accept":
                source = self.var("rep"), "", []
            elif condition.type == "host":
                source = "$host", "", []
            else:
                source = "$http_" + condition.key.replace("-", "_"), "", []
            if condition.type in {"cookie", "query"}:
                yield from self.map(*source)
                key = self.var(f"v{index}")
            else:
                key = source[0]
            if condition.type == "accept":
                yes = {"text/markdown": "md", "text/html": "html"}[condition.key]
                yield from self.map(key, f"c{index}", [("default", "0"), (yes, "1")])
                continue
            yes = f"~^(?:{condition.value})$" if condition.value else "~."
            yield from self.map(key, f"c{index}", [("default", "0"), ("", "0"), (yes, "1")])

    def key(self, path: str) -> str:
        """What rule maps look at: one digit for each condition, then the path."""
        return "".join(self.var(f"c{index}") for index in range(len(self.table.conditions))) + ":" + path

    def regex(self, rule: Conditional, *, sent: bool) -> str:
        return f"~(?s)^{self.table.digits(rule)}:{self.pattern(rule.source, sent=sent)}$"

    def pattern(self, source: PathPattern, *, sent: bool) -> str:
        names = {param.name: f"{index}" for index, param in enumerate(source.params, 1)}
        return (
            print_regex(
                source,
                literal=sent_literal if sent else escape,
                group=lambda param: f"{self.group('p' + names[param.name])}{param.value_regex})",
                around=lambda param: self.group("s" + names[param.name]),
            )
            + "/?"
        )

    def filled(self, rule: Conditional, parts: Iterable[Text | Slot], *, sent: bool) -> str:
        """A destination as a value of a map."""
        order = [param.name for param in rule.source.params]

        def one(part: Text | Slot) -> str:
            if isinstance(part, Text):
                return self.text(encode(part.text) if sent else part.text)
            kind = "s" if part.prefix else "p"
            return self.var(f"{kind}{order.index(part.name) + 1}")

        return "".join(one(part) for part in parts)

    def _rewrites(self) -> Lines:
        entries = [
            (self.regex(rule, sent=False), self.filled(rule, rule.destination.path, sent=False))
            for rule in self.rules.rewrites
        ]
        default = ("default", self.var("path"))
        yield from self.map(self.key(self.var("path")), "url", [default, *entries])

    def _redirects(self) -> Lines:
        """One map finds the first redirect; one for each status takes its Location."""
        entries = [(self.regex(rule, sent=True), self._location(rule)) for rule in self.rules.redirects]
        yield from self.map(self.key(self.var("sent")), "go", entries)
        for status in self.statuses():
            one = [(f"~(?s)^{status} {self.group('to')}.*)$", self.var("to"))]
            yield from self.map(self.var("go"), f"go{status}", one)

    def statuses(self) -> list[int]:
        return sorted({rule.status for rule in self.rules.redirects})

    def _location(self, rule: Redirect) -> str:
        to = rule.destination
        path = self.text(to.origin or encode(self.rules.base)) + self.filled(rule, to.path, sent=True)
        fragment = self.text(f"#{to.fragment}" if to.fragment else "")
        return f"{rule.status} {path}{self._query(rule)}{fragment}"

    def _query(self, rule: Redirect | Proxy) -> str:
        """The query of a destination with the visitor's behind it."""
        if not rule.destination.query:
            return self.var("q")
        own = "".join(
            self.text(part.text) if isinstance(part, Text) else self.filled(rule, (part,), sent=True)
            for part in rule.destination.query
        )
        return f"?{own}{self.var('amp')}"

    def header_names(self) -> list[str]:
        names = {name.lower(): name for rule in self.rules.headers for name, _ in rule.headers}
        return [names[key] for key in sorted(names) if key not in ADDITIVE]

    def _headers(self) -> Lines:
        """A map for each name, its last rule first; for a name whose values add up, one for each rule."""
        for index, name in enumerate(self.header_names()):
            entries = [
                (self.regex(rule, sent=True), self.text(value))
                for rule in reversed(self.rules.headers)
                for key, value in reversed(rule.headers)
                if key.lower() == name.lower()
            ]
            yield from self.map(self.key(self.var("sent")), f"h{index}", entries)
        for index, (rule, _, value) in enumerate(self.added()):
            entry = (self.regex(rule, sent=True), self.text(value))
            yield from self.map(self.key(self.var("sent")), f"a{index}", [entry])

    def added(self) -> list[tuple[SetHeaders, str, str]]:
        return [
            (rule, name, value)
            for rule in self.rules.headers
            for name, value in rule.headers
            if name.lower() in ADDITIVE
        ]

    def _types(self) -> Lines:
        entries = [
            (f"~(?s)^{self.pattern(rule.source, sent=False)}$", self.text(rule.media_type))
            for rule in self.rules.types
        ]
        yield from self.map(self.var("final"), "type", entries)

    def _proxies(self) -> Lines:
        """The first proxy that matches, by number, and for each the path and query to ask for."""
        numbered = list(enumerate(self.rules.proxies))
        entries = [(self.regex(rule, sent=True), f"p{index}") for index, rule in numbered]
        yield from self.map(self.key(self.var("sent")), "proxy", entries)
        for index, rule in numbered:
            to = self.filled(rule, rule.destination.path, sent=True) + self._query(rule)
            entry = (f"~(?s)^{self.pattern(rule.source, sent=True)}$", to)
            yield from self.map(self.var("sent"), f"to{index}", [entry])
            parts = urlsplit(rule.destination.origin)
            port = parts.port or (443 if parts.scheme == "https" else 80)
            yield f"upstream {self.v[1:]}up{index} {{ server {parts.hostname}:{port}; }}"

    def _methods(self) -> Lines:
        """What an address allows, whether OPTIONS of it is ours, and `Allow` where nginx itself refuses a method."""
        numbered = list(enumerate(self.rules.proxies))
        both = f"{self.var('reads')}:{self.var('proxy')}"
        may = [
            (f"{reads}:p{index}", allowed(rule.methods, read=bool(reads)))
            for index, rule in numbered
            for reads in ("", "y")
        ]
        yield from self.map(both, "may", [("default", ALLOWED), *may])
        own = [(f"~^OPTIONS:y?:p{index}$", "") for index, rule in numbered if "OPTIONS" in rule.methods]
        entries = [("default", ""), ("OPTIONS::", "404"), *own, ("~^OPTIONS:", "204")]
        yield from self.map(f"$request_method:{both}", "options", entries)
        by_nginx = ("~:(?:TRACE|CONNECT)$", ALLOWED)
        entries = [("default", self.var("allow")), by_nginx]
        yield from self.map(f"{self.var('allow')}:$request_method", "allowed", entries)
        names = [name.lower() for name in self.header_names()]
        if ALLOW_ORIGIN in names:
            said = ALLOW_METHODS.lower()
            ruled = self.var(f"h{names.index(said)}") if said in names else ""
            origin = self.var(f"h{names.index(ALLOW_ORIGIN)}")
            methods = (f"~^OPTIONS\\|\\|{self.group('methods')}[^|]+), OPTIONS\\|.", self.var("methods"))
            source = f"$request_method|{ruled}|{self.var('allow')}|{origin}"
            yield from self.map(source, "listed", [methods])

    def secrets(self) -> list[str]:
        names = sorted({name for rule in self.rules.proxies for name in rule.env_names})
        if not names:
            return []
        return [
            "# Fill this in where nginx runs (envsubst does) and include it in the http block; keep it secret.",
            *(f'map "" {self.v}env_{name} {{ default "${{{name}}}"; }}' for name in names),
            "",
        ]
