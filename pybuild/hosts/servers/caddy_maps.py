"""Caddy: the syntax of its tokens, and the maps that decide before any file is looked at.

Owns the placeholders of a site. Tokens stand in backquotes, where a Caddyfile knows no escapes.
Sources: caddyserver.com/docs/caddyfile/concepts, directives map and vars; github.com/google/re2/wiki/Syntax.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pybuild.hosts.accept_regex as accept
from pybuild.hosts.base import Conditional, Table
from pybuild.rules.evaluate import ADDITIVE, REFUSED
from pybuild.rules.model import Condition, Proxy, Redirect, RuleSet
from pybuild.rules.patterns import PathPattern, Slot, Text, escape, print_regex, sent_literal
from pybuild.urls import encode

BACKQUOTE = r"\x60"
Lines = Iterator[str]
Entries = Iterable[tuple[str, str]]


def token(text: str) -> str:
    """One word of a Caddyfile in which nothing has a meaning but placeholders."""
    assert "`" not in text and text.isprintable(), "refused before"
    return f"`{text}`" if text else '""'


def regex(text: str) -> str:
    """A key of `map` that is a regex; a backquote is written by its number."""
    return token("~" + text.replace("`", BACKQUOTE))


def value(text: str) -> str:
    """Literal text for the output of a regex in `map`."""
    return text.replace("$", "$$")


def braced(text: str) -> str:
    """Text for a place where braces would name a placeholder."""
    return text.replace("{", "\\{").replace("}", "\\}")


def cel(text: str) -> str:
    """A string of the Common Expression Language."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Maps:
    """Prints the maps of one site; their placeholders, variables and matchers begin with `pb_`."""

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

    def _paths(self) -> Lines:
        base, uri = self.rules.base, "{http.request.orig_uri}"
        sent = sent_literal(base)
        yield from self.map(uri, "raw", [(r"^([^?]*)", "${1}")])
        yield f"@pb_refused expression `{{pb_raw}}.matches({cel('(?i)' + REFUSED)})`"
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
            # the placeholder a condition's value is in, and a regex that takes it out of a longer one
            name = escape(condition.key)
            if condition.type == "cookie":
                source, fetch = "{http.request.header.Cookie}", f"^(?:[^;]*;)*?[ ]*{name}=([^;]*)"
            elif condition.type == "query":
                source, fetch = "{http.request.orig_uri}", rf"^[^?]*\?(?:[^&]*&)*?{name}=([^&]*)"
            elif condition.type == "accept":
                source, fetch = "{http.vars.pb_rep}", ""
            elif condition.type == "host":
                source, fetch = "{http.request.host}", ""
            else:
                source, fetch = f"{{http.request.header.{condition.key}}}", ""
            if fetch:
                yield from self.map(source, f"v{index}", [(fetch, "${1}")])
                source = f"{{pb_v{index}}}"
            yield from self.map(source, f"c{index}", [(self._wanted(condition), "1")], "0")

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

    def query(self, rule: Redirect | Proxy) -> str:
        """The query of a destination with the visitor's behind it."""
        own = "".join(
            value(part.text) if isinstance(part, Text) else self.filled(rule, (part,), sent=True)
            for part in rule.destination.query
        )
        return f"?{own}${{amp}}" if own else "${q}"

    def header_names(self) -> list[str]:
        """The names of headers that rules set, in lower case, in the order of their maps."""
        return sorted({name.lower() for rule in self.rules.headers for name, _ in rule.headers} - ADDITIVE)

    def _headers(self) -> Lines:
        names = {name.lower(): name for rule in self.rules.headers for name, _ in rule.headers}
        for index, key in enumerate(self.header_names()):
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
