"""HAProxy: a frontend and its map files, before any server of plain files.

Owns `pybuild.cfg` and the files in `maps/`. Works from 2.5 on. HAProxy sees no files, so one map names every
address; it grows with the site. Of several Accept lines the first three count. Three variables of its
environment say where to listen, where the plain files are served, and where the maps lie.
Sources: docs.haproxy.org, configuration manual: http-request, map_regm, map_str, regsub, set-var-fmt.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.hosts.base import (
    ALL_FEATURES,
    Compiled,
    Target,
    condition_captures,
    drop_unsupported,
    expand_empty_destinations,
    query_capture,
    readme,
    secrets,
    spaced,
    unsupported,
)
from pybuild.hosts.servers.haproxy_maps import GROUPS, Maps, takes_query
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import (
    ALLOW_METHODS,
    ALLOW_ORIGIN,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    address_of,
    page_of,
    variant_of,
)
from pybuild.rules.model import ALLOWED, Proxy, Redirect, Rule, RuleSet, allowed
from pybuild.rules.patterns import QUERY_SIGNS, SEGMENT
from pybuild.urls import absolute, encode

Lines = Iterator[str]
_READ = "{ method GET HEAD }"
_READS = "{ var(txn.reads) -m found }"  # a file or a redirect answers


def compile_haproxy(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `pybuild.cfg` and its maps, all for the deployment."""
    kept, findings = drop_unsupported(rules, _fault)
    writer = _Config(expand_empty_destinations(kept), files)
    texts = {"pybuild.cfg": "\n".join(writer.lines())} | {
        f"maps/{name}": "\n".join((*lines, "")) for name, lines in sorted(writer.files().items())
    }
    deploy = tuple(Artifact(path, "[haproxy]", text.encode()) for path, text in texts.items())
    environment = 'PYBUILD_BIND=:80 PYBUILD_ORIGIN=127.0.0.1:8080 PYBUILD_MAPS="$PWD/maps"'
    line = f"{environment} haproxy -f your.cfg -f pybuild.cfg"
    origin = f"PYBUILD_ORIGIN is any server of the plain files in {config.out.name}; your.cfg holds global and defaults."
    more = (origin, *spaced(secrets(kept, "export {name}=VALUE")))
    return Compiled(deploy=(*deploy, readme("HAProxy", (line,), more)), findings=findings)


def _fault(rule: Rule) -> Diagnostic | None:
    twice = isinstance(rule, Redirect | Proxy) and takes_query(rule)
    most = GROUPS // 2 if twice else GROUPS
    if sum(1 + param.is_optional for param in rule.source.params) > most:
        reason = (
            f"a pattern can have {most} parameters{' here' if twice else ''}, an optional one counting twice"
        )
        return unsupported("haproxy", rule, reason, "use fewer parameters")
    if twice and any(param.regex != SEGMENT for param in rule.source.params):
        return query_capture("haproxy", rule) or condition_captures("haproxy", rule)
    return condition_captures("haproxy", rule)


def address(url: str) -> str:
    """The key of a decoded URL in the maps of files, as the configuration makes it."""
    return quote(url.rstrip("/"), safe="") + "/"


