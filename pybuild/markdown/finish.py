"""The one pass over an engine's plain HTML that makes it the HTML of a page.

Owns the ids of headings and the links to them, highlighted code, links and media, tables, tasks, alerts, footnotes, bare
addresses, and the end of comments. Both engines give the same HTML, so all of this happens here, once. What a page
says of itself (title, contents, links, ids) is noted on the way. Knows no page and no site: where a link leads is the
caller's `resolve`.
Sources: GitHub Flavored Markdown 0.29 §4.10, §5.3, §6.9; GitHub's alerts; PHP Markdown Extra (footnotes, `{#id}`);
HTML Living Standard §4.8.4.2.1 (srcset).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from html import escape, unescape

from pybuild.markdown.autolinks import ADDRESS, trimmed
from pybuild.markdown.blocks import KINDS, Footnote, Words, admonition, label_of
from pybuild.markdown.engines import encoded
from pybuild.markdown.fences import code_block
from pybuild.markdown.heading_ids import Anchors, slug
from pybuild.urls import is_safe

Resolve = Callable[[str, bool], str]
"""Takes a destination (percent-encoded, entities decoded) and whether it is a picture's; returns the one to write."""

_COMMENT = r"<!--(?:-?>|.*?-->)"
_COMMENTS = re.compile(_COMMENT, re.S)
# What no label may hold (HTML, "flow content" that is not phrasing).
_BLOCK_TAG = (
    r"(?:[uo]l|li|d[dlt]|pre|p|h[1-6r]|blockquote|table|t(?:body|head|foot|[dhr])|div|aside|details|summary|figure|figcaption"
    r"|address|article|section|nav|main|header|footer|hgroup|form|fieldset|dialog|center)\b"
)
# Behind "<", which is before them all: a pattern that begins with one character is found many times faster.
_TAGS = r"""
    pre><code(?:\ class="language-(?P<info>[^"]*)")?>(?P<code>[^<]*)</code></pre>
  | h(?P<level>[1-6])(?P<own>\s[^>]*)?>(?P<heading>.*?)</h[1-6]\s*>
  | (?P<comment>!--(?:-?>|.*?-->)\n?)
  | (?P<as_it_is>(?P<element>script|style|textarea)[\s>].*?</(?P=element)>)
  | (?P<tag>[A-Za-z][\w-]*)(?P<attributes>\s(?:[^"'<>]++|"[^"]*+"|'[^']*+')*+)>
"""
_TAGS_AROUND_TEXT = rf"""
  | (?P<quoted>(?P<element2>pre|code)[\s>].*?</(?P=element2)>)
  | (?P<link_end>/a>)
  | li>(?P<loose>\n<p>)?\[(?P<checked>[ xX])\][ ](?P<task>.*?)(?=\n?</?{_BLOCK_TAG})
  | (?P<quotation>/?blockquote>)
    (?:(?<!/blockquote>)\n<p>\[!(?P<alert>[A-Za-z]+)\][+-]?(?P<alert_title>(?:(?!</p>)[^\n])*)(?P<alert_end>\n|</p>\n?))?
"""
_IN_TEXT = rf"\[\^(?P<note>(?=[^\[\]<]*[^\s\[\]<])[^\[\]<]{{1,999}})\] | (?P<address>{ADDRESS})"
_MARKUP = re.compile(f"<(?:{_TAGS})", re.X | re.S)
_MARKUP_AND_TEXT = re.compile(f"<(?:{_TAGS}{_TAGS_AROUND_TEXT})|{_IN_TEXT}", re.X | re.S)
_IN_TEXT_MARKS = ("[^", "<p>[!", "<li>[", "<li>\n<p>[")
_ADDRESS_IN_TEXT = re.compile(r"://[^<>]*<|www\.[^<>]*<")
_ATTRIBUTE = re.compile(r"""\s*([\w:-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'=<>`]+))""")
_ADDRESSES = frozenset({"href", "src", "poster", "cite", "data"})
_HEADING = re.compile(rf"{_COMMENT}|<h([1-6])(\s[^>]*)?>(.*?)</h[1-6]\s*>", re.S)
_CUSTOM_ID = re.compile(r"\s*\{:?\s*#([^\s\"'{}<>]+)(?:\s+[^{}<>]*)?\}\s*$")
_ID = re.compile(
    r"""<(?:[a-z][\w-]*\s(?:[^<>]*?\s)??id|a\s(?:[^<>]*?\s)??name)\s*=\s*["']?([^\s"'<>]+)""", re.I
)
_PICTURE = re.compile(r'<img\s[^<>]*?\balt="([^"]*)"[^<>]*>')
_MATH = re.compile(r'<math alttext="([^"]*)"[^>]*>.*?</math>', re.S)
_TAG = re.compile(rf"{_COMMENT}|<[^>]*>", re.S)
_PARAGRAPH = re.compile(
    r"<(/?)(?:blockquote|[uo]l|aside|table|details|dl|section|div)\b[^<>]*>|<p>(.*?)</p>|<!--\s*(more|truncate)\s*-->",
    re.S,
)
_MORE = re.compile(r"<!--\s*(?:more|truncate)\s*-->")
_TABLE = re.compile(r"<table>(.*?)</table>", re.S)
_EMPTY_TH = re.compile(r"<th([^>]*)></th>")
_DATA_PICTURE = re.compile(r"data:image/(?:png|gif|jpeg|webp|avif);", re.I)
EXCERPT = 200  # characters


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading with those below it."""

    id: str
    text: str  # plain
    level: int  # 1 to 6
    children: tuple[Heading, ...] = ()


@dataclass(frozen=True, slots=True)
class Style:
    """How the pages of a site are written."""

    words: Words = str.capitalize
    is_highlighted: bool = True


class Finish:
    """The pass over one text. `html` is the page's; the other attributes say what was found on the way."""

    def __init__(
        self, plain: str, footnotes: Sequence[Footnote], resolve: Resolve, guard: str, style: Style
    ) -> None:
        """`guard` is the character behind what was escaped."""
        notes = {note.label: note.html for note in reversed(footnotes)}  # the first of a label holds
        self._notes, self._resolve, self._guard, self._style = notes, resolve, guard, style
        self._permalink = style.words("permalink")
        self._encoded_guard = encoded(guard)
        self._marks: dict[str, list[str]] = {}  # label of a footnote → ids of the marks that lead to it
        self._numbers: dict[str, int] = {}  # of each of these labels, in the order of first marks
        self._quotations: list[bool] = []  # whether each that is open is an alert
        self._is_in_link = False
        self._has_tasks = False
        self.links: list[tuple[str, bool]] = []
        self.refused: list[str] = []  # addresses whose scheme is on no list
        self.unknown_notes: list[str] = []  # labels of marks that no footnote has
        ids = (
            found
            for text in (plain, *notes.values())
            if "id=" in text or "name=" in text
            for found in _ID.findall(text)
        )
        self.anchors = Anchors(
            (ident for ident in map(unescape, ids) if not ident.startswith("pb-")),
            (f"{name}{number}" for number in range(1, len(notes) + 1) for name in ("fn", "fnref")),
        )
        found = [one for one in _HEADING.finditer(plain) if one[1]]
        top = next((one for one in found if one[1] == "1" and _is_at_top(plain, one.start())), None)
        self.h1s = tuple(one is top for one in found if one[1] == "1")
        self._headings = self._claimed(found, top)  # of the text that is written, by where they begin
        self.headings = list(self._headings.values())
        self.title = next((heading.text for heading in self.headings if heading.level == 1), None)
        self.excerpt = self._excerpt(plain)
        texts = (plain, *(note.html for note in footnotes))
        self._pattern = _MARKUP_AND_TEXT if any(map(_has_markup_in_text, texts)) else _MARKUP
        html = self._sub(plain)
        if self._marks:
            html += self._footnotes()
        self.used_notes = frozenset(self._marks)
        for note in footnotes:  # the links of those that are not shown are links of the text all the same
            if note.label not in self.used_notes or note.html != notes[note.label]:
                self._headings = {}
                self._sub(note.html)
        if "<table>" in html:
            html = _TABLE.sub(_wrapped, html)
        if self._has_tasks:
            item = '<li class="task-list-item">'
            html = html.replace(f"<ul>\n{item}", f'<ul class="contains-task-list">\n{item}')
        self.html = html.replace("<br />", "<br>").replace("<hr />", "<hr>").replace(guard, "")

    def _sub(self, html: str) -> str:
        return self._pattern.sub(lambda found: _WRITERS[found.lastgroup or ""](self, found), html)

    # What is known of a text before it is written

    def _claimed(self, found: Sequence[re.Match[str]], top: re.Match[str] | None) -> dict[int, Heading]:
        """The headings by where they begin. An id that the author gave is preferred to a slug; only `top` stays an H1."""
        texts = [self._text(one[3]) for one in found]
        own = [_ID.match(one[0][: one.start(3) - one.start()]) for one in found]
        custom = [self._custom_id(text) for text in texts]
        ids = [
            unescape(raw[1]) if raw else self.anchors.claim(given[1]) if given else ""
            for raw, given in zip(own, custom, strict=True)
        ]
        headings = {}
        for one, text, given, ident in zip(found, texts, custom, ids, strict=True):
            shown = _unguarded(text[: given.start()] if given else text, self._guard)
            level = 2 if one[1] == "1" and one is not top else int(one[1])
            headings[one.start()] = Heading(ident or self.anchors.claim(slug(shown)), shown, level)
        return headings

    def _excerpt(self, html: str) -> str:
        """The text above the mark of its end, else the first paragraph of the text itself, shortened."""
        has_mark, depth, parts = "<!--" in html and bool(_MORE.search(html)), 0, []
        for found in _PARAGRAPH.finditer(html):
            if found[3] and has_mark:
                break
            if found[2] is None:
                depth += 0 if found[3] else -1 if found[1] else 1
            elif depth <= 0:
                mark = _MORE.search(found[2])
                kept = found[2][: mark.start()] if mark else found[2]
                parts += [text] if (text := _unguarded(self._text(kept), self._guard)) else []
                if mark or (parts and not has_mark):
                    break
        return " ".join(parts) if has_mark else shortened(" ".join(parts))

    def _text(self, html: str) -> str:
        """The text of inline HTML, a picture's being its description; marks of footnotes are no text."""
        if "<math " in html:
            html = _MATH.sub(r"\1", html)
        if "<" in html:
            html = _TAG.sub("", _PICTURE.sub(r"\1", html))
        if "[^" in html:
            html = _NOTE_MARK.sub(
                lambda mark: "" if label_of(unescape(mark[1])) in self._notes else mark[0], html
            )
        return " ".join(unescape(html).split())

    # One writer for each kind of match

    def _code(self, found: re.Match[str]) -> str:
        code = _unguarded(unescape(found["code"]), self._guard)
        info = _unguarded(unescape(found["info"] or ""), self._guard)
        return code_block(code, info, is_highlighted=self._style.is_highlighted)

    def _comment(self, found: re.Match[str]) -> str:
        is_line = found.start() == 0 or found.string[found.start() - 1] == "\n"
        return "\n" if not is_line and found[0].endswith("\n") else ""

    def _heading(self, found: re.Match[str]) -> str:
        heading = self._headings.get(found.start())
        if heading is None:
            return found[0]
        inner = self._sub(found["heading"])
        if given := self._custom_id(inner):
            inner = inner[: given.start()]
        others = _OTHER_ATTRIBUTES.sub("", self._attributes("h", found["own"])) if found["own"] else ""
        ident, words = escape(heading.id), self._permalink
        label = f"{words}: {heading.text}" if heading.text else words
        link = f' <a class="anchor" href="#{ident}" aria-label="{escape(label, quote=True)}"></a>'
        return f'<h{heading.level} id="{ident}"{others}>{inner}{link}</h{heading.level}>'

    def _custom_id(self, text: str) -> re.Match[str] | None:
        """The `{#id}` at the end of a heading, unless it is escaped."""
        found = _CUSTOM_ID.search(text) if text.rstrip().endswith("}") else None
        return found if found and self._guard not in found[0] else None

    def _as_it_is(self, found: re.Match[str]) -> str:
        return found[0]

    def _quoted(self, found: re.Match[str]) -> str:
        """Raw HTML of code: a comment in it is no text, as what the engine escapes is."""
        return _COMMENTS.sub("", found[0])

    def _raw_tag(self, found: re.Match[str]) -> str:
        tag = found["tag"].lower()
        if _stays(found["attributes"]):
            return found[0]
        attributes = self._attributes(tag, found["attributes"])
        if tag == "a" and "href" in attributes:
            self._is_in_link = True
        return f"<{found['tag']}{attributes.removesuffix(' /')}>"

    def _attributes(self, tag: str, attributes: str) -> str:
        """Write the attributes of a tag: addresses where they lead, ids but those of the look."""

        def written(found: re.Match[str]) -> str:
            name, value = found[1].lower(), unescape(found[2] or found[3] or found[4] or "")
            if name in _ADDRESSES:
                address = self._address(value, is_picture=tag not in ("a", "area") and name != "cite")
                return "" if address is None else f' {name}="{escape(address)}"'
            if name == "srcset":
                candidates = (one.split(None, 1) for one in re.split(r",\s+|,$", value) if one.strip())
                shown = ((self._address(one[0], is_picture=True), *one[1:]) for one in candidates)
                srcset = ", ".join(" ".join(filter(None, one)) for one in shown if one[0])
                return f' srcset="{escape(srcset)}"'
            return "" if name in ("id", "name") and value.startswith("pb-") else found[0]

        return _ATTRIBUTE.sub(written, attributes)

    def _address(self, written: str, *, is_picture: bool) -> str | None:
        """Where an address leads; None where its scheme is on no list."""
        href = encoded(_unguarded(written.strip(), self._guard).replace(self._encoded_guard, ""))
        if not (is_safe(href) or (is_picture and _DATA_PICTURE.match(href))):
            self.refused.append(written)
            return None
        self.links.append((href, is_picture))
        return self._resolve(href, is_picture)

    def _link_end(self, found: re.Match[str]) -> str:
        self._is_in_link = False
        return found[0]

    def _task(self, found: re.Match[str]) -> str:
        self._has_tasks = True
        checked = "" if found["checked"] == " " else " checked"
        box = f'<label><input type="checkbox" disabled{checked}> {self._sub(found["task"])}</label>'
        return f'<li class="task-list-item">{found["loose"] or ""}{box}'

    def _quotation(self, found: re.Match[str]) -> str:
        if found[0] == "<blockquote>":
            self._quotations.append(False)
            return found[0]
        is_alert = self._quotations.pop() if self._quotations else False
        return "</aside>" if is_alert else found[0]

    def _alert(self, found: re.Match[str]) -> str:
        kind, title = found["alert"].lower(), found["alert_title"].strip()
        is_whole = title.count("<") == 2 * title.count("</") + title.count("/>")
        if kind not in KINDS or not is_whole:
            self._quotations.append(False)
            return f"<blockquote>\n<p>{self._sub(found[0].partition('<p>')[2])}"
        self._quotations.append(True)
        opening = admonition(kind, self._sub(title) or self._style.words(kind))
        return opening + ("<p>" if found["alert_end"] == "\n" else "")

    def _note(self, found: re.Match[str]) -> str:
        """A mark of a footnote, numbered by the order of first marks."""
        label = label_of(unescape(found["note"]))
        if label not in self._notes or self._is_in_link:
            self.unknown_notes += [] if label in self._notes else [label]
            return found[0]
        marks = self._marks.setdefault(label, [])
        number = self._numbers.setdefault(label, len(self._numbers) + 1)
        marks.append(f"fnref{number}:{len(marks)}" if marks else f"fnref{number}")
        return f'<sup class="footnote-ref"><a href="#fn{number}" id="{marks[-1]}">[{number}]</a></sup>'

    def _footnotes(self) -> str:
        """The section of footnotes; one may name others."""
        items: list[str] = []
        while len(items) < len(self._numbers):
            for label in list(self._numbers)[len(items) :]:
                note = self._notes[label]
                self._headings = self._claimed([one for one in _HEADING.finditer(note) if one[1]], None)
                items.append(self._sub(note).strip())
                self.anchors.ids.append(f"fn{len(items)}")
        html = ""
        for number, (item, marks) in enumerate(zip(items, self._marks.values(), strict=True), 1):
            back = "".join(f' <a href="#{mark}" class="footnote-backref">\u21a9\ufe0e</a>' for mark in marks)
            self.anchors.ids += marks
            body = item[:-4] + back + "</p>" if item.endswith("</p>") else item + back
            html += f'<li id="fn{number}" class="footnote-item">{body}\n</li>\n'
        return f'<section class="footnotes" role="doc-endnotes">\n<ol>\n{html}</ol>\n</section>\n'

    def _bare(self, found: re.Match[str]) -> str:
        """Link a bare address, but within a link."""
        if self._is_in_link or self._guard in found[0]:
            return found[0]
        whole = unescape(found[0])
        address = trimmed(whole)
        href = self._address(address if "://" in address else f"http://{address}", is_picture=False)
        rest = escape(whole[len(address) :], quote=False)
        return f'<a href="{escape(href or "")}">{escape(address, quote=False)}</a>{rest}'


