"""Varnish: one VCL file, before any server of plain files.

Owns `pybuild.vcl`: the requests and answers, the servers behind it and the headers they get, what is kept and how long.
Works from 7.1 on, with the modules that come with Varnish (std, blob). Varnish sees no files: it asks the server behind
it for `/a`, `/a.html`, `/a/index.html` and the `.md`, keeps what that said for a second, and restarts the request with
each answer, so the file does not grow with the pages. It speaks no TLS to backends.
Sources: varnish-cache.org, vcl(7), vmod_std(3), "Request Processing Steps", "Backend definition", "vcl_backend_fetch";
RFC 9110 §12.5.5, §15.5.7.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.hosts.base import (
    ALL_FEATURES,
    Compiled,
    Target,
    condition_captures,
    drop_unsupported,
    expand_empty_destinations,
    readme,
    secrets,
    spaced,
    unsupported,
)
from pybuild.hosts.servers.varnish_syntax import (
    KEPT,
    Checks,
    Lines,
    added,
    decoded,
    encoded,
    header,
    quoted,
    regex,
    sub,
    var,
    when,
)
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import ALLOW_METHODS, ALLOW_ORIGIN, NOT_ACCEPTABLE, NOT_FOUND, REFUSED
from pybuild.rules.media_types import OCTETS, SUFFIX_TYPES
from pybuild.rules.model import ALLOWED, Proxy, Rule, RuleSet, SetHeaders, allowed
from pybuild.rules.patterns import escape
from pybuild.urls import encode

_PROTECTED = frozenset({"content-length", "transfer-encoding"})


def fault(rule: Rule) -> Diagnostic | None:
    """The finding `unsupported-rule` for what Varnish cannot do."""
    if isinstance(rule, SetHeaders):
        names = [name for name, _ in rule.headers if name.lower() in _PROTECTED]
        hint = f"delete {names[0]}; Varnish counts what it sends" if names else ""
        return unsupported("varnish", rule, f"{names[0]} is its own", hint) if names else None
    if isinstance(rule, Proxy) and rule.destination.origin.startswith("https:"):
        hint = "lead to the http:// address of a TLS tunnel such as stunnel, or choose another target"
        return unsupported("varnish", rule, "it speaks no TLS to a backend", hint)
    return condition_captures("varnish", rule)


class Backends(Checks):
    """Prints the backends and the subroutines that talk to them."""

    def backends(self) -> Lines:
        for number, rule in enumerate(self.rules.proxies):
            parts = urlsplit(rule.destination.origin)
            place = f'.host = "{parts.hostname}"; .port = "{parts.port or 80}";'
            yield f"backend pybuild_proxy{number} {{ {place} }}"

    def fetch(self) -> Lines:
        # without a Host, Varnish sends that of the backend, which no visitor chooses
        chosen = ("Accept", "Authorization", "Cookie", "Host")
        yield from when("!bereq.uncacheable", *(f"unset bereq.http.{name};" for name in chosen))
        for number, rule in enumerate(self.rules.proxies):
            here = f'bereq.uncacheable && bereq.http.pb-proxy == "{number}"'
            yield from when(here, *self._headed(rule))
        yield from (f"unset bereq.http.pb-{name};" for name in KEPT)
        yield "return (fetch);"

    def _headed(self, rule: Proxy) -> Lines:
        yield "unset bereq.http.Authorization;"
        yield "unset bereq.http.Cookie;"
        yield f"set bereq.http.Host = {quoted(urlsplit(rule.destination.origin).netloc)};"
        for one in rule.headers:
            value = f'std.getenv("{one.env}")' if one.env else quoted(one.value)
            yield f"set {header('bereq', one.name)} = {value};"

    def answered(self) -> Lines:
        """What files say is kept for a second, and longer to be asked for again by its ETag."""
        yield "unset beresp.http.Set-Cookie;"
        yield from when("bereq.uncacheable", "return (deliver);")
        yield "set beresp.ttl = 1s;"
        yield "set beresp.grace = 0s;"
        yield from when("beresp.status == 200", "set beresp.keep = 1d;")
        yield "return (deliver);"


_ESCAPES = "%(?![0-9A-Fa-f]{2})"
_READ = '"^(?:GET|HEAD)$"'


def _any_of(methods: Iterable[str]) -> str:
    return f'"^(?:{"|".join(methods)})$"'


def compile_varnish(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `pybuild.vcl` for the deployment."""
    kept, findings = drop_unsupported(rules, fault)
    lines = _Vcl(expand_empty_destinations(kept), files).lines()
    start = (
        "vcl 4.1;",
        'backend pybuild_origin { .host = "127.0.0.1"; .port = "8080"; }',
        'include "./pybuild.vcl";',
    )
    more = (
        f"pybuild_origin is any server of the plain files in {config.out.name}. Then:",
        "",
        '    varnishd -a :80 -f "$PWD/default.vcl"',
        *spaced(secrets(kept, "export {name}=VALUE")),
    )
    page = readme("Varnish", start, more, intro="In a default.vcl of your own, in this folder:")
    vcl = Artifact("pybuild.vcl", "[varnish]", "\n".join((*lines, "")).encode())
    return Compiled(deploy=(vcl, page), findings=findings)


