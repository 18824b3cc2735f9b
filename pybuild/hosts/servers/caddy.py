"""Caddy: one file to import into a site block, without plugins.

Owns `pybuild.caddy`. Works from 2.6 on. Regex outputs of `map` are not read for placeholders again, so what a
visitor sends never becomes one. Tokens stand in backquotes, where Caddy knows no escapes.
Sources: caddyserver.com/docs/caddyfile: concepts, directives map, vars, route, rewrite, reverse_proxy;
github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import re
from itertools import pairwise

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
from pybuild.hosts.servers.caddy_maps import BACKQUOTE, Lines, Maps, braced, token, value
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import ALLOW_METHODS, ALLOW_ORIGIN, NOT_ACCEPTABLE, NOT_FOUND
from pybuild.rules.media_types import OCTETS, SUFFIX_TYPES
from pybuild.rules.model import ALLOWED, Proxy, Redirect, Rule, RuleSet, SetHeaders, allowed
from pybuild.rules.patterns import Slot, Text, sent_literal
from pybuild.urls import encode

_NOWHERE = "/index.html/none"  # no file can lie below a file


def compile_caddy(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `pybuild.caddy`."""
    kept, findings = drop_unsupported(rules, _fault)
    lines = _Site(expand_empty_destinations(kept)).lines(has_404=NOT_FOUND in files)
    artifact = Artifact("pybuild.caddy", "[caddy]", "\n".join(lines).encode())
    usage = (
        f"{config.site.origin} {{",
        f"  root * /path/to/{config.out.name}",
        f"  import /path/to/{config.deploy.parent.name}/{config.deploy.name}/pybuild.caddy",
        "}",
    )
    more = ("Then `caddy reload`.", *spaced(secrets(kept, "export {name}=VALUE")))
    page = readme("Caddy", usage, more, intro="In the Caddyfile:")
    return Compiled(deploy=(artifact, page), findings=findings)


def _fault(rule: Rule) -> Diagnostic | None:
    values = [pair[1] for pair in rule.headers] if isinstance(rule, SetHeaders) else []
    values += [header.value for header in rule.headers] if isinstance(rule, Proxy) else []
    parts = () if isinstance(rule, SetHeaders) else (*rule.destination.path, *rule.destination.query)
    values += [part.text for part in parts if isinstance(part, Text)]
    if any("`" in value for value in values):
        return unsupported("caddy", rule, "a Caddyfile cannot hold a backquote there", "write it without")
    if any(re.search(r"\\[{}]", value) for value in values):
        return unsupported(
            "caddy", rule, "it reads a backslash before a brace as an escape", "write it without"
        )
    if isinstance(rule, Proxy) and any(isinstance(part, Slot) for part in rule.destination.query):
        reason = "a value of the address cannot go into a query there"
        return unsupported("caddy", rule, reason, "let the backend read it from the path")
    if isinstance(rule, Proxy) and any(_run_on(*pair) for pair in pairwise(rule.destination.path)):
        reason = "a value is followed by a letter or digit"
        return unsupported("caddy", rule, reason, "put another sign between them")
    return condition_captures("caddy", rule) or query_capture("caddy", rule)


def _run_on(before: Text | Slot, after: Text | Slot) -> bool:
    return isinstance(before, Slot) and isinstance(after, Text) and re.match(r"\w", after.text) is not None


