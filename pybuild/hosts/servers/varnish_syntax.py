"""Varnish: what is decided of a request before any file is asked for, in VCL.

Owns how texts and regexes are spelled, weights of Accept, conditions, redirects, rewrites, proxies, headers. What
is known of a request is in headers named `pb-…`, which go neither to a backend nor to a visitor.
Sources: varnish-cache.org, vcl(7), vmod_std(3), vmod_blob(3); pcre2pattern(3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

import pybuild.hosts.accept_regex as accept
from pybuild.hosts.base import Conditional, Table
from pybuild.rules.evaluate import ADDITIVE
from pybuild.rules.model import Condition, Proxy, Redirect, RuleSet
from pybuild.rules.patterns import (
    QUERY_SIGNS,
    Param,
    PathPattern,
    Slot,
    Text,
    escape,
    print_regex,
    sent_literal,
)
from pybuild.urls import encode

Lines = Iterator[str]
# Every name; the table of rules and the subroutines of `varnish` say what each holds.
KEPT = (
    *("acc", "any", "file", "go", "html", "key", "late", "link", "md", "method", "neg", "options", "own"),
    *("page", "proxy", "q", "rep", "sent", "step", "text", "to", "up", "url", "value"),
)
_UNRESERVED = "/:@!$&'()*+,;="  # left as they are by `encode`, but not by Varnish


def quoted(text: str) -> str:
    """An expression for any text: VCL has no escapes, so a quote is a string of its own."""
    assert text.isprintable(), "control characters are refused before rules are compiled"
    return ' + {"""} + '.join(f'"{part}"' for part in text.split('"'))


def regex(text: str) -> str:
    """A regex as one string: a quote, escaped or not, is spelled by its number."""
    assert text.isprintable(), "control characters are refused before rules are compiled"
    spelled = re.sub(r'\\"|(\\.)|"', lambda found: found[1] or r"\x22", text)
    return f'"{spelled}"'


def header(of: str, name: str) -> str:
    """A header whose name may hold signs that mean something to VCL: `resp.http."X.Y"`."""
    return f'{of}.http."{name}"'


def var(name: str) -> str:
    """A name of `KEPT`."""
    return f"req.http.pb-{name}"


def when(test: str, *then: str) -> Lines:
    yield f"if ({test}) {{"
    yield from (f"  {line}" for line in then)
    yield "}"


def sub(name: str, lines: Iterable[str]) -> Lines:
    yield f"sub {name} {{"
    yield from (f"  {line}" for line in lines)
    yield "}"


