"""nginx: maps and one server part, without any module beyond the standard ones.

Owns two included files and the template of a third. Works from 1.22 on; before 1.23 nginx sees only the first
of several Accept lines. What a visitor sends reaches a Location only as it was sent, never decoded.
Sources: nginx.org, ngx_http_map_module, ngx_http_rewrite_module, ngx_http_core_module, ngx_http_proxy_module.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from urllib.parse import urlsplit

from pybuild.artifact import Artifact
from pybuild.config import Config
from pybuild.rules.destinations import Slot
from pybuild.rules.evaluate import ADDITIVE, NOT_ACCEPTABLE, NOT_FOUND, REFUSED
from pybuild.rules.media import SUFFIX_TYPES
from pybuild.rules.model import Condition, Proxy, Redirect, RuleSet, SetHeaders
from pybuild.rules.patterns import PathPattern, Text, escape, print_regex, sent_literal
from pybuild.targets import accept
from pybuild.targets.base import ALL_FEATURES, Compiled, Files, Target, borrowed_capture, rooted, sift
from pybuild.targets.conditions import Conditional, Table
from pybuild.urls import encode

_NOWHERE = "/index.html/none"  # no file can lie below a file
_CHARSET_TYPES = "text/css text/csv text/calendar text/javascript text/markdown text/plain text/vtt"
Lines = Iterator[str]


def compile_nginx(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `pybuild-http.conf`, `pybuild-server.conf` and, for secrets, `pybuild-secrets.conf.template`."""
    kept, findings = sift(rules, lambda rule: borrowed_capture("nginx", rule))
    writer = _Writer(rooted(kept))
    texts = {
        "pybuild-http.conf": writer.http(),
        "pybuild-server.conf": writer.server(has_404=NOT_FOUND in files),
        "pybuild-secrets.conf.template": writer.secrets(),
    }
    made = (Artifact(name, "[nginx]", "\n".join(lines).encode()) for name, lines in texts.items())
    return Compiled(deploy=tuple(artifact for artifact in made if artifact.body), findings=findings)


