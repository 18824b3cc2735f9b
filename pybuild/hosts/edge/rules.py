"""The rules as data for hosts that run code, and the JavaScript that reads them.

Owns the shape of that data, which `route.js` beside this file wants, and the choice of folders whose files need no code,
so that nobody pays for a function there. No text of a site is ever spliced into code; it is in one JSON literal. Where
a host cannot look for a file, the data says what a URL stands for: a few exceptions, since all other URLs follow from
their suffix. Knows no host. Source: `rules.evaluate`, whose answers `route.js` gives; docs/rules.md, "Order".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files as package_files

from pybuild.records import File, Files, Headers
from pybuild.rules.evaluate import (
    ADDITIVE,
    ALLOW_ORIGIN,
    NOT_ACCEPTABLE,
    NOT_FOUND,
    join_list,
    page_of,
    variant_of,
)
from pybuild.rules.media_types import OCTETS, same_type, suffix, type_of
from pybuild.rules.model import Condition, Proxy, Redirect, Rewrite, Rule, RuleSet, SetHeaders, allowed
from pybuild.rules.negotiate import javascript
from pybuild.rules.patterns import Destination, Slot, Text, escape, print_regex, sent_literal, to_python
from pybuild.urls import encode

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
_SAFE = re.compile(r"[A-Za-z0-9._~/-]*")


def script(rules: RuleSet, files: Files, *names: str) -> str:
    """One JavaScript program: the decision over Accept, the routing, the named files of this package, `PB`."""
    parts = [javascript(), *(javascript_of(name) for name in ("route.js", *names))]
    return "".join((*parts, f"var PB = {to_json(edge_rules(rules, files))};\n"))


def javascript_of(name: str) -> str:
    """The text of a JavaScript file of this package."""
    return package_files(__package__).joinpath(name).read_text(encoding="utf-8")


def to_json(value: Json) -> str:
    """JSON that is also JavaScript, and harmless inside of HTML: ASCII alone, without `<`."""
    return json.dumps(value, separators=(",", ":")).replace("<", "\\u003c")


def edge_rules(rules: RuleSet, files: Files) -> dict[str, Json]:
    """The rules as `route.js` reads them. Paths of files are decoded and start with a slash."""
    page = "HI" if rules.variants and rules.negotiation != "off" else "hi"
    return {
        "base": rules.base,
        "sent": encode(rules.base),
        "site": rules.site,
        "slash": rules.trailing_slash,
        "variants": rules.variants,
        "negotiation": rules.negotiation,
        "page": page,
        "none": NOT_ACCEPTABLE,
        "redirects": [_redirect(rule, rules.base) for rule in rules.redirects],
        "rewrites": [[*_decoded(rule), _parts(rule, rule.destination.path)] for rule in rules.rewrites],
        "proxies": [_proxy(rule) for rule in rules.proxies],
        "headers": [[*_sent(rule), [list(pair) for pair in rule.headers]] for rule in rules.headers],
        "types": [[dotted(print_regex(rule.source)), rule.media_type] for rule in rules.types],
        "suffixes": {name: type_of(f"x.{name}") or OCTETS for name in _suffixes(files)},
        "shapes": [[regex, shape] for regex, shape in _exceptions(rules, files, page)],
    }


def _suffixes(files: Files) -> list[str]:
    return sorted({suffix(path) for path in files} - {""})


def dotted(regex: str) -> str:
    """Let "." match line breaks too, without a flag: `a.b[.]` → `a[\\s\\S]b[.]`."""
    tokens = re.findall(r"\\.|\[\^?(?:\\.|[^\]\\])+\]|.", regex, re.DOTALL)
    return "".join(r"[\s\S]" if token == "." else token for token in tokens)


def _sent(rule: Rule) -> list[Json]:
    """What decides whether a rule applies to a path as it was sent: text it starts with, and a regex."""
    first = rule.source.parts[0] if rule.source.parts else None
    start = _SAFE.match(first.text) if isinstance(first, Text) else None
    return _matcher(rule, start[0] if start else "", print_regex(rule.source, literal=sent_literal))


def _decoded(rule: Rule) -> list[Json]:
    first = rule.source.parts[0] if rule.source.parts else None
    return _matcher(rule, first.text if isinstance(first, Text) else "", print_regex(rule.source))


def _matcher(rule: Rule, start: str, regex: str) -> list[Json]:
    """Text alone, with 0 for the regex, where a source has no parameters."""
    names: list[Json] = [param.name for param in rule.source.params]
    has: list[Json] = [_condition(one) for one in rule.has]
    missing: list[Json] = [_condition(one) for one in rule.missing]
    return [[start, 0 if start == rule.source.literal else dotted(regex)], names, has, missing]


def _condition(condition: Condition) -> list[Json]:
    """Groups go by number, for hosts whose regexes have no names."""
    groups = re.compile(to_python(condition.value)).groupindex
    regex = re.sub(r"(\\.)|\(\?<[A-Za-z_][A-Za-z0-9_]*>", lambda m: m[1] or "(", condition.value)
    numbered: list[Json] = [[name, number] for name, number in sorted(groups.items())]
    key = {"text/markdown": "md", "text/html": "html"}.get(condition.key, condition.key)
    return [condition.type, key, dotted(regex or ".*"), numbered]


def _redirect(rule: Redirect, base: str) -> list[Json]:
    to = rule.destination
    fragment = f"#{to.fragment}" if to.fragment else ""
    return [*_sent(rule), rule.status, to.origin or encode(base), *_address(rule, to), fragment]


def _proxy(rule: Proxy) -> list[Json]:
    to = rule.destination
    headers: list[Json] = [[header.name, header.value, header.env] for header in rule.headers]
    allow: list[Json] = [allowed(rule.methods, read=read) for read in (False, True)]
    return [*_sent(rule), list(rule.methods), to.origin, *_address(rule, to), headers, allow]


def _address(rule: Redirect | Proxy, to: Destination) -> list[Json]:
    encoded = [Text(encode(part.text)) if isinstance(part, Text) else part for part in to.path]
    return [_parts(rule, encoded), _parts(rule, to.query, own=2)]


def _parts(rule: Redirect | Rewrite | Proxy, parts: Iterable[Text | Slot], *, own: int = 0) -> list[Json]:
    """Text, or a slot as [name, prefix, encode]: a value out of a condition was never part of an address."""
    names = {param.name for param in rule.source.params}
    other = 0 if isinstance(rule, Rewrite) else 1
    return [
        part.text
        if isinstance(part, Text)
        else [part.name, part.prefix, own if part.name in names else other]
        for part in parts
    ]


def _exceptions(rules: RuleSet, files: Files, page: str) -> Iterator[tuple[str, str]]:
    """The URLs that stand for another file than their suffix says: (regex, shape), literal ones first."""
    shapes = {**url_shapes(files, twins=page == "HI"), **({"/404": "h"} if rules.trailing_slash else {})}
    suffixes = frozenset(_suffixes(files))
    odd = {url for url, shape in shapes.items() if shape != _usual(rules, url, suffixes, page)}
    groups: dict[str, set[str]] = {}
    for url in shapes:
        if "." not in url.rpartition("/")[2]:
            groups.setdefault(url.rpartition("/")[0], set()).add(url)
    patterns = []
    for folder in sorted({url.rpartition("/")[0] for url in odd}):
        members = groups.get(folder, set())
        if len(members & odd) > 1 and len({shapes[url] for url in members}) == 1:
            patterns.append((f"{escape(folder)}/[^/.]+", shapes[min(members)]))
            odd -= members
    yield from ((escape(url), shapes[url]) for url in sorted(odd))
    yield from patterns


def url_shapes(files: Files, *, twins: bool) -> Mapping[str, str]:
    """What each URL without a slash at its end stands for, "" being the root; letters as in `route.js`."""
    shapes: dict[str, str] = {}
    for path in files:
        for letter, ending in (("i", "/index.html"), ("h", ".html")):
            url = ("/" + path).removesuffix(ending)
            if path != NOT_FOUND and url != "/" + path and shapes.get(url, "i") in "iI":
                shapes[url] = letter.upper() if twins and variant_of(path) in files else letter
    alone = {
        ("/" + path).removesuffix(".md").removesuffix("/index"): "h"
        for path in files
        if path.endswith(".md") and not page_of(path, files)
    }
    return alone | shapes | {"/" + path: _exact_shape(path, page_of(path, files)) for path in files}


def _exact_shape(path: str, page: str | None) -> str:
    if page is None:
        return "f"
    return "q" if page == path.removesuffix(".md") + "/index.html" else "p"


def _usual(rules: RuleSet, url: str, suffixes: frozenset[str], page: str) -> str:
    """What `route.js` takes a URL for when nothing is said of it."""
    said = suffix(url)
    if said not in suffixes:
        return page[(rules.trailing_slash and not url.endswith("/index")) or not url]
    if not url.endswith(".md") or not rules.variants:
        return "f"
    return "q" if rules.trailing_slash and not url.endswith("/index.md") else "p"


DEPTH = 2  # folders below folders are looked at down to here
_PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,90}")  # a folder every host's own patterns can name


@dataclass(frozen=True, slots=True)
class StaticFolder:
    """A folder with the headers of everything in it."""

    folder: str  # relative to the output, without slashes around it
    headers: Headers


def folders_without_rules(rules: RuleSet, files: Files, *, misses: bool) -> tuple[StaticFolder, ...]:
    """Choose folders without pages where no rule does more than add the same headers to each file.

    `misses` says that a request which finds no file there reaches the code anyway. Sorted by folder.
    """
    if rules.base:
        return ()
    below: dict[str, list[File]] = {}
    for path in sorted(files):
        for depth in range(1, min(path.count("/"), DEPTH) + 1):
            below.setdefault("/".join(path.split("/")[:depth]), []).append(files[path])
    found: list[StaticFolder] = []
    for folder, members in sorted(below.items()):
        if not any(folder.startswith(one.folder + "/") for one in found):
            headers = _shared(rules, folder, members, misses)
            found += [StaticFolder(folder, headers)] if headers is not None else []
    return tuple(found)


def _shared(rules: RuleSet, folder: str, members: list[File], misses: bool) -> Headers | None:
    """The headers that all files have, or None where the folder needs code."""
    if not _PLAIN.fullmatch(folder) or any(file.path.endswith((".html", ".md")) for file in members):
        return None
    leading: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites)
    sent = [encode("/" + file.path) for file in members]
    if misses and any(regex.fullmatch(path) for regex in map(_regex, leading) for path in sent):
        return None
    if not misses and any(_reaches(rule, folder) for rule in (*leading, *rules.proxies)):
        return None
    adding = [rule for rule in rules.headers if _reaches(rule, folder)]
    if any(rule.has or rule.missing for rule in adding):
        return None
    sets = {_headers(rules, adding, file) for file in members}
    if any(name.lower() == ALLOW_ORIGIN for headers in sets for name, _ in headers):
        return None  # a browser's preflight must be answered
    return next(iter(sets)) if len(sets) == 1 else None


def _regex(rule: Rule) -> re.Pattern[str]:
    regex = print_regex(rule.source, literal=sent_literal)
    return re.compile(f"{regex}/?", re.ASCII | re.DOTALL)


def _reaches(rule: Rule, folder: str) -> bool:
    """Whether a source may match below a folder, judged by the text it starts with."""
    first = rule.source.parts[0] if rule.source.parts else None
    start = first.text if isinstance(first, Text) else "/"
    return (start + "/").startswith(f"/{folder}/") or f"/{folder}/".startswith(start)


def _headers(rules: RuleSet, adding: list[SetHeaders], file: File) -> Headers:
    url = "/" + file.path
    merged: dict[str, tuple[str, str]] = {}
    said = next((rule.media_type for rule in rules.types if rule.source.match(url) is not None), "")
    if said and not same_type(said, type_of(file.path)):
        merged["content-type"] = ("Content-Type", said)
    for rule in adding:
        if _regex(rule).fullmatch(encode(url)):
            for name, value in rule.headers:
                key = name.lower()
                joined = join_list(merged[key][1], value) if key in ADDITIVE and key in merged else value
                merged[key] = (name, joined)
    return tuple(merged[key] for key in sorted(merged))