class _Config(Maps):
    """Prints the configuration; the maps it names come from `Maps` and from the files."""

    def __init__(self, rules: RuleSet, files: Files) -> None:
        super().__init__(rules)
        self.known = {path: file for path, file in sorted(files.items()) if path != NOT_FOUND}
        self.has_404 = NOT_FOUND in files

    def files(self) -> dict[str, list[str]]:
        """All map files by name: those of the rules, and those that name every file."""
        found, pages = self._addresses()
        twins = [
            f"{key} {encode('/' + variant_of(path))}" for key, path in pages if variant_of(path) in self.known
        ]
        links = [
            f'{address("/" + path)} <{absolute(self.rules.site, address_of(page))}>; rel="canonical"'
            for path in self.known
            if (page := page_of(path, self.known))
        ]
        kinds = [f"{address('/' + path)} exact" for path in self.known]
        taken = {address("/" + path) for path in self.known}
        kinds += [f"{key} index" for key, path in pages if path.endswith("/index.html") and key not in taken]
        return self.maps() | {
            "files.map": [f"{key} {encode('/' + path)}" for key, path in found.items()],
            "twins.map": twins if self.rules.negotiation != "off" else [],
            "links.map": links if self.rules.variants else [],
            "kinds.map": kinds,
        }

    def _addresses(self) -> tuple[dict[str, str], list[tuple[str, str]]]:
        """Maps each address to its file; and the pages among them, by address."""
        found = {address("/" + path): path for path in self.known}
        pages: dict[str, str] = {}
        for ending in (".html", "/index.html"):
            for path in self.known:
                url = "/" + path.removesuffix(ending)
                if path.endswith(ending) and address(url) not in found:
                    found[address(url)] = pages[address(url)] = path
        if "index.html" in self.known:
            found["/"] = pages["/"] = "index.html"
        return found, list(pages.items())

    def lines(self) -> list[str]:
        return [
            "# Give this to haproxy with -f, behind your global and defaults. Written by pybuild; edit pybuild.toml.",
            "# Environment: PYBUILD_BIND, PYBUILD_ORIGIN (host:port of the plain files), PYBUILD_MAPS (a folder).",
            "frontend pybuild",
            "  mode http",
            '  bind "${PYBUILD_BIND}"',
            *(f"  {line}" for line in self._frontend()),
            *(
                f"  use_backend pybuild_proxy{n} if {{ var(txn.to{n}) -m found }}"
                for n, _ in enumerate(self.rules.proxies)
            ),
            "  default_backend pybuild_files",
            "backend pybuild_files",
            "  mode http",
            '  server origin "${PYBUILD_ORIGIN}"',
            *(line for index, rule in enumerate(self.rules.proxies) for line in self._backend(index, rule)),
            "",
        ]

    def _frontend(self) -> Lines:
        yield f"http-request return status 400 if {{ path -m reg -i -f {self.file('refused.lst')} }}"
        yield self.take("sent", "path", "base.map")
        yield "http-request return status 404 unless { var(txn.sent) -m found }"
        yield "http-request set-var(txn.url) var(txn.sent),url_dec,regsub(/+,/,g)"
        yield self.take("q", "query", "q.map", "")
        yield self.take("amp", "query", "amp.map", "")
        signs = ",".join(f"regsub([{sign}],%{ord(sign):02X},g)" for sign in QUERY_SIGNS.replace("#", ""))
        yield f"http-request set-var(txn.quoted) var(txn.sent),{signs},regsub([\\#],%23,g)"
        yield from self.representation()
        yield from self.conditions()
        yield from self._headers()
        yield from self._find()
        yield from self._options()
        for status in sorted({rule.status for rule in self.rules.redirects}):
            place = "%[var(txn.go),bytes(4)]"
            yield f"http-request redirect code {status} location {place} if {{ var(txn.go) -m beg {status} }}"
        yield from self._slash()
        yield from self._choose()
        yield from self._send()

    def _headers(self) -> Lines:
        """Headers for whatever answers; HAProxy's own "no-cache" on redirects goes first."""
        yield "http-after-response del-header Cache-Control if { var(txn.go) -m found }"
        for index, name in enumerate(self.header_names()):
            yield self.take(f"h{index}", "var(txn.key)", f"h{index}.map")
            yield f"http-after-response set-header {name} %[var(txn.h{index})] if {{ var(txn.h{index}) -m found }}"
        for index, (name, _, _) in enumerate(self.added()):
            yield self.take(f"a{index}", "var(txn.key)", f"a{index}.map")
            yield f"http-after-response add-header {name} %[var(txn.a{index})] if {{ var(txn.a{index}) -m found }}"
        yield "http-after-response set-header Allow %[var(txn.allow)] if { var(txn.allow) -m found }"
        if ALLOW_ORIGIN in map(str.lower, self.header_names()):
            free = f"{{ res.hdr({ALLOW_ORIGIN}) -m found }} !{{ res.hdr({ALLOW_METHODS}) -m found }}"
            methods = f"%[var(txn.allow),map_regm({self.path('methods.map')})]"
            yield f"http-after-response set-header {ALLOW_METHODS} {methods} if {{ var(txn.options) -m found }} {free}"

    def _options(self) -> Lines:
        """What the address allows; and the answer to OPTIONS, where no proxy wants it, before anything is redirected."""
        yield 'http-request set-var-fmt(txn.k) "%[var(txn.key)] %[var(txn.q)] %[var(txn.amp)] %[var(txn.quoted)]"'
        yield self.take("go", "var(txn.k)", "go.map")
        read, none = (
            ("{ var(txn.final) -m found }", "{ var(txn.go) -m found }"),
            "!{ var(txn.proxy) -m found }",
        )
        yield f'http-request set-var-fmt(txn.may) "{ALLOWED}"'
        yield from (f"http-request set-var(txn.reads) str(y) if {one}" for one in read)
        yield "http-request set-var(txn.options) str(y) if { method OPTIONS }"
        for index, rule in enumerate(self.rules.proxies):
            mine = f"{{ var(txn.proxy) -m str p{index} }}"
            for found, reads in ((f"{mine} !{_READS}", False), (f"{mine} {_READS}", True)):
                listed = allowed(rule.methods, read=reads)
                yield f'http-request set-var-fmt(txn.may) "{listed}" if {found}'
            if "OPTIONS" in rule.methods:
                yield f"http-request unset-var(txn.options) if {mine}"
        asked = "{ var(txn.options) -m found }"
        yield f"http-request return status 404 if {asked} {none} !{_READS}"
        yield f"http-request set-var(txn.allow) var(txn.may) if {asked}"
        yield f"http-request return status 204 if {asked}"

    def _find(self) -> Lines:
        yield f'http-request set-var-fmt(txn.k) "{self.digits()}:%[var(txn.url)]"'
        yield f"{self.take('to', 'var(txn.k)', 'rewrites.map')}"
        yield "http-request set-var(txn.to) var(txn.url) unless { var(txn.to) -m found }"
        yield "http-request set-var(txn.bare) var(txn.to),regsub(/+$,)"
        yield 'http-request set-var-fmt(txn.k) "%[var(txn.bare),url_enc]/"'
        yield f"http-request set-var(txn.final) var(txn.k),map_str({self.path('files.map')})"
        yield f"http-request set-var(txn.kind) var(txn.k),map_str({self.path('kinds.map')})"
        yield f"http-request set-var(txn.twin) var(txn.k),map_str({self.path('twins.map')})"
        yield 'http-request set-var-fmt(txn.own) "%[var(txn.url),url_enc]/"'
        yield f"http-request set-var(txn.link) var(txn.own),map_str({self.path('links.map')})"
        for name in ("final", "kind", "twin", "link"):
            yield f"http-request unset-var(txn.{name}) if {{ var(txn.sent) -m sub -i %2f %5c }}"
        yield self.take("proxy", "var(txn.key)", "proxy.map")

    def base(self) -> str:
        """The base path as sent, for a log format."""
        return encode(self.rules.base).replace("%", "%%").replace("$", "\\$")

    def _slash(self) -> Lines:
        yield "http-request set-var(txn.slashless) var(txn.sent),regsub(/+$,)"
        free = "!{ var(txn.proxy) -m found } !{ var(txn.sent) -m beg // }"
        ends = "{ var(txn.sent) -m end / } !{ var(txn.sent) -m str / }"
        bare = f'"{self.base()}%[var(txn.slashless)]%[var(txn.q)]"'
        if not self.rules.trailing_slash:
            yield f"http-request redirect code 308 location {bare} if {free} {ends}"
            return
        more = f'"{self.base()}%[var(txn.sent)]/%[var(txn.q)]"'
        index = "!{ var(txn.sent) -m end / } { var(txn.kind) -m str index }"
        yield f"http-request redirect code 308 location {more} if {free} {index}"
        yield f"http-request redirect code 308 location {bare} if {free} {ends} {{ var(txn.kind) -m str exact }}"

    def _choose(self) -> Lines:
        """Proxies for what no file answers; then methods, and which representation."""
        for index, _ in enumerate(self.rules.proxies):
            mine = f"{{ var(txn.proxy) -m str p{index} }}"
            for free in ("!{ var(txn.final) -m found }", f"!{_READ}"):
                yield f"http-request set-var(txn.to{index}) str(y) if {mine} {free}"
            taken = f"{{ var(txn.to{index}) -m found }}"
            yield f"http-request set-var(txn.passed) str(p{index}) if {taken}"
            yield 'http-request set-var-fmt(txn.k) "%[var(txn.sent)] %[var(txn.q)] %[var(txn.amp)] %[var(txn.quoted)]"'
            uri = f"%[var(txn.k),map_regm({self.path(f'to{index}.map')})]"
            yield f"http-request set-uri {uri} if {taken}"
        files = "!{ var(txn.passed) -m found }"
        yield f"http-request set-var(txn.allow) var(txn.may) if {files} !{_READ}"
        yield f"http-request return status 405 if {files} !{_READ}"
        yield f"http-request set-var(txn.neg) str(y) if {files} {{ var(txn.twin) -m found }}"
        yield "http-after-response add-header Vary Accept if { var(txn.neg) -m found }"
        if self.rules.negotiation == "strict":
            refused = "{ var(txn.neg) -m found } { var(txn.rep) -m str none }"
            text = f'content-type "text/plain; charset=utf-8" string "{NOT_ACCEPTABLE.strip()}"'
            yield f"http-request return status 406 {text} if {refused}"
        md = "{ var(txn.neg) -m found } { var(txn.rep) -m str md }"
        yield f"http-request set-var(txn.final) var(txn.twin) if {md}"
        yield f'http-request set-var-fmt(txn.at) "{self.base()}%[var(txn.twin)]" if {md}'

    def _send(self) -> Lines:
        here = "{ var(txn.final) -m found } !{ var(txn.passed) -m found }"
        lost = "!{ var(txn.final) -m found } !{ var(txn.passed) -m found }"
        yield self.take("type", "var(txn.final)", "types.map")
        yield f"http-request set-path %[var(txn.final)] if {here}"
        yield f"http-response set-header Content-Type %[var(txn.type)] if {here} {{ status 200 206 }}"
        yield "http-response set-header Content-Location %[var(txn.at)] if { var(txn.at) -m found }"
        yield f"http-response add-header Link %[var(txn.link)] if {here} {{ var(txn.link) -m found }}"
        if not self.has_404:
            yield f"http-request return status 404 if {lost}"
            return
        for name in ("If-None-Match", "If-Modified-Since", "If-Range", "Range"):
            yield f"http-request del-header {name} if {lost}"
        yield f"http-request set-path /{NOT_FOUND} if {lost}"
        yield f"http-response set-status 404 if {lost}"
        yield f'http-response set-header Content-Type "text/html; charset=utf-8" if {lost}'

    def _backend(self, index: int, rule: Proxy) -> Lines:
        parts = urlsplit(rule.destination.origin)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        sent = {header.name.lower() for header in rule.headers}
        yield f"backend pybuild_proxy{index}"
        yield "  mode http"
        taken = f"{{ method {' '.join(rule.methods)} }}"
        yield f"  http-request set-var(txn.allow) var(txn.may) unless {taken}"
        yield f"  http-request return status 405 unless {taken}"
        yield f'  http-request set-header Host "{parts.netloc}"'
        yield from (
            f"  http-request del-header {name}"
            for name in ("Authorization", "Cookie")
            if name.lower() not in sent
        )
        for number, header in enumerate(rule.headers):
            name = f"s{index}x{number}"
            source = f"env({header.env})" if header.env else f"str(x),map_regm({self.path(name + '.map')})"
            yield f"  http-request set-header {header.name} %[{source}]"
        yield "  http-response del-header Set-Cookie"
        tls = (
            f" ssl verify required ca-file @system-ca sni str({parts.hostname})"
            if parts.scheme == "https"
            else ""
        )
        yield f"  server backend {parts.hostname}:{port}{tls}"


TARGET = Target("haproxy", "HAProxy", ALL_FEATURES, compile_haproxy, {"parameters": GROUPS})