def quoted(text: str) -> str:
    """A quoted string of nginx where nothing is a variable but what the caller puts in as `$name`."""
    assert text.isprintable(), "control characters are refused before rules are compiled"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class _Writer:
    """Prints the files of one site; all its variables begin with `self.v`."""

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
            *self._redirects(),
            *self._headers(),
            *self._types(),
            *self._proxies(),
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
        yield from self.map(self.var("bare"), "file", [("default", self.var("bare")), ("/", _NOWHERE)])
        yield from self.map(
            self.var("sent"),
            "slashless",
            [(f"~^{x}/(?!/).*?[^/])/+$", self.text(encode(base)) + self.var("x"))],
        )
        if self.rules.variants:
            md = [("default", _NOWHERE), (f"~(?s)^{x}.+)\\.md$", self.var("x"))]
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

    def _conditions(self) -> Lines:
        for index, condition in enumerate(self.table.conditions):
            source = self._fetched(condition, index)
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

    def _fetched(self, condition: Condition, index: int) -> tuple[str, str, list[tuple[str, str]]]:
        """Where a condition's value is read: the source of a map, the map's name and its entries."""
        name, group = escape(condition.key), self.group(f"g{index}")
        taken = self.var(f"g{index}")
        if condition.type == "cookie":
            return "$http_cookie", f"v{index}", [(f"~^(?:[^;]*;)*?[ ]*{name}={group}[^;]*)", taken)]
        if condition.type == "query":
            return "$request_uri", f"v{index}", [(f"~^[^?]*\\?(?:[^&]*&)*?{name}={group}[^&]*)", taken)]
        if condition.type == "accept":
            return self.var("rep"), "", []
        return ("$host" if condition.type == "host" else "$http_" + condition.key.replace("-", "_")), "", []

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
        for status in self._statuses():
            one = [(f"~(?s)^{status} {self.group('to')}.*)$", self.var("to"))]
            yield from self.map(self.var("go"), f"go{status}", one)

    def _statuses(self) -> list[int]:
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

    def _header_names(self) -> list[str]:
        names = {name.lower(): name for rule in self.rules.headers for name, _ in rule.headers}
        return [names[key] for key in sorted(names) if key not in ADDITIVE]

    def _headers(self) -> Lines:
        """A map for each name, its last rule first; for a name whose values add up, one for each rule."""
        for index, name in enumerate(self._header_names()):
            entries = [
                (self.regex(rule, sent=True), self.text(value))
                for rule in reversed(self.rules.headers)
                for key, value in reversed(rule.headers)
                if key.lower() == name.lower()
            ]
            yield from self.map(self.key(self.var("sent")), f"h{index}", entries)
        for index, (rule, _, value) in enumerate(self._added()):
            entry = (self.regex(rule, sent=True), self.text(value))
            yield from self.map(self.key(self.var("sent")), f"a{index}", [entry])

    def _added(self) -> list[tuple[SetHeaders, str, str]]:
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

    def secrets(self) -> list[str]:
        names = sorted({name for rule in self.rules.proxies for name in rule.env_names})
        if not names:
            return []
        return [
            "# Fill this in where nginx runs (envsubst does) and include it in the http block; keep it secret.",
            *(f'map "" {self.v}env_{name} {{ default "${{{name}}}"; }}' for name in names),
            "",
        ]

    def server(self, *, has_404: bool) -> list[str]:
        return [
            "# Include this in the server block, below its root. Written by pybuild; edit pybuild.toml.",
            "absolute_redirect off;",
            "charset utf-8;",
            f"charset_types {_CHARSET_TYPES};",
            "types {",
            *(f"  {quoted(media.partition(';')[0])} {suffix};" for suffix, media in SUFFIX_TYPES.items()),
            "}",
            f"gzip_types {' '.join(_COMPRESSED)};",
            "gzip_vary on;",
            *self._add_headers(),
            *self._decide(),
            *self._locations(has_404=has_404),
            "",
        ]

    def _add_headers(self) -> Lines:
        yield f'set {self.v}vary "";'
        yield f"add_header Vary {self.v}vary always;"
        if self.rules.variants:
            yield f"add_header Link {self.v}link;"
        yield f"add_header Content-Type {self.v}type;"
        for index, name in enumerate(self._header_names()):
            yield f"add_header {name} {self.v}h{index} always;"
        for index, (_, name, _) in enumerate(self._added()):
            yield f"add_header {name} {self.v}a{index} always;"

    def _decide(self) -> Lines:
        """Server-level `if`, which is safe: inside a location it would switch try_files off."""
        v, root = self.v, "$document_root"
        yield f"if ({v}raw ~* {quoted(REFUSED)}) {{ return 400; }}"
        yield f'if ({v}sent = "") {{ return 404; }}'
        for status in self._statuses():
            yield f"if ({v}go{status}) {{ return {status} {v}go{status}; }}"
        yield f'set {v}final "";'
        yield f'set {v}page "{_NOWHERE}";'
        yield f"if (-f {root}{self.var('bare')}/index.html) {{ set {v}final {self.var('bare')}/index.html; set {v}page {self.var('bare')}/index; }}"
        yield f"if (-f {root}{self.var('stem')}.html) {{ set {v}final {self.var('stem')}.html; set {v}page {v}stem; }}"
        yield f'if (-f {root}{self.var("file")}) {{ set {v}final {v}file; set {v}page "{_NOWHERE}"; }}'
        yield f'if ({v}sent ~* "%(?:2f|5c)") {{ set {v}final ""; set {v}page "{_NOWHERE}"; }}'
        yield from self._slash()
        yield f'if ({v}final = "/{NOT_FOUND}") {{ set {v}final ""; set {v}page "{_NOWHERE}"; }}'
        yield from self._dispatch()
        if self.rules.variants:
            yield f'set {v}canon "";'
            yield f"if (-f {root}{self.var('twin')}/index.html) {{ set {v}canon 2; }}"
            yield f"if (-f {root}{self.var('twin')}.html) {{ set {v}canon 1; }}"
        if self.rules.negotiation != "off":
            yield from self._choose()
        yield f"if ({v}type) {{ rewrite ^ /{v[1:]}typed last; }}"

    def _slash(self) -> Lines:
        v = self.v
        if not self.rules.trailing_slash:
            yield f'set {v}slash "{self.var("proxy")}{self.var("slashless")}";'
            yield f'if ({v}slash ~ "^/") {{ return 308 {self.var("slashless")}{self.var("q")}; }}'
            return
        base = self.text(encode(self.rules.base))
        yield f'set {v}slash "{self.var("proxy")}:{self.var("final")}";'
        yield f'if ({v}sent ~ "^//|/$") {{ set {v}slash ""; }}'
        yield f'if ({v}slash = ":{self.var("bare")}/index.html") {{ return 308 "{base}{self.var("sent")}/{self.var("q")}"; }}'
        yield f'set {v}slash "{self.var("proxy")}:{self.var("final")}";'
        yield f'if ({v}sent ~ "^//|[^/]$") {{ set {v}slash ""; }}'
        yield f'if ({v}slash = ":{self.var("file")}") {{ return 308 {self.var("slashless")}{self.var("q")}; }}'

    def _dispatch(self) -> Lines:
        """Hand what no file answers to a proxy, and refuse methods that files do not know."""
        v = self.v
        yield f'set {v}ask "{self.var("final")}";'
        yield f'if ($request_method !~ "^(?:GET|HEAD)$") {{ set {v}ask ""; }}'
        yield f'set {v}ask "{self.var("ask")}:{self.var("proxy")}";'
        for index, _ in enumerate(self.rules.proxies):
            yield f'if ({v}ask = ":p{index}") {{ rewrite ^ /{v[1:]}proxy{index} last; }}'
        yield 'if ($request_method !~ "^(?:GET|HEAD)$") { return 405; }'

    def _choose(self) -> Lines:
        v = self.v
        yield f'set {v}neg "";'
        yield f"if (-f $document_root{self.var('page')}.md) {{ set {v}neg y; set {v}vary Accept; }}"
        yield f'set {v}answer "{self.var("neg")}{self.var("rep")}";'
        if self.rules.negotiation == "strict":
            yield f"if ({v}answer = ynone) {{ return 406; }}"
        yield f"if ({v}answer = ymd) {{ set {v}final {self.var('page')}.md; }}"

    def _locations(self, *, has_404: bool) -> Lines:
        v = self.v
        yield f"location / {{ try_files {v}final =404; }}"
        yield f'location = /{v[1:]}typed {{ internal; types {{ }} default_type ""; charset off; try_files {v}final =404; }}'
        if has_404:
            yield f"error_page 404 @{v[1:]}404;"
            yield f"location @{v[1:]}404 {{ try_files /{NOT_FOUND} =404; }}"
        if self.rules.negotiation == "strict":
            text = quoted(NOT_ACCEPTABLE.strip()).strip('"')
            yield f"error_page 406 @{v[1:]}406;"
            yield f'location @{v[1:]}406 {{ default_type text/plain; return 406 "{text}\\n"; }}'
        for index, rule in enumerate(self.rules.proxies):
            yield from self._proxy(index, rule)

    def _proxy(self, index: int, rule: Proxy) -> Lines:
        v, parts = self.v, urlsplit(rule.destination.origin)
        sent = {header.name.lower(): header for header in rule.headers}
        yield f"location = /{v[1:]}proxy{index} {{"
        yield "  internal;"
        yield f'  if ($request_method !~ "^(?:{"|".join(rule.methods)})$") {{ return 405; }}'
        yield f"  proxy_pass {parts.scheme}://{v[1:]}up{index}{self.var(f'to{index}')};"
        yield f"  proxy_set_header Host {quoted(parts.netloc)};"
        for name in ("Authorization", "Cookie"):
            if name.lower() not in sent:
                yield f'  proxy_set_header {name} "";'
        for header in rule.headers:
            value = self.var("env_" + header.env) if header.env else self.text(header.value)
            yield f"  proxy_set_header {header.name} {quoted(value)};"
        if parts.scheme == "https":
            yield f"  proxy_ssl_server_name on; proxy_ssl_name {parts.hostname};"
        yield '  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_hide_header Set-Cookie;'
        yield "}"


_COMPRESSED = [
    "text/css",
    "text/markdown",
    "text/plain",
    "text/javascript",
    "application/json",
    "application/xml",
    "image/svg+xml",
    "application/rss+xml",
    "application/atom+xml",
    "application/manifest+json",
]
TARGET = Target("nginx", "nginx", ALL_FEATURES, compile_nginx, {})
