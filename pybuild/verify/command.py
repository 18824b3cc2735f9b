"""The check of a deployed site, from its address to the findings.

Owns which rules a host is held to and how differences become findings: equal ones of many addresses are one.
Prints nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, arrange
from pybuild.hosts import TARGETS, compile_rules
from pybuild.publish.publication import Publication
from pybuild.rules.evaluate import Outcome, Request
from pybuild.verify.client import Answer, ClientOptions, ask_all
from pybuild.verify.compare import Difference, Seen, differences
from pybuild.verify.probes import Case, Probe, as_deployed, count, make_cases

Progress = Callable[[str, int, int], None]  # phase, done, total
_NAMED = 3  # addresses in a finding
_ALL = 2  # kinds of clients that are named; more are everyone


@dataclass(frozen=True, slots=True)
class Verified:
    """What came of the check."""

    findings: tuple[Diagnostic, ...]
    requests: int
    addresses: int


class WrongAddress(Exception):
    """The address on the command line is none of a site."""


def origin_of(url: str) -> tuple[str, str]:
    """Split the address of a site: `https://a.example/docs/` → `https://a.example`, `/docs`. Raises `WrongAddress`."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.query or parts.fragment:
        raise WrongAddress(f'"{url}" is no address of a site; write it as in https://example.com')
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def verify(
    url: str,
    publication: Publication,
    config: Config,
    manner: ClientOptions,
    watch: Progress,
    *,
    sample: int = 0,
) -> Verified:
    """Hold the site at `url` against the publication. Findings: `verify-mismatch`, `verify-unreachable`."""
    origin, base = origin_of(url)
    if fault := _unreachable(origin, base, manner):
        return Verified((fault,), 1, 1)
    target = TARGETS.get(publication.target)
    features = target.features if target else frozenset()
    rules = as_deployed(publication.rules, base, features, _left_out(publication, config))
    cases = make_cases(publication, rules, sample=sample, features=features)
    found, works = _ask(origin, cases, manner, watch, publication)
    findings = arrange(_findings(found))
    if works.ruled == 0 and works.unruled and works.plain:
        message = f"{origin}{base}/: the host does not read its rule files; it answers as for plain files"
        hint = f"deploy what the export writes for {publication.target}; docs/hosts/{publication.target}.md says how"
        findings = (Diagnostic("verify-mismatch", message, hint=hint), *findings)
    return Verified(findings, count(cases), len(cases))


def _left_out(publication: Publication, config: Config) -> frozenset[Location]:
    """The places of rules that the target was allowed to leave out."""
    target = TARGETS.get(publication.target)
    if target is None:
        return frozenset()
    compiled = compile_rules(target, publication.rules, publication.files, config)
    return frozenset(
        f.location for f in compiled.findings if f.code == "unsupported-rule" and f.location.file
    )


def _unreachable(origin: str, base: str, manner: ClientOptions) -> Diagnostic | None:
    """Ask once before asking much: nothing may answer, or another host, such as the one for https."""
    answers: list[Answer] = []
    probe = Probe(Request(f"{base}/"), Outcome(200), Outcome(200))
    ask_all(origin, [(probe,)], replace(manner, jobs=1), lambda _, answer: answers.append(answer))
    if isinstance(answers[0], str):
        message = f"{origin}{base}/ does not answer: {answers[0]}"
        return Diagnostic(
            "verify-unreachable", message, hint="see that the address is right and the host is up"
        )
    to = answers[0].headers.get("location", "")
    elsewhere = urlsplit(to)
    if elsewhere.netloc and elsewhere.path == f"{base}/" and not to.startswith(f"{origin}/"):
        message = f"{origin}{base}/ leads to {to}"
        return Diagnostic("verify-unreachable", message, hint=f"verify {to.rstrip('/')}")
    return None


Found = Mapping[Difference, Mapping[str, set[str]]]  # by address, who asked


@dataclass(slots=True)
class _Works:
    """How many answers were as wanted: of those that rules decide, and of the others."""

    ruled: int = 0
    unruled: int = 0  # rules should have decided, and did not
    plain: int = 0


def _ask(
    origin: str, cases: Sequence[Case], manner: ClientOptions, watch: Progress, publication: Publication
) -> tuple[Found, _Works]:
    """Ask, compare, and collect where each difference was seen and by whom."""
    total, done, works = count(cases), 0, _Works()
    found: dict[Difference, dict[str, set[str]]] = {}

    def answered(probe: Probe, answer: Answer) -> None:
        nonlocal done
        done += 1
        watch("verify", done, total)
        target = probe.request.target
        seen: Sequence[Difference]
        if probe.revalidates and not (isinstance(answer, Seen) and answer.status in {200, 304}):
            seen = []  # what is wrong with the answer before is said of that one
        elif isinstance(answer, str):
            seen = [Difference("answer", f"does not answer: {answer}")]
        else:
            seen = differences(probe, answer, publication.files, origin + probe.request.target)
        works.ruled += probe.by_rules and not seen
        works.unruled += probe.by_rules and bool(seen)
        works.plain += not probe.by_rules and not seen
        for difference in seen:
            found.setdefault(difference, {}).setdefault(target, set()).add(probe.who)

    ask_all(origin, cases, manner, answered)
    return found, works


def _findings(found: Found) -> Iterator[Diagnostic]:
    """One finding for each difference and those who met it."""
    groups: dict[tuple[Difference, str], list[str]] = {}
    for difference, at in found.items():
        for target, whos in at.items():
            is_all = "" in whos or len(whos) > _ALL
            who = "" if is_all else f" (asked by {' and '.join(sorted(whos))})"
            groups.setdefault((difference, who), []).append(target)
    for (difference, who), targets in groups.items():
        named = ", ".join(sorted(targets)[:_NAMED])
        subject = named if len(targets) <= _NAMED else f"{len(targets)} addresses, among them {named}"
        message = f"{subject}: {difference.what}{who}"
        yield Diagnostic("verify-mismatch", message, hint=difference.hint)
