"""Internal links held against the finished site.

Owns `broken-link` and `broken-anchor`: what answers, what was meant, and how a link is quoted. Pure but for the look at
the source for the lines of a link; knows what the export will publish and nothing of how.
Source: RFC 3986 §3.5 for fragments; HTML, "Scrolling to a fragment", for `#top`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from pybuild.build.near import Addresses, Words
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.files import read
from pybuild.markdown.rewrite import lines_of
from pybuild.records import Link, Redirection, unpack_links
from pybuild.rules.model import Rule, SetHeaders
from pybuild.source.front_matter import FrontMatter, parse

Places = Callable[[str, str], Sequence[tuple[int, str]]]
"""Takes a file and an href of its page; returns the lines where it is written, and how it is written there."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with all links to one place."""

    code: str
    subject: str  # what the links lead to, as in `Diagnostic`
    said: str  # what follows the link in a message
    hint: str


class _Answers:
    """What the finished site answers. Each place is looked up once."""

    def __init__(
        self,
        anchors: Mapping[str, str],
        paths: Collection[str],
        rules: Iterable[Rule],
        redirections: Iterable[Redirection],
    ) -> None:
        self._anchors, self._paths = anchors, paths
        self._rules = [rule for rule in rules if not isinstance(rule, SetHeaders)]
        self._moved = frozenset(redirection.url for redirection in redirections)
        self._addresses = Addresses(anchors, paths)
        self._faults: dict[tuple[str, str], _Fault | None] = {}
        self._words: tuple[str, Words] = "", Words(())  # ids of the page that was asked for last

    def fault(self, target: str, fragment: str) -> _Fault | None:
        """Why a link to a decoded URL leads nowhere; None where it leads somewhere."""
        page = target if target in self._anchors else target.rstrip("/") or "/"
        if page not in self._anchors:
            key = target, ""
        elif fragment and f"\n{fragment}\n" not in self._anchors[page]:
            key = page, fragment
        else:
            return None
        if key not in self._faults:
            self._faults[key] = self._wrong_anchor(page, fragment) if key[1] else self._missing(target)
        return self._faults[key]

    def _missing(self, target: str) -> _Fault | None:
        if target in self._moved or self._is_answered(target):
            return None
        near = self._addresses.nearest(target)
        hint = f'did you mean "{near}"?' if near else "correct the link, or make the page"
        return _Fault("broken-link", target, "leads nowhere", hint)

    def _is_answered(self, url: str) -> bool:
        """Whether a file or a rule answers a URL that is no page."""
        path = url[1:].rstrip("/")
        named = (path, path + ".html", f"{path}/index.html".lstrip("/"), f"{path}/index.json".lstrip("/"))
        if any(name in self._paths for name in named):
            return True
        return any(rule.source.match(url) is not None for rule in self._rules)

    def _wrong_anchor(self, page: str, fragment: str) -> _Fault | None:
        if fragment.lower() == "top" or fragment.startswith(":~:"):  # a text fragment is no id
            return None
        if self._words[0] != page:
            self._words = page, Words(self._anchors[page].strip("\n").split("\n"))
        near = self._words[1].nearest(fragment)
        hint = f'did you mean "{near}"?' if near else f"{page} has no such heading; correct the part after #"
        said = f'names the anchor "{fragment}", which {page} lacks'
        return _Fault("broken-anchor", f"{page}#{fragment}", said, hint)


def check_links(
    packed: Iterable[str],
    anchors: Mapping[str, str],
    paths: Collection[str],
    rules: Sequence[Rule],
    first_page_with: Callable[[Link], tuple[str, int]],
    places: Places = lambda file, href: (),
    redirections: Iterable[Redirection] = (),
) -> tuple[Diagnostic, ...]:
    """Find links that lead nowhere.

    `packed` are links as of `pack_links`; `anchors` maps each page's URL to its ids, a line each between line
    ends; `paths` are all output files. `first_page_with` gives, for a link without a file, that of a page that has it, and
    how many more there are. `places` gives those of an href in a file, for links without a line.
    """
    answers = _Answers(anchors, paths, rules, redirections)
    findings: dict[Diagnostic, None] = {}
    for fields in (fields for text in packed for fields in unpack_links(text)):
        if fault := answers.fault(fields[0], fields[1]):
            findings |= dict.fromkeys(_placed(fault, Link(*fields), first_page_with, places))
    return tuple(findings)


def _placed(
    fault: _Fault, link: Link, first_page_with: Callable[[Link], tuple[str, int]], places: Places
) -> Iterator[Diagnostic]:
    """A finding for each line that writes the link; one that code of a template makes has one, at one of its pages."""
    if not link.file:
        file, more = first_page_with(link)
        pages = "page" if more == 1 else "pages"
        notes = (Note(f"a template makes it on {more} more {pages}"),) if more else ()
        yield _finding(fault, link, link.text, Location(file), notes)
        return
    found = places(link.file, link.text) if link.line is None else ()
    if not found:
        yield _finding(fault, link, link.text, Location(link.file, link.line))
    for line, written in found:
        yield _finding(fault, link, written, Location(link.file, line))


def _finding(
    fault: _Fault, link: Link, written: str, at: Location, notes: tuple[Note, ...] = ()
) -> Diagnostic:
    hint = fault.hint
    if hint == f'did you mean "{link.text}"?':
        hint = f'write {{{{ url_for("{link.text}") }}}}, which puts the base path before it'
    message = f'the link "{written}" {fault.said}'
    return Diagnostic(fault.code, message, at, hint, notes, "warning", fault.subject)


def places_in(root: Path) -> Places:
    """Look addresses up in the documents below `root`."""

    @lru_cache(maxsize=64)
    def text_of(file: str) -> FrontMatter | None:
        try:
            return parse(read(f"{root}/{file}"), file)
        except OSError:
            return None

    def places(file: str, href: str) -> Sequence[tuple[int, str]]:
        source = text_of(file)
        if source is None:
            return ()
        return [(source.body_line - 1 + line, written) for line, written in lines_of(source.body, href)]

    return places
