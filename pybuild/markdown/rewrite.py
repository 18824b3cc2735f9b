"""Edits of Markdown source: new destinations for links, comments taken out, and one H1.

Owns finding the bytes of a destination, a comment or a heading in the source; every other byte stays. The source is not
parsed: what looks like a link outside of code is one if the page made of it has a link to that address. Where a line is
indented like code, only if the page has more of them than stand elsewhere. Knows no page and no engine.
Source of truth: CommonMark 0.31.2 §4.2, §4.3, §4.5, §4.7, §6.1, §6.3 to §6.6.

A bare address that GFM links without angle brackets is left as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape as escape_html
from html import unescape
from urllib.parse import quote

from markdown_it.common.utils import unescapeAll

from pybuild.markdown.comments import split_comments
from pybuild.markdown.engines import encoded

_UNSAFE = re.compile(r"[\s<>|\\\x00-\x1f\x7f]")
_BALANCED = re.compile(r"[^()]*(?:\([^()]*\)[^()]*)*")
_PARENTHESIS = re.compile(r"[()]")
_ENTITY = re.compile(r"&(?=#?\w+;)")
_SPECIAL = re.compile(r"([\\`*_\[\]<>&~|!#^])")
_LINE_START = re.compile(r"^(\s*\d{0,9})([-+=:.)])")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_CONTAINERS = r"[ \t>]*(?:(?:[-*+]|[0-9]{1,9}[.)])[ \t]+[ \t>]*)*"
_DESTINATION = r"<[^<>\n]*>|(?:\\.|[^\s()<>\\]|\((?:\\.|[^\s()\\]|\([^\s()]*\))*\))*"
_PARTS = re.compile(
    rf"""
    \n{_CONTAINERS}(?:
        (?P<fence>`{{3,}}(?=[^`\n]*$)|~{{3,}})[^\n]*(?:\n(?![ \t>]*(?P=fence)[`~]*[ \t]*$)[^\n]*)*(?:\n[^\n]*)?
      | \[(?!\^)(?:\\.|[^\[\]\\])+\]:[ \t]*(?:\n[ \t>]*)?(?P<definition>{_DESTINATION})
      | (?P<atx>\#)(?=[ \t]|$)
      | (?P<setext>=+)[ \t]*$
    )
  | \\[^\n]
  | `(?P<ticks>`*)(?:(?:(?!\n[ \t>]*\n)[^`]|(?!`(?P=ticks)(?!`))`+)*`(?P=ticks)(?!`))?
  | <(?P<comment>!--(?:-?>|.*?-->))
  | <(?P<autolink>[A-Za-z][A-Za-z0-9+.\-]{{1,31}}:[^\s<>]*)>
  | <(?P<tag>[A-Za-z][\w-]*(?:\s(?:[^"'<>]++|"[^"]*+"|'[^']*+')*+)?>)
  | \]\([ \t]*(?:\n[ \t>]*)?(?P<inline>{_DESTINATION})(?=[ \t]*(?:\n[ \t>]*)?[)"'(])
    """,
    re.X | re.S | re.M,
)  # each begins with one of five characters, outside of a group, so that the text between is passed quickly
_INLINE = re.compile(rf"\]\([ \t]*(?:\n[ \t>]*)?(?P<inline>{_DESTINATION})(?=[ \t]*(?:\n[ \t>]*)?[)\"'(])")
# What may make a heading one, in code too; a pattern that begins with one character is found many times faster.
_FIRST_LEVEL = (re.compile(r"#(?<!##)(?=[ \t\n]|\Z)"), re.compile(r"=(?=[ \t]*(?:\n|\Z))"))
_FAR = 100  # lines above one that may be code in which what holds it is sought
_HOLDS_LINES = re.compile(
    r"[ \t>]*(?:[-*+]|[0-9]{1,9}[.)]|\[\^|!!!|\?\?\?|===|:)"
)  # lines that are indented below
_INDENTED = re.compile(r"(?:> ?)*[ \t]")
_BRACKET = re.compile(r"(?<!\\)\[")
_ADDRESS = re.compile(
    r"""(\s(?:href|src|poster|cite|data)\s*=\s*)(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""", re.I
)
_SRCSET = re.compile(r"""(\ssrcset\s*=\s*)(?:"([^"]*)"|'([^']*)')""", re.I)
_H1 = re.compile(r"<(/?)h1(?=[\s>])", re.I)

Edit = tuple[int, int, str]


def rewritten(
    source: str,
    *,
    links: Mapping[str, str],
    found: Iterable[str] = (),
    h1s: Sequence[bool] = (),
    title: str = "",
) -> str:
    """Make the body of a variant of a page's source.

    `links` maps addresses, as `MarkdownResult.links` has them, to those to write; others stay. `found` are the addresses
    of the page, each as often as it has it. `h1s` says of every H1 of the page in order whether it is the title; the
    others become an H2, and `title` is put at the top where there is none.
    """
    if not (links or "<!--" in source or tuple(h1s) != (True,)):
        return source
    source = _without_split_comments(source) if "<!--" in source else source
    addresses = list(found)
    if _has_inline_links_only(source, links, addresses) and (
        tuple(h1s) == (True,) or not any(sign.search(source) for sign in _FIRST_LEVEL)
    ):
        text = _with_inline_links(source, links) if links else source
    else:
        text = _scanned(source, links, addresses, h1s)
    return text if any(h1s) or not title else f"# {escape(title)}\n\n" + text.lstrip("\n")


def _has_inline_links_only(source: str, links: Mapping[str, str], found: Sequence[str]) -> bool:
    """Whether each `](` is a link of the page and no link is written otherwise, so that none of them is in code."""
    if not links:
        return "<!--" not in source
    hosts, names = source.count("://"), source.count("www.")
    return (
        "<" not in source
        and "]:" not in source
        and source.count("](") == len(found)
        and (not hosts or hosts == source.count("](http://") + source.count("](https://"))
        and (not names or names == source.count("://www."))
    )


def _with_inline_links(source: str, links: Mapping[str, str]) -> str:
    def written(part: re.Match[str]) -> str:
        bare = part["inline"]
        href = encoded(unescapeAll(bare))
        new = links.get(href, href)
        return part[0] if new == href else part[0].removesuffix(bare) + destination(new)

    return _INLINE.sub(written, source)


def _scanned(source: str, links: Mapping[str, str], found: Sequence[str], h1s: Sequence[bool]) -> str:
    scan = _Scan("\n" + source, links)
    for part in _parts(scan.source):
        scan.take(part)
    on_page = Counter(found if scan.doubtful else ())
    probable = [edit for href, edit in scan.doubtful if on_page[href] > scan.counts[href]]
    edits = [*scan.comments, *scan.sure, *probable, *_demoted(scan, h1s)]
    return _edited(scan.source, edits)[1:]


def _without_split_comments(source: str) -> str:
    """Take out the comments that reach over the end of a block of raw HTML."""
    scan = _Scan("\n" + source, {})
    found = ((start + 1, end + 1) for start, end in split_comments(source))
    return _edited(scan.source, [(start, end, "") for start, end in found if not scan.is_code(start)])[1:]


def lines_of(source: str, href: str) -> list[tuple[int, str]]:
    """The lines, 1-based, on which a source writes an address outside of code, and how it is written there."""
    return _lines_by_href(source).get(href, [])


@lru_cache(maxsize=8)
def _lines_by_href(source: str) -> dict[str, list[tuple[int, str]]]:
    scan = _Scan("\n" + source, {})
    for part in _parts(scan.source):
        scan.take(part)
    found: dict[str, set[tuple[int, str]]] = {}
    line, done = 0, 0
    for start, href, written in sorted((start, href, written) for href, start, written in scan.places):
        line += scan.source.count("\n", done, start)
        done = start
        found.setdefault(href, set()).add((line, written))
    return {href: sorted(places) for href, places in found.items()}


@lru_cache(maxsize=1)  # it is asked for more than once for a text
def without_code(source: str) -> str:
    """The source with spaces for what is in fences and backticks and in comments; lines and places stay."""

    text = "\n" + source
    edits = [
        (part.start(), part.end(), _NO_LINE_END.sub(" ", part[0]))
        for part in _parts(text)
        if part["fence"] or part["ticks"] is not None or part["comment"]
    ]
    return _edited(text, edits)[1:]


def _parts(source: str) -> Iterator[re.Match[str]]:
    """What is not plain text. A comment within a paragraph ends with it (CommonMark §6.6), so one that does not is text."""
    at, behind = 0, source.rfind("-->") + 1
    if source.count("<!--", behind) > 1:  # each would be looked for an end of to the end of the text
        source = source[:behind] + source[behind:].replace("<!--", "<\0--")
    while part := _PARTS.search(source, at):
        at = part.end()
        if part["comment"] and _BLANK_LINE.search(part[0]):
            begin = source.rfind("\n", 0, part.start()) + 1
            if not _LINE_BEGIN.fullmatch(source, begin, part.start()):
                at = part.start() + 1
                continue
        yield part


_NO_LINE_END = re.compile(r"[^\n]")
_BLANK_LINE = re.compile(r"\n[ \t>]*\n")
_LINE_BEGIN = re.compile(_CONTAINERS)


def rebased(source: str, change: Callable[[str], str]) -> str:
    """The source with each address that is outside of code changed."""
    scan = _Scan("\n" + source, _Changed(change))
    for part in _parts(scan.source):
        scan.take(part)
    return _edited(scan.source, [*scan.sure, *(edit for _, edit in scan.doubtful)])[1:]


class _Changed(dict[str, str]):
    """Addresses that are changed when they are asked for."""

    def __init__(self, change: Callable[[str], str]) -> None:
        super().__init__()
        self._change = change

    def get(self, key: str, default: object = None) -> str:
        return self._change(key)


class _Scan:
    """What was found in a source, as edits that may be made."""

    def __init__(self, source: str, links: Mapping[str, str]) -> None:
        self.source, self.links = source, links
        self.comments: list[Edit] = []
        self.sure: list[Edit] = []
        self.counts: Counter[str] = Counter()  # of addresses on lines that are not indented
        self.doubtful: list[tuple[str, Edit]] = []  # on lines that are, with the address
        self.h1s: list[tuple[bool, Edit]] = []  # whether its line is indented; the edit that makes it an H2
        self.places: list[tuple[str, int, str]] = []  # every address, where it is, and as it is written

    def take(self, part: re.Match[str]) -> None:
        kind = part.lastgroup
        if kind == "definition" or (kind == "inline" and self._is_opened(part.start())):
            start = part.start(kind)
            written = part[kind]
            bare = written[1:-1] if written.startswith("<") else written
            href = encoded(unescapeAll(bare))
            new = self.links.get(href, href)
            edit = (start, start + len(written), destination(new) if new != href else written)
            self._add(href, edit, bare)
        elif kind == "autolink" and self.source[part.start() - 1] not in "!]":
            href = encoded(part["autolink"])
            new = self.links.get(href, href)
            text = f"[{escape(part['autolink'])}]({destination(new)})" if new != href else part[0]
            self._add(href, (part.start(), part.end(), text), part["autolink"])
        elif kind == "tag":
            self._tag(part)
        elif kind == "comment" and not self.is_code(part.start()):
            self.comments.append(_without_comment(self.source, part.start(), part.end()))
        elif kind == "atx":
            self.h1s.append((self._is_indented(part.start()), (part.start(kind), part.end(kind), "##")))
        elif kind == "setext" and self._is_below_text(part.start()):
            size = max(3, len(part["setext"]))
            self.h1s.append((self._is_indented(part.start()), (part.start(kind), part.end(kind), "-" * size)))

    def _add(self, href: str, edit: Edit, written: str) -> None:
        self.places.append((href, edit[0], written))
        if self._is_indented(edit[0]):
            self.doubtful.append((href, edit))
        else:
            self.counts[href] += 1
            self.sure.append(edit)

    def _tag(self, part: re.Match[str]) -> None:
        if _H1.match(part[0]):
            self.h1s.append((False, (part.start(), part.start() + 3, "<h2")))

        for found in _ADDRESS.finditer(part[0]):
            text = unescape(found[2] or found[3] or found[4] or "").strip()
            href = encoded(text)
            self._attribute(part.start(), found, [text], self.links.get(href, href))
        for found in _SRCSET.finditer(part[0]):
            listed = re.split(r",\s+|,$", unescape(found[2] or found[3] or ""))
            parts = [one.split(None, 1) for one in listed if one.strip()]
            shown = (" ".join([self.links.get(encoded(one[0]), one[0]), *one[1:]]) for one in parts)
            self._attribute(part.start(), found, [one[0] for one in parts], ", ".join(shown))

    def _attribute(self, start: int, found: re.Match[str], texts: Sequence[str], new: str) -> None:
        """Write an attribute of the tag at `start` anew, where what it says changes. `texts` are its addresses."""
        is_same = new == next(filter(None, found.groups()[1:]), "")
        text = found[0] if is_same else f'{found[1]}"{escape_html(new)}"'
        for written in texts:
            self._add(encoded(written), (start + found.start(), start + found.end(), text), written)

    def _is_opened(self, at: int) -> bool:
        """Whether a bracket opens the text of a link in the paragraph before its end."""
        start = self.source.rfind("\n\n", 0, at) + 1
        if self.source.rfind("[", start, at) < 0:  # so that no long line is searched again and again
            return False
        return bool(_BRACKET.search(self.source, start, at))

    def _is_indented(self, at: int) -> bool:
        """Whether a line begins as one of code may; it may also go on a list."""
        begin = self.source.rfind("\n", 0, at) + 1
        line = self.source[begin : begin + 80].lstrip(">")
        return line.startswith(("    ", "\t", "     "))

    def is_code(self, at: int) -> bool:
        """Whether a line is of an indented block of code: an empty line is above it, and no list, note or directive."""
        begin, has_gap = self.source.rfind("\n", 0, at) + 1, False
        for _ in range(_FAR if self._is_indented(at) else 0):
            if begin <= 1:
                return True
            end, begin = begin - 1, self.source.rfind("\n", 0, begin - 1) + 1
            line = self.source[begin:end]
            if not line.strip(" \t>"):
                has_gap = True
            elif not _INDENTED.match(line):
                return has_gap and not _HOLDS_LINES.match(line)
        return False

    def _is_below_text(self, at: int) -> bool:
        """Whether the line above the one at `at` has text."""
        begin = self.source.rfind("\n", 0, max(0, at - 1)) + 1
        return bool(self.source[begin:at].strip(" \t>\n"))


def _demoted(scan: _Scan, h1s: Sequence[bool]) -> list[Edit]:
    """The edits that make every H1 but the title an H2."""
    if tuple(h1s) == (True,):
        return []
    known = scan.h1s if len(scan.h1s) == len(h1s) else [one for one in scan.h1s if not one[0]]
    is_title = h1s if len(known) == len(h1s) else [any(h1s) and i == 0 for i in range(len(known))]
    return [edit for (_, edit), kept in zip(known, is_title, strict=True) if not kept]


def _without_comment(source: str, start: int, end: int) -> Edit:
    """Take a comment out; where it had lines for itself, one empty line stays between two others at most."""
    begin = source.rfind("\n", 0, start) + 1
    stop = source.find("\n", end)
    stop = len(source) if stop < 0 else stop
    if source[begin:start].strip() or source[end:stop].strip():
        return start, end, ""
    blank_above = begin <= 1 or source[:begin].endswith("\n\n")
    return begin, min(stop + 1, len(source)), "" if blank_above else "\n"


def _edited(source: str, edits: list[Edit]) -> str:
    parts, done = [], 0
    for start, end, text in sorted(edits):
        if start >= done:
            parts += [source[done:start], text]
            done = end
    return "".join([*parts, source[done:]])


def destination(href: str) -> str:
    """Write an href as a destination: `a(b` → `a\\(b`. What no destination can hold is percent-encoded.

    Angle brackets would allow more, but could end a tag that is open in the source.
    """
    href = _UNSAFE.sub(lambda found: quote(found[0]), href)
    href = _ENTITY.sub("&amp;", href)
    return (href if _BALANCED.fullmatch(href) else _PARENTHESIS.sub(r"\\\g<0>", href)) or "<>"


def escape(text: str) -> str:
    """Write plain text of one line as Markdown that shows exactly it."""
    marked = _SPECIAL.sub(r"\\\1", text)
    marked = _LINE_START.sub(r"\1\\\2", marked)
    return _CONTROL.sub(lambda found: f"&#{ord(found[0])};", marked)
