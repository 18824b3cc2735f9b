"""Caddy: one file to import into a site block, without plugins.

Owns `pybuild.caddy`. Works from 2.6 on. Regex outputs of `map` are not read for placeholders again, so what a
visitor sends never becomes one. Tokens stand in backquotes, where Caddy knows no escapes.
Sources: caddyserver.com/docs/caddyfile: concepts, directives map, vars, route, rewrite, reverse_proxy;
github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from pybuild.artifact import Artifact
from pybuild.config import Config
from pybuild.diagnostics import Diagnostic
from pybuild.rules.destinations import Slot
from pybuild.rules.evaluate import ADDITIVE, NOT_ACCEPTABLE, NOT_FOUND, REFUSED
from pybuild.rules.media import OCTETS, SUFFIX_TYPES
from pybuild.rules.model import Condition, Proxy, Redirect, Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import PathPattern, Text, escape, print_regex, sent_literal
from pybuild.targets import accept
from pybuild.targets.base import (
    ALL_FEATURES,
    Compiled,
    Files,
    Target,
    borrowed_capture,
    rooted,
    sift,
    unsupported,
)
from pybuild.targets.conditions import Conditional, Table
from pybuild.urls import encode

_NOWHERE = "/index.html/none"  # no file can lie below a file
_BACKQUOTE = r"\x60"
Lines = Iterator[str]
Entries = Iterable[tuple[str, str]]


def compile_caddy(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `pybuild.caddy`."""
    kept, findings = sift(rules, _fault)
    lines = _Writer(rooted(kept)).lines(has_404=NOT_FOUND in files)
    artifact = Artifact("pybuild.caddy", "[caddy]", "\n".join(lines).encode())
    return Compiled(deploy=(artifact,), findings=findings)


def _fault(rule: Rule) -> Diagnostic | None:
    values = [pair[1] for pair in rule.headers] if isinstance(rule, SetHeaders) else []
    values += [header.value for header in rule.headers] if isinstance(rule, Proxy) else []
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
    return borrowed_capture("caddy", rule)


def _run_on(before: Text | Slot, after: Text | Slot) -> bool:
    return isinstance(before, Slot) and isinstance(after, Text) and re.match(r"\w", after.text) is not None


def token(text: str) -> str:
    """One word of a Caddyfile in which nothing has a meaning but placeholders."""
    assert "`" not in text and text.isprintable(), "refused before"
    return f"`{text}`" if text else '""'


def regex(text: str) -> str:
    """A key of `map` that is a regex; a backquote is written by its number."""
    return token("~" + text.replace("`", _BACKQUOTE))


def value(text: str) -> str:
    """Literal text for the output of a regex in `map`."""
    return text.replace("$", "$$")


