"""HAProxy: the maps of regexes that decide before any file is named.

Owns the lines of map files: a regex without blanks, and a value in which `\\1` is what it took.
Sources: docs.haproxy.org, configuration manual, "map_regm" and "http-request set-map".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pybuild.hosts.accept_regex as accept
from pybuild.hosts.base import Conditional, Table
from pybuild.rules.evaluate import ADDITIVE, REFUSED
from pybuild.rules.media_types import OCTETS, SUFFIX_TYPES
from pybuild.rules.model import Proxy, Redirect, RuleSet, SetHeaders
from pybuild.rules.patterns import PathPattern, Slot, Text, escape, print_regex, sent_literal
from pybuild.urls import encode

GROUPS = 7  # of the nine, two hold the query
_ESCAPES = "%(?![0-9A-Fa-f]{2})"
Lines = Iterator[str]


def line(regex: str, value: str) -> str:
    """One line of a map."""
    assert (regex + value).isprintable(), "control characters are refused before rules are compiled"
    return f"{regex.replace(' ', _BLANK)} {value}"


_BLANK = r"\x20"


def plain(text: str) -> str:
    """Literal text for a value."""
    return text.replace("\\", "\\\\")


def takes_query(rule: Redirect | Proxy) -> bool:
    """Whether a value of the path goes into the query of the destination."""
    return any(isinstance(part, Slot) for part in rule.destination.query)


class Maps:
    """Prints the maps of one site; variables are of the transaction."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.table = Table.of(rules)

    def path(self, name: str) -> str:
        return '"${PYBUILD_MAPS}"/' + name

    def file(self, name: str) -> str:
        return f'"${{PYBUILD_MAPS}}/{name}"'

    def take(self, variable: str, source: str, name: str, default: str | None = None) -> str:
        """Set a variable to what the first matching line of a map says."""
        otherwise = "" if default is None else f",{default}" if default else ',""'
        return f"http-request set-var(txn.{variable}) {source},map_regm({self.path(name)}{otherwise})"

    def digits(self) -> str:
        return "".join(f"%[var(txn.c{index})]" for index in range(len(self.table.conditions)))

    def maps(self) -> dict[str, list[str]]:
        """The lines of every map by its file."""
        base = sent_literal(self.rules.base)
        made = {
            "refused.lst": [f"{REFUSED}|{_ESCAPES}"],
            "base.map": [line(f"^{base}(/.*)$", r"\1"), line(f"^{base}$", "/")],
            "q.map": [line("^(.+)$", r"?\1")],
            "amp.map": [line("^(.+)$", r"&\1")],
            "go.map": [
                line(self.regex(rule, self._end(rule), sent=True), self._location(rule))
                for rule in self.rules.redirects
            ],
            "rewrites.map": [
                line(self.regex(rule, "", sent=False), self.filled(rule, rule.destination.path, sent=False))
                for rule in self.rules.rewrites
            ],
            "proxy.map": [
                line(self.regex(rule, "", sent=True), f"p{index}")
                for index, rule in enumerate(self.rules.proxies)
            ],
            "types.map": list(self._types()),
            "methods.map": [line("^(.+), OPTIONS$", r"\1")],
        }
        return made | self._accept_maps() | self._condition_maps() | self._header_maps() | self._proxy_maps()

    def _end(self, rule: Redirect | Proxy) -> str:
        """What follows the path: the query twice, and the path with the signs of a query encoded."""
        last = self.pattern(rule.source, sent=True) if takes_query(rule) else r"\S*"
        return rf"\x20(\S*)\x20(\S*)\x20{last}"

    def _types(self) -> Lines:
        for rule in self.rules.types:
            yield line(f"^{self.pattern(rule.source, sent=True)}$", plain(rule.media_type))
        yield from (line(rf"(?i)\.{suffix}$", media) for suffix, media in SUFFIX_TYPES.items())
        yield line("^", OCTETS)

    def _accept_maps(self) -> dict[str, list[str]]:
        made = {"valid.map": [line(accept.valid(), "1")]}
        for name, media in accept.RANGES.items():
            below = line(accept.fraction(media, "("), r"0\1000")
            made[f"x{name}.map"] = [line(accept.full(media), "1000"), below]
        made["weight.map"] = [line(rf"^{bars}([0-9]{{4}})", r"\1") for bars in ("", r"\|", r"\|\|")]
        made["rep.map"] = [
            line("^0:", "html"),
            line("^1:0000:0000:", "none"),
            line(r"^1:([0-9]{4}):\1:[0-9]", "md"),
            line(accept.greater("^1:", ":"), "md"),
            line("^", "html"),
        ]
        return made

    def representation(self) -> Lines:
        fields = ",".join(f"%[req.fhdr(accept,{number})]" for number in (1, 2, 3))
        yield f'http-request set-var-fmt(txn.acc) "{fields}"'
        yield "http-request set-var(txn.acc) var(txn.acc),lower"
        yield "http-request set-var(txn.acc) str(-) if { var(txn.acc) -m sub '\"' }"
        yield self.take("valid", "var(txn.acc)", "valid.map", "0")
        for name in accept.RANGES:
            yield self.take(f"x{name}", "var(txn.acc)", f"x{name}.map", "")
        for name in ("md", "html"):
            yield f'http-request set-var-fmt(txn.k) "%[var(txn.x{name})]|%[var(txn.xtext)]|%[var(txn.xany)]"'
            yield self.take(name, "var(txn.k)", "weight.map", "0000")
        names = ":".join(f"%[var(txn.{name})]" for name in ("valid", "md", "html", "xmd"))
        yield f'http-request set-var-fmt(txn.k) "{names}"'
        yield self.take("rep", "var(txn.k)", "rep.map")

    def conditions(self) -> Lines:
        for index, condition in enumerate(self.table.conditions):
            source = {
                "header": "",  # its lines are joined below
                "cookie": "req.fhdr(cookie)",
                "query": "query",
                "host": "req.hdr(host),lower,regsub(:[0-9]*$,)",
                "accept": "var(txn.rep)",
            }[condition.type]
            if condition.type in {"cookie", "query"}:
                yield self.take(f"v{index}", source, f"v{index}.map", "")
                source = f"var(txn.v{index})"
            if condition.type == "header":
                name = condition.key
                yield f"http-request set-var(txn.v{index}) req.fhdr({name},1)"
                for count in (2, 3):  # the lines of a header as one, as far as the third
                    lines = ", ".join(f"%[req.fhdr({name},{number})]" for number in range(1, count + 1))
                    yield f'http-request set-var-fmt(txn.v{index}) "{lines}" if {{ req.fhdr_cnt({name}) ge {count} }}'
                source = f"var(txn.v{index})"
            yield f"http-request set-var(txn.c{index}) str(0)"
            yield self.take(f"c{index}", source, f"c{index}.map", "0")
            yield f"http-request set-var(txn.c{index}) str(0) unless {{ var(txn.c{index}) -m str 1 }}"
        yield f'http-request set-var-fmt(txn.key) "{self.digits()}:%[var(txn.sent)]"'

    def _condition_maps(self) -> dict[str, list[str]]:
        made: dict[str, list[str]] = {}
        for index, condition in enumerate(self.table.conditions):
            name = escape(condition.key)
            if condition.type == "cookie":
                made[f"v{index}.map"] = [line(rf"^(?:[^;]*;)*?\x20*{name}=([^;]*)", r"\1")]
            if condition.type == "query":
                made[f"v{index}.map"] = [line(f"^(?:[^&]*&)*?{name}=([^&]*)", r"\1")]
            wanted = {"text/markdown": "md", "text/html": "html"}.get(condition.key, condition.value)
            value = wanted if condition.type == "accept" else condition.value
            made[f"c{index}.map"] = [line(f"^(?=.)(?:{value or '.*'})$", "1")]
        return made

    def header_names(self) -> list[str]:
        names = {name.lower(): name for rule in self.rules.headers for name, _ in rule.headers}
        return [names[key] for key in sorted(names) if key not in ADDITIVE]

    def added(self) -> list[tuple[str, SetHeaders, str]]:
        return [
            (name, rule, value)
            for rule in self.rules.headers
            for name, value in rule.headers
            if name.lower() in ADDITIVE
        ]

    def _header_maps(self) -> dict[str, list[str]]:
        """One map for each name, its last rule first; for a name whose values add up, one for each rule."""
        made: dict[str, list[str]] = {}
        for index, name in enumerate(self.header_names()):
            made[f"h{index}.map"] = [
                line(self.regex(rule, "", sent=True), plain(value))
                for rule in reversed(self.rules.headers)
                for key, value in reversed(rule.headers)
                if key.lower() == name.lower()
            ]
        for index, (_, rule, value) in enumerate(self.added()):
            made[f"a{index}.map"] = [line(self.regex(rule, "", sent=True), plain(value))]
        return made

    def _proxy_maps(self) -> dict[str, list[str]]:
        made: dict[str, list[str]] = {}
        for index, rule in enumerate(self.rules.proxies):
            pattern = f"^{self.pattern(rule.source, sent=True)}{self._end(rule)}$"
            to = self.filled(rule, rule.destination.path, sent=True) + self._query(rule)
            made[f"to{index}.map"] = [line(pattern, to)]
            for number, header in enumerate(rule.headers):
                if not header.env:
                    made[f"s{index}x{number}.map"] = [line("^", plain(header.value))]
        return made

    def regex(self, rule: Conditional, end: str, *, sent: bool) -> str:
        return f"^{self.table.digits(rule)}:{self.pattern(rule.source, sent=sent)}{end}$"

    def pattern(self, source: PathPattern, *, sent: bool) -> str:
        literal = sent_literal if sent else escape
        return print_regex(source, literal=literal, around=lambda _: "(") + "/?"

    def _numbers(self, source: PathPattern) -> dict[tuple[str, bool], int]:
        numbers: dict[tuple[str, bool], int] = {}
        for param in source.params:
            for outer in (True, False) if param.is_optional else (False,):
                numbers[param.name, outer] = len(numbers) + 1
        return numbers

    def filled(self, rule: Conditional, parts: Iterable[Text | Slot], *, sent: bool) -> str:
        numbers = self._numbers(rule.source)

        def one(part: Text | Slot) -> str:
            if isinstance(part, Slot):
                return f"\\{numbers[part.name, bool(part.prefix)]}"
            return plain(encode(part.text) if sent else part.text)

        return "".join(one(part) for part in parts)

    def _query(self, rule: Redirect | Proxy) -> str:
        """The query of a destination with the visitor's behind it, which the last two groups hold."""
        numbers = self._numbers(rule.source)
        last = len(numbers)
        own = "".join(
            plain(part.text) if isinstance(part, Text) else f"\\{last + 2 + numbers[part.name, False]}"
            for part in rule.destination.query
        )
        return f"?{own}\\{last + 2}" if own else f"\\{last + 1}"

    def _location(self, rule: Redirect) -> str:
        to = rule.destination
        path = plain(to.origin or encode(self.rules.base)) + self.filled(rule, to.path, sent=True)
        return f"{rule.status} {path}{self._query(rule)}{plain('#' + to.fragment) if to.fragment else ''}"
