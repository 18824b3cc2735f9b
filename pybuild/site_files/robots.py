"""`robots.txt`: which paths crawlers should leave alone, and where the sitemap is.

Owns the grammar of the file. Knows no page.
Sources: RFC 9309; sitemaps.org, "Informing search engine crawlers"; contentsignals.org.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import quote

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.records import Artifact, Page
from pybuild.urls import absolute

ORIGIN = "[robots]"
_UNSAFE = re.compile(r"[#\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Group:
    """The rules of some crawlers."""

    agents: tuple[str, ...] = ("*",)
    disallow: tuple[str, ...] = ()
    allow: tuple[str, ...] = ()
    crawl_delay: str = ""  # seconds
    content_signal: str = ""


def robots(_pages: Iterable[Page], config: Config) -> Iterator[Artifact | Diagnostic]:
    """Yield `robots.txt` made of `[robots]`. Findings: `config-error`; as a warning what no crawler reads."""
    group, findings = _asked_group(config)
    yield from findings
    if config.site.base_path and group != Group():
        origin, path = config.site.origin, config.site.base_path
        message = f"crawlers read {origin}/robots.txt only, not the one below {path}"
        hint = f"repeat the rules in the robots.txt at {origin}/"
        yield warning("config-error", message, Location(config.file), hint)
    maps = (absolute(config.site.url, "/sitemap.xml"),) if config.settings.sitemap.enabled else ()
    yield Artifact("robots.txt", ORIGIN, document((group,), maps))


def _asked_group(config: Config) -> tuple[Group, list[Diagnostic]]:
    """The group of `[robots]` without the values that cannot stand in it, and a finding for each of these."""
    asked = config.settings.robots
    given = {
        "disallow": [(value, path_fault(value)) for value in asked.disallow],
        "allow": [(value, path_fault(value)) for value in asked.allow],
        "content_signal": [(value, value_fault(value)) for value in (asked.content_signal,) if value],
    }
    findings = [
        Diagnostic("config-error", f"robots.{name}: {value!r} {fault}", Location(config.file), HINTS[name])
        for name, values in given.items()
        for value, fault in values
        if fault
    ]
    sound = {name: tuple(v for v, fault in values if not fault) for name, values in given.items()}
    signal = "".join(sound.pop("content_signal"))
    return Group(disallow=sound["disallow"], allow=sound["allow"], content_signal=signal), findings


HINTS = {
    "user_agent": 'write the name of a crawler such as "GPTBot"',
    "host": 'write the name of the host such as "example.com"',
    "disallow": 'write a path such as "/private/"',
    "allow": 'write a path such as "/private/open/"',
    "content_signal": 'write signals such as "search=yes, ai-train=no"',
}


def value_fault(value: str) -> str:
    """Say why a value would break its line, or `""`."""
    if not value.strip():
        return "is empty"
    found = _UNSAFE.search(value)
    return f"holds {found[0]!r}, which ends the value or the line" if found else ""


def path_fault(value: str) -> str:
    """Say why a value is not a path pattern of RFC 9309 §2.2.2, or `""`."""
    return value_fault(value) or ("" if value[0] in "/*" else 'does not start with "/"')


def document(groups: Iterable[Group], sitemaps: Iterable[str] = (), host: str = "") -> bytes:
    """Write the file from sound values.

    `Disallow` comes before `Allow`, and `Allow: /` is left out: readers that take the first match would
    let everything in. A group that forbids nothing says so by an empty `Disallow`.
    """
    blocks = ["\n".join(_group_lines(group)) for group in groups]
    last = [f"Host: {host}"] if host else []
    last += [f"Sitemap: {url}" for url in sitemaps]
    return ("\n\n".join([*blocks, *(["\n".join(last)] if last else [])]) + "\n").encode()


def _group_lines(group: Group) -> Iterator[str]:
    yield from (f"User-agent: {agent}" for agent in group.agents)
    if group.content_signal:
        yield f"Content-Signal: {group.content_signal}"
    yield from (f"Disallow: {_encoded(path)}" for path in group.disallow)
    allowed = [path for path in group.allow if path != "/" or "/" in group.disallow]
    if not (group.disallow or allowed):
        yield "Disallow:"
    yield from (f"Allow: {_encoded(path)}" for path in allowed)
    if group.crawl_delay:
        yield f"Crawl-delay: {group.crawl_delay}"


def _encoded(path: str) -> str:
    """Percent-encode what is not ASCII or is a space (RFC 9309 §2.2.2); leave what is encoded alone."""
    return quote(path, safe="%/:@!$&'()*+,;=~?[]")