class _Writer:
    """Prints the file of one site; its placeholders, variables and matchers begin with `pb_`."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.table = Table.of(rules)

    def map(self, source: str, name: str, entries: Entries, default: str = "") -> Lines:
        """One map; keys are regexes, outputs are templates of captures."""
        yield f"map {token(source)} {{pb_{name}}} {{"
        for key, output in entries:
            yield f"  {regex(key)} {token(output)}"
        yield f"  default {token(default)}"
        yield "}"

    def lines(self, *, has_404: bool) -> list[str]:
        asks = self.rules.negotiation != "off" or self.table.asks_accept
        return [
            "# Import this in the site block, below its root. Written by pybuild; edit pybuild.toml.",
            "route {",
            *self._paths(),
            *(self._representation() if asks else ()),
            *self._conditions(),
            *self._headers(),
            *self._redirects(),
            *self._files(),
            *self._slash(),
            *self._proxies(),
            "@pb_method not method GET HEAD",
            'respond @pb_method "405" 405',
            *(self._choose() if self.rules.negotiation != "off" else ()),
            *(self._canonical() if self.rules.variants else ()),
            *self._types(),
            *self._send(has_404=has_404),
            "}",
            "",
        ]

    def _paths(self) -> Lines:
        base, uri = self.rules.base, "{http.request.orig_uri}"
        sent = sent_literal(base)
        yield from self.map(uri, "raw", [(r"^([^?]*)", "${1}")])
        yield f"@pb_refused expression `{{pb_raw}}.matches({_cel('(?i)' + REFUSED)})`"
        yield 'respond @pb_refused "400" 400'
        yield from self.map(uri, "sent", [(rf"^{sent}(/[^?]*)", "${1}"), (rf"^{sent}(?:\?|$)", "/")])
        path = [(f"(?s)^{escape(base)}(/.*)$", "${1}"), (f"^{escape(base)}$", "/")]
        yield from self.map("{http.request.orig_uri.path}", "path", path)
        yield '@pb_outside expression `{pb_sent} == "" || {pb_path} == ""`'
        yield 'respond @pb_outside "404" 404'
        yield from self.map(uri, "q", [(r"(\?.+)$", "${1}")])
        yield from self.map(uri, "amp", [(r"\?(.+)$", "&${1}")])
        yield from self.map(
            "{pb_sent}", "slashless", [("^(/|/[^/].*?[^/]|/[^/])/*$", value(encode(base)) + "${1}")]
        )

    def _representation(self) -> Lines:
        yield from self.map(
            "{http.request.header.Accept}", "acc", [('"', "")], "{http.request.header.Accept}"
        )
        yield from self.map("{pb_acc}", "valid", [(f"(?i){accept.valid()}", "1")], "0")
        for name, media in accept.RANGES.items():
            fraction = accept.fraction(media, "(?P<f>")
            entries = [(f"(?i){accept.full(media)}", "1.0"), (f"(?i){fraction}", "0.${f}0")]
            yield from self.map("{pb_acc}", "x" + name, entries)
        for name in ("md", "html"):
            specific = [(r"^([^|]+)", "${1}"), (r"^\|([^|]+)", "${1}"), (r"^\|\|(.+)", "${1}")]
            yield from self.map(f"{{pb_x{name}}}|{{pb_xtext}}|{{pb_xany}}", name, specific, "0.0")
        md, html = "double({pb_md})", "double({pb_html})"
        yield "vars pb_rep html"
        yield f'@pb_rnone expression `{{pb_valid}} == "1" && {md} == 0.0 && {html} == 0.0`'
        yield "vars @pb_rnone pb_rep none"
        tie = f'{md} > 0.0 && {md} == {html} && {{pb_xmd}} != ""'
        yield f'@pb_rmd expression `{{pb_valid}} == "1" && ({md} > {html} || ({tie}))`'
        yield "vars @pb_rmd pb_rep md"

    def _conditions(self) -> Lines:
        for index, condition in enumerate(self.table.conditions):
            source, fetch = self._fetched(condition)
            if fetch:
                yield from self.map(source, f"v{index}", [(fetch, "${1}")])
                source = f"{{pb_v{index}}}"
            yield from self.map(source, f"c{index}", [(self._wanted(condition), "1")], "0")

    def _fetched(self, condition: Condition) -> tuple[str, str]:
        """The placeholder a condition's value is in, and a regex that takes it out of a longer one."""
        name = escape(condition.key)
        if condition.type == "cookie":
            return "{http.request.header.Cookie}", f"^(?:[^;]*;)*?[ ]*{name}=([^;]*)"
        if condition.type == "query":
            return "{http.request.orig_uri}", rf"^[^?]*\?(?:[^&]*&)*?{name}=([^&]*)"
        if condition.type == "accept":
            return "{http.vars.pb_rep}", ""
        return (
            "{http.request.host}" if condition.type == "host" else f"{{http.request.header.{condition.key}}}"
        ), ""

    def _wanted(self, condition: Condition) -> str:
        if condition.type == "accept":
            return {"text/markdown": "^md$", "text/html": "^html$"}[condition.key]
        flag = "(?i)" if condition.type == "host" else ""
        if not condition.value:
            return "."
        text = condition.value.replace("(?<", "(?P<")
        return f"{flag}^(?:{text})$"

    def key(self, rest: str) -> str:
        return "".join(f"{{pb_c{index}}}" for index in range(len(self.table.conditions))) + ":" + rest

    def regex(self, rule: Conditional, end: str, *, sent: bool = True) -> str:
        return f"(?s)^{self.table.digits(rule)}:{self.pattern(rule.source, sent=sent)}{end}$"

    def pattern(self, source: PathPattern, *, sent: bool) -> str:
        order = {param.name: index for index, param in enumerate(source.params, 1)}
        return (
            print_regex(
                source,
                literal=sent_literal if sent else escape,
                group=lambda param: f"(?P<p{order[param.name]}>{param.value_regex})",
                around=lambda param: f"(?P<s{order[param.name]}>",
            )
            + "/?"
        )

    def filled(self, rule: Conditional, parts: Iterable[Text | Slot], *, sent: bool) -> str:
        order = {param.name: index for index, param in enumerate(rule.source.params, 1)}

        def one(part: Text | Slot) -> str:
            if isinstance(part, Slot):
                return f"${{{'s' if part.prefix else 'p'}{order[part.name]}}}"
            return value(encode(part.text) if sent else part.text)

        return "".join(one(part) for part in parts)

    def _query(self, rule: Redirect | Proxy) -> str:
        """The query of a destination with the visitor's behind it."""
        own = "".join(
            value(part.text) if isinstance(part, Text) else self.filled(rule, (part,), sent=True)
            for part in rule.destination.query
        )
        return f"?{own}${{amp}}" if own else "${q}"

    def _headers(self) -> Lines:
        names = {name.lower(): name for rule in self.rules.headers for name, _ in rule.headers}
        for index, key in enumerate(sorted(set(names) - ADDITIVE)):
            entries = [
                (self.regex(rule, ""), value(text))
                for rule in reversed(self.rules.headers)
                for name, text in reversed(rule.headers)
                if name.lower() == key
            ]
            yield from self._header(f"h{index}", names[key], entries)
        added = [
            (name, (self.regex(rule, ""), value(text)))
            for rule in self.rules.headers
            for name, text in rule.headers
            if name.lower() in ADDITIVE
        ]
        for index, (name, entry) in enumerate(added):
            yield from self._header(f"a{index}", f"+{name}", [entry])

    def _header(self, key: str, name: str, entries: Entries) -> Lines:
        yield from self.map(self.key("{pb_sent}"), key, entries)
        yield f'@pb_{key} expression `{{pb_{key}}} != ""`'
        yield f"header @pb_{key} {name} {{pb_{key}}}"

    def _redirects(self) -> Lines:
        """One map finds the first redirect and its status; a second takes the status off."""
        source = self.key("{pb_sent} {pb_q} {pb_amp}")
        end = r" (?P<q>\S*) (?P<amp>\S*)"
        entries = [(self.regex(rule, end), self._location(rule)) for rule in self.rules.redirects]
        yield from self.map(source, "go", entries)
        for status in sorted({rule.status for rule in self.rules.redirects}):
            yield from self.map("{pb_go}", f"go{status}", [(f"^{status} (.*)$", "${1}")])
            yield f'@pb_go{status} expression `{{pb_go{status}}} != ""`'
            yield f"redir @pb_go{status} {{pb_go{status}}} {status}"

    def _location(self, rule: Redirect) -> str:
        to = rule.destination
        path = value(to.origin or encode(self.rules.base)) + self.filled(rule, to.path, sent=True)
        return f"{rule.status} {path}{self._query(rule)}{value('#' + to.fragment) if to.fragment else ''}"

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
        yield from self._which_proxy()
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

    def _proxies(self) -> Lines:
        for index, rule in enumerate(self.rules.proxies):
            yield from self._proxy(index, rule)

    def _proxy(self, index: int, rule: Proxy) -> Lines:
        # Braces would name a placeholder there; `_fault` refuses what "$p1" alone would misread.
        to = re.sub(r"\$\{([ps][0-9]+)\}", r"$\1", self.filled(rule, rule.destination.path, sent=True))
        pattern = f"(?s)^{sent_literal(self.rules.base)}{self.pattern(rule.source, sent=True)}$"
        free = '({http.vars.pb_final} == "" || !({http.request.method} in ["GET", "HEAD"]))'
        yield f'@pb_proxy{index} expression `{{pb_proxy}} == "p{index}" && {free}`'
        yield f"handle @pb_proxy{index} {{"
        yield f"  @pb_methods{index} not method {' '.join(rule.methods)}"
        yield f'  respond @pb_methods{index} "405" 405'
        yield f"  uri path_regexp {token(pattern.replace('`', _BACKQUOTE))} {token(to)}"
        yield from self._proxy_query(index, rule)
        yield f"  reverse_proxy {rule.destination.origin} {{"
        yield f"    header_up Host {token(rule.destination.origin.partition('://')[2])}"
        sent = {header.name.lower() for header in rule.headers}
        yield from (
            f"    header_up -{name}" for name in ("Authorization", "Cookie") if name.lower() not in sent
        )
        for header in rule.headers:
            text = f"{{env.{header.env}}}" if header.env else _braced(header.value)
            yield f"    header_up {header.name} {token(text)}"
        yield "    header_down -Set-Cookie"
        yield "  }"
        yield "}"

    def _proxy_query(self, index: int, rule: Proxy) -> Lines:
        own = "".join(part.text for part in rule.destination.query if isinstance(part, Text))
        if own:
            yield f'  @pb_asked{index} expression `{{pb_q}} != ""`'
            yield f"  rewrite @pb_asked{index} {token('?' + own + '&{http.request.uri.query}')}"
            yield f'  @pb_unasked{index} expression `{{pb_q}} == ""`'
            yield f"  rewrite @pb_unasked{index} {token('?' + own)}"

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
        yield "  rewrite * {http.vars.pb_final}"
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


def _braced(text: str) -> str:
    """Text for a place where braces would name a placeholder."""
    return text.replace("{", "\\{").replace("}", "\\}")


def _cel(text: str) -> str:
    """A string of the Common Expression Language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


TARGET = Target("caddy", "Caddy", ALL_FEATURES, compile_caddy, {})