class _Site(Maps):
    """Prints the whole file: the maps, and what is done with them in order."""

    def lines(self, *, has_404: bool) -> list[str]:
        asks = self.rules.negotiation != "off" or self.table.asks_accept
        return [
            "# Import this in the site block, below its root. Written by pybuild; edit pybuild.toml.",
            "route {",
            *self._paths(),
            *(self._representation() if asks else ()),
            *self._conditions(),
            *self._headers(),
            *self._which_redirect(),
            *self._files(),
            *self._which_proxy(),
            *self._options(),
            *self._redirects(),
            *self._slash(),
            *(line for index, rule in enumerate(self.rules.proxies) for line in self._proxy(index, rule)),
            "@pb_method not method GET HEAD",
            *self._refuse("@pb_method"),
            *(self._choose() if self.rules.negotiation != "off" else ()),
            *(self._canonical() if self.rules.variants else ()),
            *self._types(),
            *self._send(has_404=has_404),
            "}",
            "",
        ]

    def _which_redirect(self) -> Lines:
        """The first redirect that matches, with its status before its Location."""
        source = self.key("{pb_sent} {pb_q} {pb_amp}")
        end = r" (?P<q>\S*) (?P<amp>\S*)"
        entries = [(self.regex(rule, end), self._location(rule)) for rule in self.rules.redirects]
        yield from self.map(source, "go", entries)

    def _options(self) -> Lines:
        """Answer OPTIONS before anything is redirected, where no proxy wants it."""
        yield 'vars pb_reads ""'
        yield '@pb_reads expression `{http.vars.pb_final} != "" || {pb_go} != ""`'
        yield "vars @pb_reads pb_reads y"
        numbered = list(enumerate(self.rules.proxies))
        both = "{http.vars.pb_reads}:{pb_proxy}"
        may = [
            (f"^{reads}:p{index}$", allowed(rule.methods, read=bool(reads)))
            for index, rule in numbered
            for reads in ("", "y")
        ]
        yield from self.map(both, "may", may, ALLOWED)
        wanted = [(f":p{index}$", "") for index, rule in numbered if "OPTIONS" in rule.methods]
        yield from self.map(both, "options", [("^:$", "404"), *wanted], "204")
        for status in (404, 204):
            yield f"@pb_options{status} {{"
            yield "  method OPTIONS"
            yield f'  expression `{{pb_options}} == "{status}"`'
            yield "}"
        yield 'respond @pb_options404 "404" 404'
        yield "handle @pb_options204 {"
        yield "  header Allow {pb_may}"
        yield from (f"  {line}" for line in self._preflight())
        yield "  respond 204"
        yield "}"

    def _preflight(self) -> Lines:
        """The methods that other origins may use, where a rule lets them in and none names the methods."""
        names = self.header_names()
        if ALLOW_ORIGIN not in names:
            return
        said = ALLOW_METHODS.lower()
        test = f'{{pb_h{names.index(ALLOW_ORIGIN)}}} != ""'
        test += f' && {{pb_h{names.index(said)}}} == ""' if said in names else ""
        yield from self.map("{pb_may}", "methods", [("^(.+), OPTIONS$", "${1}")])
        yield f"@pb_preflight expression `{test}`"
        yield f"header @pb_preflight {ALLOW_METHODS} {{pb_methods}}"

    def _refuse(self, matcher: str) -> Lines:
        yield f"handle {matcher} {{"
        yield "  header Allow {pb_may}"
        yield '  respond "405" 405'
        yield "}"

    def _redirects(self) -> Lines:
        for status in sorted({rule.status for rule in self.rules.redirects}):
            yield from self.map("{pb_go}", f"go{status}", [(f"^{status} (.*)$", "${1}")])
            yield f'@pb_go{status} expression `{{pb_go{status}}} != ""`'
            yield f"redir @pb_go{status} {{pb_go{status}}} {status}"

    def _location(self, rule: Redirect) -> str:
        to = rule.destination
        path = value(to.origin or encode(self.rules.base)) + self.filled(rule, to.path, sent=True)
        return f"{rule.status} {path}{self.query(rule)}{value('#' + to.fragment) if to.fragment else ''}"

    def _files(self) -> Lines:
        """Find the file of the address after rewrites, as `vars.pb_final`."""
        entries = [
            (self.regex(rule, "", sent=False), self.filled(rule, rule.destination.path, sent=False))
            for rule in self.rules.rewrites
        ]
        yield from self.map(self.key("{pb_path}"), "url", entries, "{pb_path}")
        yield from self.map("{pb_url}", "bare", [("(?s)^(.+?)/+$", "${1}")], "{pb_url}")
        yield from self.map("{pb_bare}", "stem", [("^/+$", "/index")], "{pb_bare}")
        yield from self.map("{pb_bare}", "file", [("^/+$", _NOWHERE)], "{pb_bare}")
        yield 'vars pb_final ""'
        yield "@pb_found {"
        yield "  file {pb_file} {pb_stem}.html {pb_bare}/index.html"
        yield '  expression `!{pb_sent}.matches("(?i)%(?:2f|5c)")`'
        yield "}"
        yield "vars @pb_found pb_final {http.matchers.file.relative}"
        yield f'@pb_404 expression `{{http.vars.pb_final}} == "/{NOT_FOUND}"`'
        yield 'vars @pb_404 pb_final ""'

    def _slash(self) -> Lines:
        if not self.rules.trailing_slash:
            test = '{pb_proxy} == "" && {pb_sent} != "/" && {pb_sent}.endsWith("/") && {pb_slashless} != ""'
            yield f"@pb_slash expression `{test}`"
            yield "redir @pb_slash {pb_slashless}{pb_q} 308"
            return
        base = encode(self.rules.base)
        free = '{pb_proxy} == "" && !{pb_sent}.startsWith("//")'
        index = '{http.vars.pb_final}.endsWith("/index.html") && {http.vars.pb_final} != {pb_bare}'
        yield f'@pb_slash expression `{free} && !{{pb_sent}}.endsWith("/") && {index}`'
        yield f"redir @pb_slash {token(base)[1:-1] if base else ''}{{pb_sent}}/{{pb_q}} 308"
        exact = '{pb_sent} != "/" && {pb_sent}.endsWith("/") && {http.vars.pb_final} == {pb_bare}'
        yield f"@pb_bare expression `{free} && {exact}`"
        yield "redir @pb_bare {pb_slashless}{pb_q} 308"

    def _which_proxy(self) -> Lines:
        entries = [(self.regex(rule, ""), f"p{index}") for index, rule in enumerate(self.rules.proxies)]
        yield from self.map(self.key("{pb_sent}"), "proxy", entries)

    def _proxy(self, index: int, rule: Proxy) -> Lines:
        # Braces would name a placeholder there; `_fault` refuses what "$p1" alone would misread.
        to = re.sub(r"\$\{([ps][0-9]+)\}", r"$\1", self.filled(rule, rule.destination.path, sent=True))
        pattern = f"(?s)^{sent_literal(self.rules.base)}{self.pattern(rule.source, sent=True)}$"
        free = '({http.vars.pb_final} == "" || !({http.request.method} in ["GET", "HEAD"]))'
        yield f'@pb_proxy{index} expression `{{pb_proxy}} == "p{index}" && {free}`'
        yield f"handle @pb_proxy{index} {{"
        yield f"  @pb_methods{index} not method {' '.join(rule.methods)}"
        yield from (f"  {line}" for line in self._refuse(f"@pb_methods{index}"))
        yield f"  uri path_regexp {token(pattern.replace('`', BACKQUOTE))} {token(to)}"
        own = "".join(part.text for part in rule.destination.query if isinstance(part, Text))
        if own:
            yield f'  @pb_asked{index} expression `{{pb_q}} != ""`'
            yield f"  rewrite @pb_asked{index} {token('?' + own + '&{http.request.uri.query}')}"
            yield f'  @pb_unasked{index} expression `{{pb_q}} == ""`'
            yield f"  rewrite @pb_unasked{index} {token('?' + own)}"
        yield f"  reverse_proxy {rule.destination.origin} {{"
        yield f"    header_up Host {token(rule.destination.origin.partition('://')[2])}"
        sent = {header.name.lower() for header in rule.headers}
        yield from (
            f"    header_up -{name}" for name in ("Authorization", "Cookie") if name.lower() not in sent
        )
        for header in rule.headers:
            text = f"{{env.{header.env}}}" if header.env else braced(header.value)
            yield f"    header_up {header.name} {token(text)}"
        yield "    header_down -Set-Cookie"
        yield "  }"
        yield "}"

    def _choose(self) -> Lines:
        yield from self.map("{http.vars.pb_final}", "twin", [(r"(?s)^(.+)\.html$", "${1}.md")], _NOWHERE)
        yield "@pb_neg {"
        yield "  expression `{http.vars.pb_final} != {pb_bare}`"
        yield "  file {pb_twin}"
        yield "}"
        yield "header @pb_neg +Vary Accept"
        yield "vars @pb_neg pb_neg {http.vars.pb_rep}"
        if self.rules.negotiation == "strict":
            yield '@pb_406 expression `{http.vars.pb_neg} == "none"`'
            yield "handle @pb_406 {"
            yield '  header Content-Type "text/plain; charset=utf-8"'
            yield f"  respond {token(NOT_ACCEPTABLE.strip())} 406"
            yield "}"
        yield '@pb_md expression `{http.vars.pb_neg} == "md"`'
        yield "vars @pb_md pb_final {pb_twin}"
        base = braced(encode(self.rules.base))
        yield "header @pb_md {"
        yield f"  Content-Location {token(base + '{http.request.uri}')}"
        yield "  defer"  # until the address is that of the file, encoded
        yield "}"

    def _canonical(self) -> Lines:
        yield from self.map("{pb_path}", "page", [(r"(?s)^(.+)\.md$", "${1}")], _NOWHERE)
        site = f"<{value(self.rules.site)}${{1}}"
        end = '>; rel="canonical"'
        entries = [
            (r"^/.*\.html (/|/.*/)index\.md$", site + end),
            (r"^/.*/index\.html (/.+)\.md$", site + "/" + end),
            (r"^/.*\.html (/.+)\.md$", site + end),
        ]
        yield from self.map("{http.matchers.file.relative} {pb_sent}", "link", entries)
        yield "@pb_canon {"
        yield "  expression `{http.vars.pb_final} == {pb_path}`"
        yield "  file {pb_page}.html {pb_page}/index.html"
        yield "}"
        yield "header @pb_canon +Link {pb_link}"

    def _types(self) -> Lines:
        """Name the type of every file, since what the machine knows of suffixes differs."""
        yield from self.map("{http.vars.pb_final}", "suffix", [(r"\.([A-Za-z0-9]+)$", "${1}")])
        known = [(f"(?i)^{suffix}$", media) for suffix, media in SUFFIX_TYPES.items()]
        yield from self.map("{pb_suffix}", "known", known, OCTETS)
        said = [
            (f"(?s)^{self.pattern(rule.source, sent=False)}$", value(rule.media_type))
            for rule in self.rules.types
        ]
        yield from self.map("{http.vars.pb_final}", "type", said, "{pb_known}")

    def _send(self, *, has_404: bool) -> Lines:
        yield '@pb_final expression `{http.vars.pb_final} != ""`'
        yield "handle @pb_final {"
        yield "  header Content-Type {pb_type}"
        yield "  rewrite * {http.vars.pb_final}?"
        yield "  file_server { disable_canonical_uris }".replace("{ ", "{\n    ").replace(" }", "\n  }")
        yield "}"
        yield "handle {"
        if has_404:
            yield f"  rewrite * /{NOT_FOUND}"
            yield f"  header Content-Type {token(SUFFIX_TYPES['html'])}"
            yield "  file_server {\n    status 404\n  }"
        else:
            yield '  respond "404" 404'
        yield "}"


TARGET = Target("caddy", "Caddy", ALL_FEATURES, compile_caddy, {})