@lru_cache(maxsize=1024)
def _stays(attributes: str) -> bool:
    """Whether nothing of the attributes of a tag is written otherwise."""
    if attributes.endswith(" /") or "href" in attributes:
        return False
    return all(
        (name := found[1].lower()) not in _ADDRESSES and name not in ("srcset", "id", "name")
        for found in _ATTRIBUTE.finditer(attributes)
    )


_NOTE_MARK = re.compile(r"\[\^([^\[\]<]{1,999})\]")
_OTHER_ATTRIBUTES = re.compile(r"\sid\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s\"'=<>`]+)", re.I)
_WRITERS: dict[str, Callable[[Finish, re.Match[str]], str]] = {
    "code": Finish._code,
    "comment": Finish._comment,
    "heading": Finish._heading,
    "as_it_is": Finish._as_it_is,
    "quoted": Finish._quoted,
    "attributes": Finish._raw_tag,
    "link_end": Finish._link_end,
    "task": Finish._task,
    "quotation": Finish._quotation,
    "alert_end": Finish._alert,
    "note": Finish._note,
    "address": Finish._bare,
}


def _has_markup_in_text(html: str) -> bool:
    return any(map(html.__contains__, _IN_TEXT_MARKS)) or (
        ("://" in html or "www." in html) and bool(_ADDRESS_IN_TEXT.search(html))
    )