class _Vcl(Backends):
    """Prints the whole file; `step` is the question that the server of files is asked next."""

    def __init__(self, rules: RuleSet, files: Files) -> None:
        super().__init__(rules)
        self.has_404 = NOT_FOUND in files
        self.doubled = sorted(path for path in files if f"{path}.html" in files)

    def lines(self) -> Lines:
        yield "# Include this after a backend named pybuild_origin. Written by pybuild; edit pybuild.toml."
        yield "vcl 4.1;"
        yield "import std;"
        yield "import blob;"
        yield from self.backends()
        yield from sub("pybuild_read", self._read())
        yield from sub("pybuild_representation", self.representation())
        yield from sub("pybuild_conditions", self.conditions())
        yield from sub("pybuild_redirects", self.redirects())
        yield from sub("pybuild_rewrites", self.rewrites())
        yield from sub("pybuild_proxies", self.proxies())
        yield from sub("pybuild_headers", self.headers())
        yield from sub("pybuild_lost", self._lost())
        yield from sub("pybuild_found", self._found())
        yield from sub("pybuild_finish", self._finish())
        yield from sub("vcl_recv", self._receive())
        yield from sub("vcl_hash", ("hash_data(req.url);", 'hash_data("pybuild");', "return (lookup);"))
        yield from sub("vcl_backend_fetch", self.fetch())
        yield from sub("vcl_backend_response", self.answered())
        yield from sub("vcl_deliver", self._deliver())
        yield from sub("vcl_synth", self._synth())

    def _read(self) -> Lines:
        """`sent`, `q`, `url`: the path below the base, the query with its "?", the path decoded."""
        base = escape(encode(self.rules.base))
        yield from (f"unset {var(name)};" for name in KEPT)
        yield f"set {var('method')} = req.method;"
        yield f'set {var("sent")} = regsub(req.url, "\\?.*$", "");'
        bad = f"(?i){REFUSED}|{_ESCAPES}|^[^/]|^$"
        yield from when(f"{var('sent')} ~ {regex(bad)}", "return (synth(400));")
        yield from when(f"{var('sent')} !~ {regex(f'^{base}(?:/|$)')}", "return (synth(404));")
        yield f'set {var("sent")} = regsub({var("sent")}, {regex(f"^{base}/?")}, "/");'
        yield f'set {var("q")} = "";'
        yield from when('req.url ~ "\\?."', f'set {var("q")} = regsub(req.url, "^[^?]*", "");')
        yield f'set {var("url")} = regsuball({decoded(var("sent"))}, "/+", "/");'

    def _receive(self) -> Lines:
        yield from when("req.restarts == 0", *self._first())
        yield "set req.backend_hint = pybuild_origin;"
        for number, _ in enumerate(self.rules.proxies):
            mine = f'{var("step")} == "proxy" && {var("proxy")} == "{number}"'
            send = (
                f"set req.backend_hint = pybuild_proxy{number};",
                f"set req.url = {var('up')};",
                "return (pass);",
            )
            yield from when(mine, *send)
        for step, ending in (("exact", ""), ("html", ".html"), ("index", "/index.html")):
            yield from when(f'{var("step")} == "{step}"', f'set req.url = {var("to")} + "{ending}";')
        for step, ending in (("page", ".html"), ("folder", "/index.html")):
            yield from when(f'{var("step")} == "{step}"', f'set req.url = {var("page")} + "{ending}";')
        yield from when(f'{var("step")} == "md"', f'set req.url = {var("page")} + ".md";')
        yield from when(f'{var("step")} == "serve"', f"set req.url = {var('file')};")
        yield from when(f'{var("step")} == "lost"', f'set req.url = "/{NOT_FOUND}";')
        yield "return (hash);"

    def _first(self) -> Lines:
        for name in ("read", "representation", "conditions", "proxies"):
            yield f"call pybuild_{name};"
        wanted = [n for n, rule in enumerate(self.rules.proxies) if "OPTIONS" in rule.methods]
        asked = " && ".join(('req.method == "OPTIONS"', *(f'{var("proxy")} != "{n}"' for n in wanted)))
        yield from when(asked, f'set {var("options")} = "y";')
        yield "call pybuild_redirects;"
        if not self.rules.trailing_slash:
            free = f'!{var("proxy")} && !{var("options")} && {var("sent")} !~ "^//" && {var("sent")} ~ "./$"'
            yield from when(free, *self._slash(f'regsub({var("sent")}, "/+$", "")'))
        yield from self._methods()
        yield "call pybuild_rewrites;"
        yield f'set {var("own")} = "";'
        own = f'regsub({var("url")}, "^[01]*:", "") == {var("to")}'
        yield from when(own, f'set {var("own")} = "y";')
        yield from when(f'{var("to")} ~ "/$"', f'set {var("own")} = {var("own")} + "/";')
        bare = f'regsub({var("to")}, "/+$", "")'
        yield f"set {var('to')} = {encoded(bare)};"
        yield f'set {var("step")} = "exact";'
        yield from when(f'{var("to")} == ""', f'set {var("step")} = "index";')
        listed = "".join(f"|^{escape(encode('/' + path))}$" for path in self.doubled)
        exact = f"(?i)[.](?:{'|'.join(SUFFIX_TYPES)})${listed}"
        late = f'{var("step")} == "exact" && {var("to")} !~ {regex(exact)}'
        yield from when(late, f'set {var("step")} = "html";', f'set {var("late")} = "y";')
        yield from when(f'{var("sent")} ~ "(?i)%(?:2f|5c)"', "call pybuild_lost;")

    def _methods(self) -> Lines:
        """A proxy may take any method. Files are asked with GET where the answer depends on whether there is one."""
        for number, rule in enumerate(self.rules.proxies):
            other = f'{var("proxy")} == "{number}" && !{var("options")} && req.method !~ {_READ}'
            yield from when(other, *self._passed(rule))
        others = f"req.method !~ {_READ}"
        if not self.rules.trailing_slash:
            refused = f"!{var('proxy')} && !{var('options')} && {others}"
            yield from when(refused, f'return (synth(405, "{ALLOWED}"));')
        yield from when(others, 'set req.method = "GET";')

    def _passed(self, rule: Proxy) -> Lines:
        number = self.rules.proxies.index(rule)
        send = (
            f'set {var("step")} = "proxy";',
            f"set req.backend_hint = pybuild_proxy{number};",
            f"set req.url = {var('up')};",
            "return (pass);",
        )
        yield from when(f"req.method ~ {_any_of(rule.methods)}", *send)

    def _slash(self, path: str) -> Lines:
        yield f"set {var('go')} = {quoted(encode(self.rules.base))} + {path} + {var('q')};"
        yield "return (synth(308));"

    def _lost(self) -> Lines:
        """No file answers: a proxy does, or the page of errors."""
        yield f'set {var("step")} = "lost";'
        yield from when(f"{var('proxy')}", f'set {var("step")} = "proxy";')
        for number, rule in enumerate(self.rules.proxies):
            refused = f'{var("proxy")} == "{number}" && ({var("options")} || {var("method")} !~ {_any_of(rule.methods)})'
            yield from when(refused, *self._allow(allowed(rule.methods, read=False)))
        yield from when(f"{var('options')}", "return (synth(404));")
        yield from when(
            f'{var("step")} == "lost" && {var("method")} !~ {_READ}', f'return (synth(405, "{ALLOWED}"));'
        )
        if not self.has_404:
            yield from when(f'{var("step")} == "lost"', "return (synth(404));")
        for name in ("Range", "If-None-Match", "If-Modified-Since", "If-Range"):
            yield from when(f'{var("step")} == "lost"', f"unset req.http.{name};")

    def _allow(self, methods: str) -> Lines:
        """Say what is allowed: as the answer to OPTIONS, else to a method that is not."""
        yield from when(f"{var('options')}", f'return (synth(204, "{methods}"));')
        yield f'return (synth(405, "{methods}"));'

    def _reads(self) -> Lines:
        """The answer to OPTIONS, and to methods that its proxy refuses, at an address that can be read."""
        refused = f"{var('options')} || {var('method')} !~ {_READ}"
        for number, rule in enumerate(self.rules.proxies):
            mine = f'{var("proxy")} == "{number}" && ({refused})'
            yield from when(mine, *self._allow(allowed(rule.methods, read=True)))
        yield from when(f"{var('options')}", *self._allow(ALLOWED))

    def _deliver(self) -> Lines:
        yield from when(f'{var("step")} == "proxy"', "call pybuild_headers;", "return (deliver);")
        yield from when("resp.status >= 500", "call pybuild_headers;", "return (deliver);")
        looks = f'{var("step")} ~ "^(?:exact|html|index)$"'
        yield from when(looks + " && resp.status == 200", "call pybuild_found;")
        yield from when(looks + " && resp.status != 200", *self._next())
        if self.rules.negotiation != "off":
            yield from when(f'{var("step")} == "md"', *self._choose())
        if self.rules.variants:
            # the page whose variant was asked for by its own address: `a.html`, else `a/index.html`
            site, end = quoted("<" + self.rules.site), quoted('>; rel="canonical"')
            page = f'regsub({var("page")}, "^(/|.*/)index$", "\\1")'
            serve = (f'set {var("step")} = "serve";', "return (restart);")
            for step, place, missed in (
                ("page", page, "folder"),
                ("folder", f'{var("page")} + "/"', "serve"),
            ):
                link = f"set {var('link')} = {site} + {place} + {end};"
                yield from when(f'{var("step")} == "{step}" && resp.status == 200', link, *serve)
                yield from when(
                    f'{var("step")} == "{step}"', f'set {var("step")} = "{missed}";', "return (restart);"
                )
        yield "call pybuild_finish;"
        yield "return (deliver);"

    def _next(self) -> Lines:
        order = (
            ("exact", f"!{var('late')}", "html"),
            ("html", "true", "index"),
            ("index", var("late"), "exact"),
        )
        for step, test, after in order:
            yield from when(
                f'{var("step")} == "{step}" && {test}', f'set {var("step")} = "{after}";', "return (restart);"
            )
        yield "call pybuild_lost;"
        yield "return (restart);"

    def _found(self) -> Lines:
        """A file answers: lead to its one address, or see what is beside it."""
        if self.rules.trailing_slash:
            free = f'!{var("proxy")} && !{var("options")} && {var("sent")} !~ "^//"'
            free += f' && {var("to")} != "" && {var("step")}'
            more = f'{free} == "index" && {var("sent")} !~ "/$"'
            yield from when(more, *self._slash(f'{var("sent")} + "/"'))
            less = f'{free} == "exact" && {var("sent")} ~ "/$"'
            yield from when(less, *self._slash(f'regsub({var("sent")}, "/+$", "")'))
        yield from when(f'req.url != "/{NOT_FOUND}"', *self._reads())
        missed = f'req.url == "/{NOT_FOUND}" || {var("method")} !~ {_READ}'
        yield from when(missed, "call pybuild_lost;", "return (restart);")
        yield f"set {var('file')} = req.url;"
        if self.rules.negotiation != "off":
            page = f'req.url ~ "[.]html$" && ({var("step")} != "exact" || {var("own")} ~ "/")'
            yield from when(page, *self._ask("html", "md"))
        if self.rules.variants:
            md = f'req.url ~ "[.]md$" && {var("step")} == "exact" && {var("own")} == "y"'
            yield from when(md, *self._ask("md", "page"))

    def _ask(self, suffix: str, step: str) -> Lines:
        yield f'set {var("page")} = regsub(req.url, "[.]{suffix}$", "");'
        yield f'set {var("step")} = "{step}";'
        yield "return (restart);"

    def _choose(self) -> Lines:
        serve = (f'set {var("step")} = "serve";', "return (restart);")
        yield from when("resp.status != 200", *serve)
        yield f'set {var("neg")} = "y";'
        if self.rules.negotiation == "strict":
            yield from when(f'{var("rep")} == "none"', "return (synth(406));")
        yield from when(f'{var("rep")} != "md"', *serve)

    def _finish(self) -> Lines:
        """Status, type and headers of what is sent."""
        yield f"set {var('file')} = {decoded('req.url')};"
        tests = [(f"^{self.pattern(one.source, sent=False)}$", one.media_type) for one in self.rules.types]
        tests += [(rf"(?i)[.]{suffix}$", media) for suffix, media in SUFFIX_TYPES.items()]
        for number, (test, media) in enumerate(tests):
            then = f"set resp.http.Content-Type = {quoted(media)};"
            yield from self._branch(number, f"{var('file')} ~ {regex(test)}", then)
        yield f'else {{ set resp.http.Content-Type = "{OCTETS}"; }}'
        yield from when(
            f'{var("step")} == "lost"',
            "set resp.status = 404;",
            'set resp.http.Content-Type = "text/html; charset=utf-8";',
        )
        yield from when(var("link"), f"set resp.http.Link = {var('link')};")
        yield from when(var("neg"), *added("Vary", "Accept"))
        at = f"set resp.http.Content-Location = {quoted(encode(self.rules.base))} + req.url;"
        yield from when(f'{var("neg")} && {var("rep")} == "md"', at)
        yield "call pybuild_headers;"

    def _synth(self) -> Lines:
        asked = f"{var('options')} && {var('go')}"
        yield from when(asked, "set resp.status = 204;", f"unset {var('go')};", *self._allowed_of_redirects())
        yield 'set resp.http.Content-Type = "text/plain; charset=utf-8";'
        yield "set resp.body = resp.status;"
        yield from when(var("go"), f"set resp.http.Location = {var('go')};")
        allow = ("set resp.http.Allow = resp.reason;", 'set resp.reason = "Method Not Allowed";')
        yield from when("resp.status == 405", *allow)
        allow = ("set resp.http.Allow = resp.reason;", 'set resp.reason = "No Content";')
        yield from when("resp.status == 204", *allow, "unset resp.http.Content-Type;", 'set resp.body = "";')
        text = (f"set resp.body = {quoted(NOT_ACCEPTABLE.strip())};", *added("Vary", "Accept"))
        yield from when("resp.status == 406", *text)
        yield from when(f"{var('key')} && resp.status != 400", "call pybuild_headers;")
        free = f"resp.http.{ALLOW_ORIGIN} && !resp.http.{ALLOW_METHODS}"
        methods = f'set resp.http.{ALLOW_METHODS} = regsub(resp.http.Allow, ", OPTIONS$", "");'
        yield from when(f"resp.status == 204 && {free}", methods)
        yield "return (deliver);"

    def _allowed_of_redirects(self) -> Lines:
        yield f'set resp.reason = "{ALLOWED}";'
        for number, rule in enumerate(self.rules.proxies):
            methods = allowed(rule.methods, read=True)
            yield from when(f'{var("proxy")} == "{number}"', f'set resp.reason = "{methods}";')


TARGET = Target("varnish", "Varnish", ALL_FEATURES, compile_varnish, {})
