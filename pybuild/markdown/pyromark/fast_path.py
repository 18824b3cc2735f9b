"""The HTML of a native Markdown parser's own writer, made that of `render.markdown`.

Owns the proof that nothing but this HTML and the source is needed to know all of a text, which is the quickest way;
where it fails, `Unclear` is raised and `render.nativewalk` reads the events. Places are characters of the text.
Source of truth: CommonMark 0.31.2; pulldown-cmark's HTML writer; the renderer of markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pybuild.markdown.pyromark.links import Reading, Source, WalkedHeading, destination
from pybuild.markdown.renderer import FoundLink, code_block
from pybuild.markdown.source_spans import H1Span, InlineSource, LinkSpan

_DEPTH = 20  # of constructs; the other parser has a limit of its own
_ONE_TILDE = re.compile(r"(?<!~)~(?!~)")
_INDENTED = re.compile(r"\n(?: {4}| {0,3}\t)")
_DELIMITER = re.compile(r"\n[ \t>|:]*-[ \t>|:\-]*\n")
_QUOTE = re.compile(r'"(?=[^<>]*(?:<|\Z))')  # in text: behind one in a tag comes ">" first
_CODE = re.compile(r'<pre><code(?: class="language-([^"]*)")?>([^<]*)</code></pre>\n')
_INLINE_CODE = re.compile(r"<code>([^<]*)</code>")
_LINK = re.compile(r'<(?:a href="[^"]*"|(img) src="[^"]*"|(/)a>)')
_CLOSINGS = ("</em>", "</strong>", "</del>", "</ul>", "</ol>", "</blockquote>")
_NESTING = re.compile(r"<(/?)(?:em|strong|del|ul|ol|li|blockquote)[ >]")
_HEADING = re.compile(r"<h([1-6])>(.*?)</h\1>", re.S)
_PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.S)
_CONTAINER = re.compile(r"<(/?)(?:ul|ol|blockquote)[ >]")
_PICTURE = re.compile(r'<img [^>]*?alt="([^"]*)"[^>]*>')
_TAG = re.compile(r"<[^>]*>")
_TABLE = (  # in this order
    ("\n<table>", "<table>"),
    ("<table>", "\n<table>"),
    ("<table><thead><tr>", '<div class="table-wrap" tabindex="0">\n<table>\n<thead>\n<tr>\n'),
    ("</th>", "</th>\n"),
    ("</td>", "</td>\n"),
    ("<tr><td", "<tr>\n<td"),
    ("</tr></thead><tbody>\n</tbody></table>\n", "</tr>\n</thead>\n</table>\n</div>\n"),
    ("</tr></thead><tbody>\n", "</tr>\n</thead>\n<tbody>\n"),
    ("</tbody></table>\n", "</tbody>\n</table>\n</div>\n"),
    (' style="text-align: ', ' style="text-align:'),
)
_TAGS = (
    ("<blockquote>\n</blockquote>", "<blockquote></blockquote>"),
    ("<br />", "<br>"),
    ("<hr />", "<hr>"),
    ("<del>", "<s>"),
    ("</del>", "</s>"),
    ('" />', '">'),
)


class Unclear(Exception):
    """The HTML and the source do not tell all that is asked."""


def read(source: Source, html: str, offset: int, *, is_highlighted: bool) -> Reading:
    """Read off the HTML of a text what a walk over its events would tell. Raises `Unclear`, and `Unfit`."""
    text = source.text
    _check(text, html)
    if '"' in text or "&" in text:
        html = _QUOTE.sub("&quot;", html)
    reading = _links(source, html, offset)
    _check_addresses(reading.html, html)
    reading.titles = list(_titles(text, html))
    reading.html = _same_tags(_code(source, reading.html, is_highlighted=is_highlighted))
    reading.has_h1 = html.startswith("<h1>")
    reading.headings = [
        WalkedHeading(int(found[1]), _plain(source, found[2])) for found in _HEADING.finditer(html)
    ]
    reading.excerpt = _excerpt(source, html)
    return reading


def _check(text: str, html: str) -> None:
    """Refuse what needs more than the HTML."""
    is_unclear = (
        any(mark in text for mark in ("]:", "{#", "<", "\r"))
        or "<input" in html
        or ("<del>" in html and _ONE_TILDE.search(text))
        or ("<table>" in html and _has_indented_row(text))
        or _is_deep(html)
    )
    if is_unclear:
        raise Unclear


def _has_indented_row(text: str) -> bool:
    """Whether a line that the other parser reads as code might be a row of a table."""
    blocks = text.split("\n\n")
    return any(_INDENTED.search(block) and _DELIMITER.search("\n" + block) for block in blocks)


def _is_deep(html: str) -> bool:
    """Whether so many constructs are in each other that the other parser might stop reading."""
    if sum(map(html.count, _CLOSINGS)) < _DEPTH:
        return False
    depth = 0
    for found in _NESTING.finditer(html):
        depth += -1 if found[1] else 1
        if depth >= _DEPTH:
            return True
    return False


def _links(source: Source, html: str, offset: int) -> Reading:
    """The links, of which each is written with one `](`: where there are as many of these, each is of a link."""
    opened: list[int] = []  # what the parser opened and did not close yet
    closed: list[int] = []  # in the order in which the source closes them
    tags: list[re.Match[str]] = []
    labels: dict[int, str] = {}  # their HTML; images have none
    for found in _LINK.finditer(html):
        if found[2]:
            at = opened.pop()
            closed.append(at)
            labels[at] = html[tags[at].end() : found.start()]
            continue
        (closed if found[1] else opened).append(len(tags))
        tags.append(found)
    if source.text.count("](") != len(tags):
        raise Unclear
    reading = Reading(html)
    if tags:
        _note(source, reading, [(at, labels.get(at)) for at in closed], offset)
        reading.html = _LINK.sub(_opening, html)
    return reading


def _opening(found: re.Match[str]) -> str:
    return found[0] if found[2] else '<img src="\x00"' if found[1] else '<a href="\x00"'


def _note(source: Source, reading: Reading, closed: list[tuple[int, str | None]], offset: int) -> None:
    text, place, line, last = source.text, -1, 0, 0
    asked: list[tuple[str, int, bool]] = [("", 0, False)] * len(closed)
    for at, label in closed:
        place = text.index("](", place + 1)
        line, last = line + text.count("\n", last, place), place
        if not _is_on_one_line(text, place, label):
            raise Unclear
        begin, written = destination(text, place)
        if "\\" in written or "&" in written:
            raise Unclear
        href = source.href(written)
        asked[at] = (href, offset + line + 1, label is None)
        end = text.find("\n", begin)
        rest = source.plain(text[begin : end if end >= 0 else None])
        row = line + text.count("\n", place, begin)
        reading.passages.append(InlineSource(row, rest, (LinkSpan(0, len(written), href),)))
    reading.asked = asked
    reading.found = [FoundLink(href, line) for href, line, _ in asked]


def _is_on_one_line(text: str, place: int, label: str | None) -> bool:
    """Whether a link begins on the line on which its text ends, at `place`."""
    if label is None:
        return "\n" not in text[max(0, text.rfind("![", 0, place)) : place]
    if "<code>" in label:  # where a line break is shown as a space
        at = text.rfind("\n", 0, place)
        for code in _INLINE_CODE.findall(label):
            at = text.find(f"{_unescaped(code)}`", at + 1, place)
            if at < 0:
                return False
    return "\n" not in label


def _check_addresses(without: str, html: str) -> None:
    """Refuse a text with an address that is to become a link. `without` is the HTML without destinations."""
    if "://" in without or "www." in without:
        rest = _INLINE_CODE.sub("", _CODE.sub("", html if without is html else without))
        rest = _TAG.sub("", rest)
        if "://" in rest or "www." in rest:
            raise Unclear


def _titles(text: str, html: str) -> Iterator[H1Span]:
    """The headings of level 1: one that opens the text, or none."""
    count = html.count("<h1>")
    if not count:
        return
    head = text.lstrip("\n")
    if count > 1 or not html.startswith("<h1>") or not head.startswith("# "):
        raise Unclear
    line = len(text) - len(head)
    yield H1Span(line, line + 1, is_atx=True, is_top=True)


def _code(source: Source, html: str, *, is_highlighted: bool) -> str:
    def block(found: re.Match[str]) -> str:
        info, code = found[1] or "", found[2]
        if "&" in info or "\\" in info or (code and code[-1] != "\n"):
            raise Unclear
        code = source.plain(_unescaped(code))
        return code_block(code, source.plain(info), is_highlighted=is_highlighted)

    return _CODE.sub(block, html) if "<pre>" in html else html


def _same_tags(html: str) -> str:
    for old, new in _TAGS:
        if old in html:
            html = html.replace(old, new)
    if "&#39;" in html:
        html = html.replace("&#39;", "'")
    return _tables(html) if "<table>" in html else html


def _tables(html: str) -> str:
    head, _, rest = html.partition("<table>")
    tables, _, tail = rest.rpartition("</table>")
    tables = f"<table>{tables}</table>\n"
    for old, new in _TABLE:
        tables = tables.replace(old, new)
    before = head.removesuffix("\n")
    return f"{before}{tables}{tail[1:]}" if head else f"{tables[1:]}{tail[1:]}"


def _plain(source: Source, html: str) -> str:
    """The text that HTML shows, with the descriptions of images."""
    if "<" in html:
        html = _TAG.sub("", _PICTURE.sub(r"\1", html))
    return " ".join(source.plain(_unescaped(html)).split())


def _unescaped(html: str) -> str:
    if "&" not in html:
        return html
    for old, new in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        html = html.replace(old, new)
    return html


def _excerpt(source: Source, html: str) -> str:
    """The text of the first paragraph that stands in no list and no quotation."""
    depth = last = 0
    for found in _PARAGRAPH.finditer(html):
        depth += sum(-1 if one[1] else 1 for one in _CONTAINER.finditer(html, last, found.start()))
        last = found.end()
        if not depth and (text := _plain(source, found[1])):
            return text
    return ""