def _is_at_top(html: str, at: int) -> bool:
    """Whether a place is in no quotation, no list and no definition."""
    return all(
        html.count(f"<{tag}>", 0, at) <= html.count(f"</{tag}>", 0, at) for tag in ("blockquote", "li", "dd")
    )


def _wrapped(found: re.Match[str]) -> str:
    """A wide table scrolls in its own box, which the keyboard reaches; a heading of nothing is no heading."""
    table = _EMPTY_TH.sub(r"<td\1></td>", found[0]) if "></th>" in found[1] else found[0]
    return table if "<table" in found[1] else f'<div class="table-wrap" tabindex="0">\n{table}\n</div>'


def _unguarded(text: str, guard: str) -> str:
    return text.replace(guard, "") if guard in text else text


def shortened(text: str) -> str:
    """Text of at most `EXCERPT` characters, cut at a word."""
    if len(text) <= EXCERPT:
        return text
    head = text[:EXCERPT]
    cut = head.rfind(" ")
    return head[: cut if cut > EXCERPT // 2 else EXCERPT - 1].rstrip(" ,;:–—-") + "…"


def tree(headings: list[Heading]) -> tuple[Heading, ...]:
    """Nest a flat list by level: `h2 h3 h2` → `(h2(h3), h2)`. A level that is skipped nests all the same."""
    out, i = [], 0
    while i < len(headings):
        own, i = headings[i], i + 1
        end = i
        while end < len(headings) and headings[end].level > own.level:
            end += 1
        out.append(Heading(own.id, own.text, own.level, tree(headings[i:end])))
        i = end
    return tuple(out)
