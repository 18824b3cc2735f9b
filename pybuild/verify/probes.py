"""What a deployed site is asked, and what it should answer by the manifest and the rules.

Owns the list of questions, and the visitors for whom the conditions of a rule hold. Sends nothing: `rules.evaluate`
gives the answers, after the rules that the target of the export cannot express have been taken away. Knows no host but
by its features.
Sources: RFC 9110 §9.3.2 (HEAD), §12.5.1 (Accept), §13.1.2 (If-None-Match); docs/rules.md, "Conditions".
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar
from urllib.parse import quote, unquote

from pybuild.diagnostics import Location
from pybuild.hosts.base import ALL_FEATURES, Feature
from pybuild.publish.publication import Publication
from pybuild.records import File, Headers
from pybuild.rules.evaluate import NOT_FOUND, Outcome, Request, evaluate, find, page_of, variant_of
from pybuild.rules.media_types import type_of
from pybuild.rules.model import Condition, Redirect, Rewrite, RuleSet, SetHeaders
from pybuild.rules.patterns import PathPattern, Text, to_python
from pybuild.urls import encode

VALUES = ("verify", "1", "12", "2026", "a", "x-1", "en", "a/b", "on", "true", "yes")
_ANYTHING = re.compile(r"\((?:\?<\w+>|\?:)?\.[*+]\??\)|\.[*+]\??")


def request_matching(conditions: Iterable[Condition]) -> tuple[str, Headers] | None:
    """The query and the headers of such a visitor; None for a condition on the host, or where no value is known."""
    queries, cookies, headers = [], [], []
    for condition in conditions:
        value = _value(condition)
        if value is None or condition.type == "host":
            return None
        if condition.type == "query":
            queries.append(f"{quote(condition.key)}={quote(value)}")
        elif condition.type == "cookie":
            cookies.append(f"{condition.key}={value}")
        else:
            headers.append(("Accept" if condition.type == "accept" else condition.key, value))
    if cookies:
        headers.append(("Cookie", "; ".join(cookies)))
    return "&".join(queries), tuple(headers)


def _value(condition: Condition) -> str | None:
    """The first value that the condition takes: its own text without what stands for anything, else a usual one."""
    if condition.type == "accept":
        return condition.key
    plain = re.sub(r"\\(\W)", r"\1", _ANYTHING.sub("", condition.value))
    wanted = re.compile(to_python(condition.value) or ".+", re.ASCII | re.DOTALL)
    sendable = (v for v in (plain, *VALUES) if v and v.isascii() and v.isprintable() and ";" not in v)
    return next((value for value in sendable if wanted.fullmatch(value)), None)


BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
AGENT = "text/markdown, text/html, */*"
READER = "text/html;q=1.0, text/markdown;q=0.7, */*;q=0.1"  # names both and prefers HTML
_HEAD = "HEAD"
_QUERY = "verify=1"
_SLASHES = 20  # pages that are asked for with the other slash too
_TRIED = 20  # addresses at which a rule with conditions is looked for


@dataclass(frozen=True, slots=True)
class Probe:
    """One request with the answer it should get."""

    request: Request
    outcome: Outcome
    full: Outcome  # by all rules, should the host do more than it must; the same where it cannot
    who: str = ""  # for messages: "a browser"; "" where anyone gets the same
    revalidates: bool = False  # sent again with the ETag that came; 304 is wanted
    longest: int = (
        0  # bytes of the longest body that could be told apart from others; 0 where none is looked at
    )
    by_rules: bool = False  # plain files alone would not be answered so


Placed = TypeVar("Placed", Redirect, Rewrite, SetHeaders)
Case = tuple[Probe, ...]  # sent one after the other, so that a cache between mixes up what it can


def as_deployed(rules: RuleSet, base: str, features: Set[Feature], unsupported: Set[Location]) -> RuleSet:
    """The rules that the host can be held to, below the path where it serves the site (as in its URL)."""

    def able(feature: Feature, listed: tuple[Placed, ...]) -> tuple[Placed, ...]:
        return (
            tuple(rule for rule in listed if rule.location not in unsupported) if feature in features else ()
        )

    return replace(
        rules,
        base=unquote(base.rstrip("/")),
        negotiation=rules.negotiation if "negotiation" in features else "off",
        variants=rules.variants and "headers" in features,
        redirects=able("redirects", rules.redirects),
        rewrites=able("rewrites", rules.rewrites),
        headers=able("headers", rules.headers),
    )


def make_cases(
    publication: Publication, rules: RuleSet, *, sample: int = 0, features: Set[Feature] = ALL_FEATURES
) -> list[Case]:
    """All questions, those of one address together. `sample` limits pages and other files; 0 takes all.

    What is taken follows from the content, so that the same export is always sampled alike.
    """
    ask = _Asker(publication, rules, knows_types="types" in features)
    pages = [file for file in publication.files.values() if variant_of(file.path) and file.path != NOT_FOUND]
    twins = {variant_of(page.path) for page in pages} & publication.files.keys()
    others = [
        f for f in publication.files.values() if f not in pages and f.path not in twins and _is_served(f)
    ]
    chosen = _sampled(pages, sample)
    cases = [ask.page(page) for page in chosen]
    cases += [ask.file(file) for file in _sampled(others, sample)]
    cases += [ask.redirect(rule) for rule in rules.redirects]
    for placed in (rules.redirects, rules.rewrites, rules.headers):
        cases += [ask.meant(rule) for rule in placed if rule.has]
    cases.append(ask.missing())
    if "negotiation" in features:  # hosts with rules of their own for the slash answer 301, or not at all
        cases += [ask.other_slash(page) for page in chosen[:_SLASHES]]
    return [case for case in cases if case]


def _is_served(file: File) -> bool:
    """Whether a web server shows the file: pages are asked for otherwise, and dotfiles are often hidden."""
    parts = file.path.split("/")
    return file.path != NOT_FOUND and not any(p.startswith(".") and p != ".well-known" for p in parts)


def _sampled(files: Sequence[File], size: int) -> list[File]:
    if not size or len(files) <= size:
        return list(files)
    drawn = sorted(files, key=lambda file: hashlib.sha256(f"{file.digest}{file.path}".encode()).digest())
    return sorted(drawn[:size], key=lambda file: file.path)


class _Asker:
    """Makes the questions of one site."""

    def __init__(self, publication: Publication, rules: RuleSet, *, knows_types: bool) -> None:
        self._files = publication.files
        self._rules = rules
        self._full = replace(publication.rules, base=rules.base)
        self._knows_types = knows_types
        self._plain = RuleSet(site=rules.site, base=rules.base, trailing_slash=rules.trailing_slash)

    def page(self, page: File) -> Case:
        address = self._address(page)
        twin = variant_of(page.path)
        if twin not in self._files:
            return (
                *self._asked(address),
                *self._asked(address, who=_HEAD, method="HEAD"),
                *self._again(address, ""),
            )
        if self._rules.negotiation == "off":
            return (*self._asked(address), *self._again(address, ""), *self._asked(f"/{twin}"))
        agents = [
            *self._asked(address, AGENT, who="an agent"),
            *self._asked(address, BROWSER, who="a browser"),
        ]
        more = [*self._asked(address, READER, who="a client that takes Markdown but prefers HTML")]
        head = self._asked(address, AGENT, who=_HEAD, method="HEAD")
        again = (*self._again(address, AGENT, "an agent"), *self._again(address, BROWSER, "a browser"))
        return (*agents, *more, *head, *again, *self._asked(f"/{twin}"), *self._short_twin(page))

    def _short_twin(self, page: File) -> Iterator[Probe]:
        """`/a.md` of the page `a/index.html`, which is beside `/a/index.md`."""
        short = page.path.removesuffix("/index.html") + ".md"
        if page.path.endswith("/index.html") and short in self._files and page_of(short, self._files):
            yield from self._asked(f"/{short}")

    def file(self, file: File) -> Case:
        request = Request(encode(self._rules.base + file.url), "GET")
        is_found = file.url and evaluate(self._rules, request, self._files).path == file.path
        address = file.url if is_found else f"/{file.path}"
        return (*self._asked(address), *self._asked(address, who=_HEAD, method="HEAD"))

    def redirect(self, rule: Redirect) -> Case:
        url = example_url(rule.source)
        return () if url is None else tuple(self._asked(url, query=_QUERY))

    def meant(self, rule: Redirect | Rewrite | SetHeaders) -> Case:
        """A visitor for whom the conditions hold, where that makes a difference."""
        met = request_matching(rule.has)
        for url in self._below(rule.source) if met else ():
            query, headers = met or ("", ())
            case = tuple(
                self._asked(url, query=query, headers=headers, who=f"one whom {rule.location} means")
            )
            plain = tuple(self._asked(url, query=query))
            if (
                case
                and case[0].outcome.status < 400
                and [p.outcome for p in case] != [p.outcome for p in plain]
            ):
                return case
        return ()

    def _below(self, source: PathPattern) -> Iterator[str]:
        """Addresses that a source takes: those of files, then one that is made up."""
        known = [
            self._address(file) if variant_of(file.path) else f"/{file.path}" for file in self._files.values()
        ]
        fitting = (url for url in known if source.match_sent(encode(url)) is not None)
        yield from islice(fitting, _TRIED)
        if made_up := example_url(source):
            yield made_up

    def other_slash(self, page: File) -> Case:
        address = self._address(page)
        if address == "/":
            return ()
        other = address[:-1] if address.endswith("/") else f"{address}/"
        return tuple(self._asked(other, query=_QUERY))

    def missing(self) -> Case:
        """An address that no file and no rule of this site has."""
        seed = "".join(self._files)
        name = hashlib.sha256(seed.encode()).hexdigest()[:12]
        return tuple(self._asked(f"/verify-{name}"))

    def _address(self, page: File) -> str:
        """Where visitors find a page: `a.html` → `/a`; `a/index.html` → `/a/` with trailing slashes, else `/a`."""
        if page.path == "index.html":
            return "/"
        folder = page.path.removesuffix("/index.html")
        if folder != page.path and find("/" + folder, self._files) == page.path:
            return f"/{folder}/" if self._rules.trailing_slash else f"/{folder}"
        return "/" + page.path.removesuffix(".html")

    def _asked(
        self,
        url: str,
        accept: str = "",
        *,
        who: str = "",
        method: str = "GET",
        query: str = "",
        headers: Headers = (),
    ) -> Iterator[Probe]:
        target = encode(self._rules.base + url) + (f"?{query}" if query else "")
        request = Request(target, method, (("Accept", accept),) if accept else headers)
        outcome, full = (evaluate(rules, request, self._files) for rules in (self._rules, self._full))
        if outcome.proxy is None and full.proxy is None:
            by_rules = method == "GET" and outcome != evaluate(self._plain, request, self._files)
            longest = self._longest(outcome) if method == "GET" else 0
            yield Probe(request, self._typed(outcome), full, who, longest=longest, by_rules=by_rules)

    def _longest(self, outcome: Outcome) -> int:
        """The size of the file that is wanted, or of its other representation, which must be known when it comes."""
        stem = outcome.path.rpartition(".")[0]
        paths = (outcome.path, f"{stem}.html", f"{stem}.md") if outcome.path else ()
        return max((self._files[path].size for path in paths if path in self._files), default=0)

    def _typed(self, outcome: Outcome) -> Outcome:
        """Want no type where the export says none; and where the host cannot name one, that of the suffix alone."""
        path = outcome.path
        is_named = any(rule.source.match("/" + path) is not None for rule in self._rules.types)
        if not path or (self._knows_types and (is_named or type_of(path))):
            return outcome
        media = "" if is_named else type_of(path).partition(";")[0]
        others = tuple(pair for pair in outcome.headers if pair[0] != "Content-Type")
        return replace(outcome, headers=(("Content-Type", media), *others) if media else others)

    def _again(self, url: str, accept: str, who: str = "") -> Iterator[Probe]:
        for probe in self._asked(url, accept, who=who):
            if probe.outcome.status == 200:
                yield replace(probe, revalidates=True, by_rules=False)


def example_url(source: PathPattern) -> str | None:
    """An address that a source takes, or None where its regexes take none of the usual values."""

    for value in VALUES:
        texts = (part.text if isinstance(part, Text) else part.prefix + value for part in source.parts)
        url = "".join(texts) or "/"
        if source.match_sent(encode(url)) is not None:
            return url
    return None


def count(cases: Iterable[Case]) -> int:
    return sum(len(case) for case in cases)
