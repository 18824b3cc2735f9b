"""Internal links held against the finished site.

Owns `broken-link` and `broken-anchor`. Pure: knows what the export will publish and nothing of how.
Source: RFC 3986 §3.5 for fragments; HTML, "Scrolling to a fragment", for `#top`.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from pybuild.artifact import Link, unpack_links
from pybuild.diagnostics import Diagnostic, Location, Note, did_you_mean, warning
from pybuild.rules.model import Rule, SetHeaders

_NEAR = (
    300  # pages beyond which only the same last segment is sought: spelling would take longer than the export
)


def check_links(
    packed: Iterable[str],
    anchors: Mapping[str, str],
    paths: Collection[str],
    rules: Sequence[Rule],
    shown_on: Callable[[Link], tuple[str, int]],
) -> tuple[Diagnostic, ...]:
    """Find links that lead nowhere.

    `packed` are links as of `pack_links`; `anchors` maps each page's URL to its ids, a line each between line
    ends; `paths` are all output files. `shown_on` gives, for a link without a file, that of a page that has it, and
    how many more there are.
    """
    answering = [rule for rule in rules if not isinstance(rule, SetHeaders)]
    findings: dict[Diagnostic, None] = {}
    near = _Near(anchors)
    for fields in (fields for text in packed for fields in unpack_links(text)):
        target, fragment = fields[0], fields[1]
        page = target if target in anchors else target.rstrip("/") or "/"
        if page not in anchors:
            if not _answers(target, paths, answering):
                link = Link(*fields)
                findings[_placed(_link_finding(link, near), link, shown_on)] = None
        elif fragment and f"\n{fragment}\n" not in (ids := anchors[page]):
            link = Link(*fields)
            if found := _anchor_finding(link, ids):
                findings[_placed(found, link, shown_on)] = None
    return tuple(findings)


def _placed(found: Diagnostic, link: Link, shown_on: Callable[[Link], tuple[str, int]]) -> Diagnostic:
    """A link that code of a template makes is told once, at one of its pages."""
    if link.file:
        return found
    file, more = shown_on(link)
    notes = (Note(f"a template makes it on {more} more {'page' if more == 1 else 'pages'}"),) if more else ()
    return replace(found, location=Location(file), notes=notes)


def _answers(url: str, paths: Collection[str], rules: Iterable[Rule]) -> bool:
    """Whether a file or a rule answers a URL that is no page."""
    path = url[1:].rstrip("/")
    named = (path, path + ".html", f"{path}/index.html".lstrip("/"), f"{path}/index.json".lstrip("/"))
    if any(name in paths for name in named):
        return True
    return any(rule.source.match(url) is not None for rule in rules)


def _anchor_finding(link: Link, ids: str) -> Diagnostic | None:
    if link.fragment.lower() == "top" or link.fragment.startswith(":~:"):  # a text fragment is no id
        return None
    known = ids.strip("\n").split("\n")
    hint = (
        did_you_mean(link.fragment, known) or f"{link.target} has no such heading; correct the part after #"
    )
    message = f'the link "{link.text}" names the anchor "{link.fragment}", which {link.target} lacks'
    return warning("broken-anchor", message, Location(link.file, link.line), hint)


class _Near:
    """Finds the page a broken link may have meant."""

    def __init__(self, pages: Collection[str]) -> None:
        self._pages = pages
        self._by_name: dict[str, list[str]] = {}
        for url in pages:
            self._by_name.setdefault(url.rpartition("/")[2], []).append(url)

    def hint(self, link: Link) -> str:
        """The page whose last segment is the same or, in a small site, spelt alike; that of the same folder first."""
        folder, _, name = link.target.rstrip("/").rpartition("/")
        name = name.removesuffix(".md").removesuffix(".html")
        known = self._by_name.get(name) or (self._alike(name) if len(self._pages) <= _NEAR else [])
        beside = [url for url in known if url.rpartition("/")[0] == folder] or known
        if beside == [link.text]:
            return f'write {{{{ url_for("{link.text}") }}}}, which puts the base path before it'
        return f'did you mean "{beside[0]}"?' if len(beside) == 1 else ""

    def _alike(self, name: str) -> list[str]:
        near = difflib.get_close_matches(name, sorted(self._by_name), n=1, cutoff=0.7)
        return self._by_name[near[0]] if near else []


def _link_finding(link: Link, near: _Near) -> Diagnostic:
    hint = near.hint(link) or "correct the link, or make the page"
    return warning(
        "broken-link", f'the link "{link.text}" leads nowhere', Location(link.file, link.line), hint
    )