class Checks:
    """Prints the subroutines that look at a request alone."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.table = Table.of(rules)

    def whole(self, rule: Conditional, taken: Slot | None = None, *, sent: bool = True) -> str:
        """The regex of a rule over the digits of all conditions and the path; one group, for what is taken."""
        return f"^{self.table.digits(rule)}:{self.pattern(rule.source, taken, sent=sent)}$"

    def pattern(self, source: PathPattern, taken: Slot | None = None, *, sent: bool) -> str:
        def opens(wanted: bool) -> Callable[[Param], str]:
            return lambda param: (
                "(" if taken and (param.name, bool(taken.prefix)) == (taken.name, wanted) else "(?:"
            )

        return (
            print_regex(
                source,
                literal=sent_literal if sent else escape,
                group=lambda param: f"{opens(False)(param)}{param.value_regex})",
                around=opens(True),
            )
            + "/?"
        )

    def filled(self, rule: Conditional, parts: Iterable[Text | Slot], *, sent: bool = True) -> list[str]:
        """Expressions that together are a part of a destination."""
        name = "key" if sent else "url"

        def one(part: Text | Slot) -> str:
            if isinstance(part, Slot):
                return f'regsub({var(name)}, {regex(self.whole(rule, part, sent=sent))}, "\\1")'
            return quoted(encode(part.text) if sent else part.text)

        return [one(part) for part in parts]

    def _query(self, rule: Redirect | Proxy) -> list[str]:
        """The query of a destination with the visitor's behind it."""
        if not rule.destination.query:
            return [var("q")]
        own = (
            quoted(part.text) if isinstance(part, Text) else for_query(self.filled(rule, (part,))[0])
            for part in rule.destination.query
        )
        return ['"?"', *own, f'regsub({var("q")}, "^\\?", "&")']

    def representation(self) -> Lines:
        """`rep`: which of the two an Accept field asks for: html, md or none."""
        yield "std.collect(req.http.Accept);"
        yield f"set {var('acc')} = std.tolower(req.http.Accept);"
        yield from when(f"{var('acc')} ~ {regex(chr(34))}", f'set {var("acc")} = "";')
        for name, media in accept.RANGES.items():
            below = accept.fraction(media, "(")
            taken = f'regsub({var("acc")}, {regex(f"^.*?(?:{below}).*$")}, "\\1")'
            yield f'set {var(name)} = "";'
            yield from when(f"{var('acc')} ~ {regex(accept.full(media))}", f'set {var(name)} = "1.0";')
            yield from when(
                f'{var(name)} == "" && {var("acc")} ~ {regex(below)}',
                f'set {var(name)} = "0." + {taken} + "0";',
            )
        for name in ("md", "html"):
            best = f'regsub({var(name)} + "|" + {var("text")} + "|" + {var("any")} + "|0", "^[|]*([0-9.]+).*$", "\\1")'
            yield from when(f'{var(name)} != ""', f'set {var("own")} = "{name}" + {var("own")};')
            yield f"set {var(name)} = {best};"
        yield f'set {var("rep")} = "html";'
        md, html = (f"std.real({var(name)}, 0.0)" for name in ("md", "html"))
        yield from when(
            f"{var('acc')} ~ {regex(accept.valid())}",
            *when(f"{md} == 0.0 && {html} == 0.0", f'set {var("rep")} = "none";'),
            *when(
                f'{md} > {html} || ({md} == {html} && {md} > 0.0 && {var("own")} ~ "md")',
                f'set {var("rep")} = "md";',
            ),
        )

    def conditions(self) -> Lines:
        """`key` and `url`: a digit for each condition, then the path as sent, and decoded."""
        yield f'set {var("key")} = "";'
        for condition in self.table.conditions:
            yield from self._value(condition)
            wanted = {"text/markdown": "md", "text/html": "html"}.get(condition.key, "")
            value = wanted if condition.type == "accept" else condition.value
            whole = f"^(?=.)(?:{value or '.*'})$"
            yield from when(
                f"{var('value')} ~ {regex(whole)}",
                f'set {var("key")} = {var("key")} + "1";',
            )
            yield f'else {{ set {var("key")} = {var("key")} + "0"; }}'
        yield f'set {var("url")} = {var("key")} + ":" + {var("url")};'
        yield f'set {var("key")} = {var("key")} + ":" + {var("sent")};'

    def _value(self, condition: Condition) -> Lines:
        value, name = var("value"), escape(condition.key)
        if condition.type == "header":
            field = header("req", condition.key)
            yield f'std.collect({field}, ", ");'
            yield f"set {value} = {field};"
        elif condition.type == "host":
            yield f'set {value} = std.tolower(regsub(req.http.Host, ":[0-9]*$", ""));'
        elif condition.type == "accept":
            yield f"set {value} = {var('rep')};"
        else:
            is_cookie = condition.type == "cookie"
            source, found = (
                ("req.http.Cookie", rf"^(?:[^;]*;)*?[ \t]*{name}=([^;]*)")
                if is_cookie
                else (var("q"), rf"^\?(?:[^&]*&)*?{name}=([^&]*)")
            )
            if is_cookie:
                yield 'std.collect(req.http.Cookie, "; ");'
            yield f'set {value} = "";'
            taken = f'regsub({source}, {regex(found + ".*$")}, "\\1")'
            yield from when(f"{source} ~ {regex(found)}", f"set {value} = {taken};")

    def redirects(self) -> Lines:
        for rule in self.rules.redirects:
            to = rule.destination
            start = quoted(to.origin or encode(self.rules.base))
            end = [quoted("#" + to.fragment)] if to.fragment else []
            place = " + ".join([start, *self.filled(rule, to.path), *self._query(rule), *end])
            yield from when(
                f"{var('key')} ~ {regex(self.whole(rule))}",
                f"set {var('go')} = {place};",
                f"return (synth({rule.status}));",
            )

    def rewrites(self) -> Lines:
        """`to`: the decoded path of the file that is wanted."""
        yield f'set {var("to")} = regsub({var("url")}, "^[01]*:", "");'
        for number, rule in enumerate(self.rules.rewrites):
            place = " + ".join(self.filled(rule, rule.destination.path, sent=False))
            test = f"{var('url')} ~ {regex(self.whole(rule, sent=False))}"
            yield from self._branch(number, test, f'set {var("to")} = "" + {place};')

    def proxies(self) -> Lines:
        """`proxy`: the number of the first that matches; `up`: what it is asked."""
        for number, rule in enumerate(self.rules.proxies):
            up = " + ".join([*self.filled(rule, rule.destination.path), *self._query(rule)])
            then = (f'set {var("proxy")} = "{number}";', f"set {var('up')} = {up};")
            yield from self._branch(number, f"{var('key')} ~ {regex(self.whole(rule))}", *then)

    def _branch(self, number: int, test: str, *then: str) -> Lines:
        first, *rest = when(test, *then)
        yield f"else {first}" if number else first
        yield from rest

    def headers(self) -> Lines:
        """Headers for whatever answers: the later of one name wins, but the members of Vary and Link add up."""
        yield from (f"std.collect(resp.http.{name});" for name in ("Vary", "Link"))
        for rule in self.rules.headers:
            lines = (
                line
                for name, value in rule.headers
                for line in (
                    added(name, value)
                    if name.lower() in ADDITIVE
                    else (f"set {header('resp', name)} = {quoted(value)};",)
                )
            )
            yield from when(f"{var('key')} ~ {regex(self.whole(rule))}", *lines)


def added(name: str, value: str) -> Lines:
    """Add each member of a list that is not there yet."""
    for member in filter(None, (one.strip() for one in value.split(","))):
        field = header("resp", name)
        there = f"(?i)(?:^|,)[ \\t]*{escape(member)}[ \\t]*(?:,|$)"
        yield from when(f'!{field} || {field} == ""', f"set {field} = {quoted(member)};")
        yield from (f"else {line}" if not index else line for index, line in enumerate(
            when(f"{field} !~ {regex(there)}", f'set {field} = {field} + ", " + {quoted(member)};')
        ))  # fmt: skip


def encoded(expression: str) -> str:
    """An expression that encodes a decoded path as `urls.encode` does."""
    made = f"blob.transcode(encoding=URL, case=UPPER, encoded={expression})"
    for char in _UNRESERVED:
        made = f'regsuball({made}, "%{ord(char):02X}", "{char}")'
    return made


def for_query(expression: str) -> str:
    """An expression that encodes a value of a path as a part of a query."""
    for sign in QUERY_SIGNS:
        expression = f'regsuball({expression}, "[{sign}]", "%{ord(sign):02X}")'
    return expression


def decoded(expression: str) -> str:
    """An expression that decodes a path; control characters, which no header can hold, become "?"."""
    return f'regsuball(blob.transcode(decoding=URL, encoded={expression}), "[\\x00-\\x1f\\x7f]", "?")'
