"""An answer held against the one that was wanted.

Owns what counts as a difference and how it is said. What a network in between may add or change is none:
further headers, compression, further names in Vary, another ETag, another spelling of a type. Sends nothing.
Sources: RFC 9110 §8.3 (types), §12.5.5 (Vary), §15.4 (redirects); RFC 9239 §6, RFC 7303 §9 (renamed types).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urljoin

from pybuild.records import File
from pybuild.rules.evaluate import Outcome
from pybuild.verify.probes import Probe

_OWN = frozenset({"content-type", "etag", "vary", "link", "location"})
_RENAMED = {
    "application/javascript": "text/javascript",
    "application/x-javascript": "text/javascript",
    "text/xml": "application/xml",
    "image/vnd.microsoft.icon": "image/x-icon",
    "text/yaml": "application/yaml",
    "font/sfnt": "font/ttf",
}
_HARMFUL = (
    ("x-robots-tag", re.compile(r"\b(?:noindex|none)\b", re.I), "search engines leave it out"),
    ("refresh", re.compile("."), "browsers are sent on, or load it again and again"),
    ("cache-control", re.compile(r"\b(?:private|no-store)\b", re.I), "no cache between may keep it"),
)
_HINTS = {
    "added": "take it away where the host or its protection of previews sets it, or write it in [[headers]]",
    "status": "deploy the last export again and see that the host reads its rule files",
    "body": "deploy the last export again and clear the caches in front of it",
    "markdown": "clear the caches in front of the site and let them keep one answer for each Accept",
    "type": "give the file this type where the host keeps its types, or deploy the rule files of the target",
    "vary": "send it with every answer of this address, or caches show one visitor what another asked for",
    "header": "deploy the rule files of the target, and look for rules of the host that come later",
    "location": "deploy the rule files of the target; a host's own redirects may come first",
    "again": "let the host send the ETag of each file and answer If-None-Match with it",
    "answer": "see that the host is up, or give it more time with --timeout and fewer requests with --jobs",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case; several lines joined with ", "
    body: bytes  # without its Content-Encoding


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One thing that is not as wanted; equal ones of several addresses are reported together."""

    kind: str  # a key of the hints
    what: str  # follows the address: "answers 200 in place of 404"

    @property
    def hint(self) -> str:
        return _HINTS[self.kind]


def differences(probe: Probe, seen: Seen, files: Mapping[str, File], url: str) -> list[Difference]:
    """Compare one answer. `url` is the absolute address that was asked; it resolves a relative Location.

    An answer by all rules of the site is right, too, where the host need not know them all.
    """
    wanted, full = (
        list(_compared(probe, outcome, seen, files, url)) for outcome in (probe.outcome, probe.full)
    )
    return wanted if full else []


def _compared(
    probe: Probe, outcome: Outcome, seen: Seen, files: Mapping[str, File], url: str
) -> Iterator[Difference]:
    if probe.revalidates:
        if seen.status != 304 and "etag" not in seen.headers:
            yield Difference("again", "has no ETag, so that a visitor loads it whole every time")
        elif seen.status != 304:
            yield Difference("again", f"answers {seen.status} in place of 304 to its own ETag")
        else:
            yield from (Difference(d.kind, f"{d.what} on 304") for d in _vary(outcome, seen))
        return
    if seen.status != outcome.status:
        yield Difference("status", f"answers {seen.status} in place of {outcome.status}")
        return
    if probe.request.method == "HEAD":
        return
    yield from _vary(outcome, seen)
    yield from _headers(outcome, seen)
    if outcome.header("location"):
        wanted, have = outcome.header("location"), seen.headers.get("location", "")
        if unquote(urljoin(url, have)) != unquote(urljoin(url, wanted)):
            yield Difference("location", f'leads to "{have[:200]}" in place of "{wanted}"')
    for name, harm, what in _HARMFUL:
        have = seen.headers.get(name, "")
        if have and not outcome.header(name) and harm.search(have):
            said = name.title()
            yield Difference("added", f"has {said}: {have[:80]}, which the export does not say: {what}")
    if outcome.path:
        yield from _type(outcome, seen)
        yield from _body(outcome, seen, files)


def _vary(outcome: Outcome, seen: Seen) -> Iterator[Difference]:
    have = {name.strip().lower() for name in seen.headers.get("vary", "").split(",")}
    lacking = [name for name in outcome.header("vary").split(", ") if name and name.lower() not in have]
    if lacking and "*" not in have:
        yield Difference("vary", f"lacks Vary: {', '.join(lacking)}")


def _headers(outcome: Outcome, seen: Seen) -> Iterator[Difference]:
    for name, value in outcome.headers:
        have = seen.headers.get(name.lower())
        if name.lower() == "link":
            if have is None or any(one.strip() not in have for one in value.split(", <")):
                yield Difference("header", f"lacks {name}, which says which page is canonical")
        elif name.lower() == "content-location":
            if unquote(have or "") != unquote(value):
                yield Difference(
                    "header", f"lacks {name}, which says where this Markdown has its own address"
                )
        elif name.lower() not in _OWN and have is None:
            yield Difference("header", f"lacks {name}: {value}")
        elif name.lower() not in _OWN and have is not None and have.strip() != value.strip():
            yield Difference("header", f'has {name}: "{have[:80]}" in place of "{value}"')


def _type(outcome: Outcome, seen: Seen) -> Iterator[Difference]:
    wanted, have = outcome.header("content-type"), seen.headers.get("content-type", "")
    if not wanted:
        return
    said, charset = _parse_type(have)
    media, utf8 = _parse_type(wanted)
    if said != media or (utf8 and charset != utf8):
        yield Difference("type", f'has the type "{have}" in place of "{wanted}"')


def _parse_type(value: str) -> tuple[str, str]:
    """A type by its present name and its charset, both in lower case."""
    media, *parameters = (part.strip().lower() for part in value.split(";"))
    charset = next((p.partition("=")[2].strip('"') for p in parameters if p.startswith("charset=")), "")
    return _RENAMED.get(media, media), charset


def _body(outcome: Outcome, seen: Seen, files: Mapping[str, File]) -> Iterator[Difference]:
    digest = hashlib.sha256(seen.body).hexdigest()
    if digest == files[outcome.path].digest:
        return
    twin = outcome.path.removesuffix(".html") + ".md"
    page = outcome.path.removesuffix(".md") + ".html"
    if twin in files and twin != outcome.path and digest == files[twin].digest:
        yield Difference("markdown", "shows Markdown in place of HTML")
    elif page in files and page != outcome.path and digest == files[page].digest:
        yield Difference("markdown", "shows HTML in place of Markdown")
    else:
        yield Difference("body", "has other bytes than the export: it is stale, or changed on the way")
