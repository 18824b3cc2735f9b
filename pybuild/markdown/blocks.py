"""Blocks that Markdown has beyond CommonMark: admonitions, directives, tabs, definitions of terms, and footnotes.

Owns their spellings and their HTML. `cut` replaces the lines that open and close one by comments which every engine lets
through; `place` writes their elements where the comments are in the engine's HTML. So the text around and inside is
parsed once, as one document. What directives become is decided in `directives`; the lines of a Markdown variant are kept
for them, since other readers would take indented text for code. Alerts (`> [!NOTE]`) are quotations until then and are
not read here.
Sources: Python-Markdown's "Admonition" extension; PyMdown's "Blocks"; markdown-it-container; Docusaurus on admonitions;
PHP Markdown Extra (definition lists, footnotes); CommonMark 0.31.2 §5 for the containers around.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from html import escape

from markdown_it.common.utils import unescapeAll

from pybuild.markdown.directives import (
    GROUPS,
    INCLUDE,
    Closed,
    Directive,
    Opened,
    SourceLine,
    attributes_of,
    fence_label,
    part_label,
)

ALERTS = ("note", "tip", "important", "warning", "caution")
# The alert that is nearest to what other tools call an admonition; an unknown kind is a note.
Words = Callable[[str], str]
"""Gives what a part of a text is called: `note`, `warning` and the like, or `permalink`, the link beside a heading."""
KINDS = {
    **{kind: kind for kind in ALERTS},
    **dict.fromkeys(("hint", "success", "check", "done"), "tip"),
    **dict.fromkeys(("info", "abstract", "summary", "tldr", "todo", "example", "quote", "cite"), "note"),
    **dict.fromkeys(("seealso", "question", "help", "faq", "details"), "note"),
    **dict.fromkeys(("attention",), "warning"),
    **dict.fromkeys(("danger", "error", "bug", "failure", "fail", "missing"), "caution"),
}
_HAS_ANY = re.compile(
    r"(?m)^[ \t>*+\-0-9.)]*(?:!!!|\?\?\?|:::|///|===[!+]*[ \t]+[\"']|\[\^[^\[\]\n]+\]:|[:~][ \t])"
)
_HAS_DEFINITION = re.compile(r"\n[ \t>]*[:~][ \t]")
_OPENING = re.compile(
    r"""(?P<fence>:{3,})[ \t]*(?P<colon>[a-z][a-z0-9-]*)(?=[\s\[{"]|$)(?P<colon_title>.*)
      | (?P<slashes>/{3,})[ \t]*(?P<slash>[a-z][a-z0-9-]*)[ \t]*(?:\|(?P<slash_title>.*))?$
      | ===(?P<tab_flags>[!+]{0,2})[ \t]+(?P<quote>["'])(?P<tab>.+?)(?P=quote)[ \t]*$
      | (?:!!!|\?\?\?\+?)[ \t]+(?P<bang>[a-z][a-z0-9-]*)(?P<bang_title>(?:[ \t].*)?)$
      | \[\^(?P<label>(?=[^\[\]]*[^\s\[\]])[^\[\]\n]{1,999})\]:[ \t]*(?P<note>.*)
      | (?P<colon_or_tilde>[:~][ \t]+)(?P<definition>\S.*)""",
    re.X | re.I,
)
_ITEM = re.compile(r"(?:[-*+]|[0-9]{1,9}[.)])(?: {1,4}(?! )|(?= {5})|$)")
_QUOTE = re.compile(r" {0,3}> ?")
_RULE = re.compile(r"(?:\*[ \t]*){3,}$|(?:-[ \t]*){3,}$|(?:_[ \t]*){3,}$")
_CODE_FENCE = re.compile(r"(`{3,})[^`]*$|(~{3,})")
_RAW = re.compile(r"<(?:(!--)|(pre|script|style|textarea)(?=[\s>]|$))", re.I)
_NO_PARAGRAPH = re.compile(r"#{1,6}(?:[ \t]|$)|</?[a-z][^<>]*>[ \t]*$", re.I)
_INDENTED = 4  # columns
_DEPTH = 60  # containers; what is deeper stays text


@dataclass(frozen=True, slots=True)
class Block:
    """One that was cut out."""

    kind: str  # "admonition", "directive", "definition" or "note"
    name: str  # of the kind of admonition; the label of a note
    has_title: bool = False
    is_tight: bool = False  # a definition right below its term
    directive: Directive | None = None
    line: int = 0  # where it begins, 1-based


@dataclass(frozen=True, slots=True)
class Footnote:
    """The text of a note as an engine's HTML."""

    label: str  # as `label_of` writes it
    html: str
    line: int  # where it is defined, 1-based


@dataclass(slots=True)
class _Frame:
    """A container that is open."""

    kind: str  # "quote", "item", "fence" of colons or slashes, "indented"
    width: int = 0  # columns that its lines are indented by
    number: int = -1  # of the block, where it is one of ours
    fence: str = ""
    is_dropped: bool = False  # what its lines are indented by is no text of a variant
    ends_with_code: bool = False  # a tab around one fence

    @property
    def prefix(self) -> str:
        """What is put before its lines in the text for the engine."""
        return {"quote": "> ", "item": " " * self.width}.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class IncludeLine:
    """A line that another file is to stand for."""

    number: int  # of the line, 1-based
    attributes: Mapping[str, str]


def include_lines(text: str) -> tuple[list[IncludeLine], str]:
    """The lines of a text that include files, and the line that ends code or raw HTML left open; or ""."""
    cutter = _Cutter("\ue000", "", frozenset())
    for line in text.split("\n"):
        cutter.read(line)
    is_open = all(frame.kind == "fence" for frame in cutter.frames)
    return cutter.includes, (cutter.code or cutter.raw) if is_open else ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A text without the lines around our blocks."""

    text: str
    blocks: Sequence[Block] = ()
    source: Sequence[SourceLine] | None = None  # the lines of a variant, where directives change them

    @property
    def directives(self) -> dict[int, Directive]:
        """The directives by the numbers of their blocks."""
        return {number: block.directive for number, block in enumerate(self.blocks) if block.directive}


def cut(
    text: str,
    mark: str,
    gap: str = "",
    *,
    but: Set[int] = frozenset(),
    words: Words = str.capitalize,
) -> Cut:
    """Replace the lines around our blocks, but those that begin on the lines `but`.

    `mark` is a character that the text does not have, `gap` the one that stands for spaces behind a fence's first word.
    `words` are the title of a kind that has no other.
    """
    has_sign = any(map(text.__contains__, ("[^", ":::", "!!!", "???", "///", "===")))
    if not (_HAS_ANY.search(text) if has_sign else _HAS_DEFINITION.search(text)):
        return Cut(text)
    cutter = _Cutter(mark, gap, but, words)
    for line in text.split("\n"):
        cutter.read(line)
    cutter.close(0)
    has_directives = any(block.directive for block in cutter.blocks)
    return Cut("\n".join(cutter.out), cutter.blocks, cutter.source if has_directives else None)


@dataclass(slots=True)
class _Cutter:
    """Follows the containers of CommonMark, and ours among them."""

    mark: str
    gap: str
    but: Set[int]
    words: Words = str.capitalize
    out: list[str] = field(default_factory=list)
    source: list[SourceLine] = field(default_factory=list)  # the lines of a variant
    includes: list[IncludeLine] = field(default_factory=list)
    lead: str = ""  # what the line begins with in a variant
    line: int = 0  # that is read, 1-based
    blocks: list[Block] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    code: str = ""  # the fence of the code that is open
    raw: str = ""  # what ends the raw HTML that is open
    term: tuple[int, str] | None = (
        None  # where the last paragraph begins in `out`, and the prefix of its line
    )
    is_paragraph: bool = False  # the last line was one of a paragraph

    def read(self, line: str) -> None:
        """Take one line."""
        self.line += 1
        depth, kept, rest = self._continued(line)
        if depth < len(self.frames):
            if self._is_lazy(depth, rest):
                self._put(kept, rest)
                return
            self.code = self.raw = ""
            self.close(depth)
        if self.code or self.raw:
            self._inside(kept, rest)
        elif closed := self._fence_that_ends(rest):
            is_admonition = self.blocks[self.frames[closed - 1].number].kind == "admonition"
            self.close(closed - 1)
            self.source += [self.lead + rest] if is_admonition else []
            self.is_paragraph, self.term = False, None
        else:
            self._open(kept, rest)

    def _put(self, kept: str, rest: str) -> None:
        """Write a line for the engine, and for the variant."""
        self.out.append(kept + rest)
        self.source.append(self.lead + rest)

    def _continued(self, line: str) -> tuple[int, str, str]:
        """How many frames go on, and the line cut behind what stands for them; indentation of ours is dropped."""
        kept, rest, self.lead = "", line, ""
        for depth, frame in enumerate(self.frames):
            if frame.kind == "quote":
                found = _QUOTE.match(rest)
                if not found:
                    return depth, kept, rest
                kept, rest = kept + found[0], rest[found.end() :]
                self.lead += found[0]
            elif frame.kind != "fence" and rest.strip():
                rest = _expanded(rest)
                if len(rest) - len(rest.lstrip(" ")) < frame.width:
                    return depth, kept, rest
                kept += rest[: frame.width] if frame.kind == "item" else ""
                self.lead += "" if frame.is_dropped else rest[: frame.width]
                rest = rest[frame.width :]
        return len(self.frames), kept, rest

    def _is_lazy(self, depth: int, rest: str) -> bool:
        """Whether a line goes on the paragraph though marks of containers are missing."""
        text = rest.lstrip()
        is_ours = any(
            frame.number >= 0 and self.blocks[frame.number].kind in ("admonition", "directive")
            for frame in self.frames[depth:]
        )
        return bool(
            self.is_paragraph and text and not is_ours and not self.code and not self.raw
            and not (text[0] in ">#<" or _ITEM.match(text) or _RULE.match(text))
            and not (_CODE_FENCE.match(text) or _OPENING.match(text) or self._fence_that_ends(rest))
        )  # fmt: skip

    def _inside(self, kept: str, rest: str) -> None:
        """Go on with code or raw HTML."""
        self._put(kept, rest)
        if self.raw and self.raw in rest.lower():
            self.raw = ""
        elif self.code and len(rest) - len(rest.lstrip(" ")) < _INDENTED:
            text = rest.strip()
            if text.startswith(self.code) and not text.strip(self.code[0]):
                self.code = ""
                if self.frames and self.frames[-1].ends_with_code:
                    self.close(len(self.frames) - 1)

    def _fence_that_ends(self, rest: str) -> int:
        """The depth of the block of ours that a line of colons or slashes closes; 0 for none."""
        text = rest.strip()
        if len(text) < 3 or text.strip(text[0]) or text[0] not in ":/":
            return 0
        open_ones = [
            (depth, f.fence) for depth, f in enumerate(self.frames, 1) if f.fence and text.startswith(f.fence)
        ]
        return max(
            (depth for depth, fence in open_ones if fence == text), default=max(open_ones, default=(0, ""))[0]
        )

    def _open(self, kept: str, rest: str) -> None:
        """Open the containers that a line begins, then take what is left of it."""
        if (group := self._group()) and (label := part_label(rest)) and not rest.startswith((" " * 4, "\t")):
            self.close(group)
            self._direct(kept, Directive("tab", {"title": label}, self.line), _Frame("fence"))
            self.is_paragraph = False
            return
        while True:
            text = rest.lstrip(" \t")
            indent = len(_expanded(rest)) - len(text)
            if not text:
                self._put(kept, rest)
                self.is_paragraph = False
                return
            if indent >= _INDENTED and not self.is_paragraph:
                break
            lead = rest[: len(rest) - len(text)]
            if text[0] == ">":
                size = 2 if text[1:2] == " " else 1
                self.frames.append(_Frame("quote"))
                self.lead += lead + text[:size]
                kept, rest = kept + lead + text[:size], text[size:]
            elif (item := _ITEM.match(text)) and not _RULE.match(text):
                self.frames.append(_Frame("item", indent + max(item.end(), len(item[0].rstrip()) + 1)))
                self.lead += lead + item[0]
                kept, rest = kept + lead + item[0], text[item.end() :]
                if not item[0].endswith(" ") and rest:
                    kept, rest, self.lead = kept + " ", rest[1:], self.lead + " "
            elif (ours := _OPENING.match(text)) and (next_rest := self._begin(kept, lead, ours)) is not None:
                kept = "".join(frame.prefix for frame in self.frames)
                rest = next_rest
                self.is_paragraph = False
                if not rest:
                    return
                continue
            else:
                self._leaf(kept, rest, text)
                return
            self.is_paragraph, self.term = False, None
        self._put(kept, rest)
        self.term = None

    def _leaf(self, kept: str, rest: str, text: str) -> None:
        """Take the text of a paragraph, or what begins another leaf."""
        was_paragraph, self.is_paragraph = self.is_paragraph, False
        fence = _CODE_FENCE.match(text)
        if fence and self.frames and self._group() == len(self.frames):
            rest = self._labelled(kept, rest, text)
        self._put(kept, rest)
        if fence:
            self.code, self.term = fence[1] or fence[2], None
        elif raw := _RAW.match(text):
            end = "-->" if raw[1] else f"</{raw[2].lower()}>"
            self.raw, self.term = "" if end in text[raw.end() :].lower() else end, None
        elif _NO_PARAGRAPH.match(text) or _RULE.match(text):
            self.term = None
        else:
            self.is_paragraph = True
            if not was_paragraph:
                self.term = (len(self.out) - 1, kept)

    def _group(self) -> int:
        """How many frames there are down to the group of tabs that a line is right inside of; 0 for none."""
        for depth, frame in enumerate(reversed(self.frames[-2:])):
            directive = self.blocks[frame.number].directive if frame.number >= 0 else None
            if directive and directive.name in GROUPS:
                return len(self.frames) - depth
            if not directive or directive.name != "tab" or frame.fence or frame.kind != "fence":
                break
        return 0

    def _labelled(self, kept: str, rest: str, text: str) -> str:
        """Open a tab around a fence in a group, and take its label out of the fence."""
        run = len(text) - len(text.lstrip(text[0]))
        info = text[run:].replace(self.gap, " ") if self.gap else text[run:]
        label, words = fence_label(info)
        frame = _Frame("fence", ends_with_code=True)
        self._direct(kept, Directive("tab", {"title": label}, self.line), frame)
        blank = rest[: len(rest) - len(text)]
        return blank + text[:run] + words.strip().replace(" ", self.gap or " ")

    def _begin(self, kept: str, blank: str, found: re.Match[str]) -> str | None:
        """Open a block of ours and return what is left of the line; None where it is none."""
        if len(self.frames) >= _DEPTH or self.line in self.but:
            return None
        word = (found["colon"] or found["slash"] or found["bang"] or "").lower()
        if found["label"]:
            note = Block("note", found["label"], line=self.line)
            self._mark(kept, note, _Frame("indented", _INDENTED))
            self.lead += blank + found.string[: found.start("note")]
            self.source += [] if found["note"] else [self.lead.rstrip()]
            return found["note"]
        if found["definition"]:
            if (rest := self._define(kept, found["colon_or_tilde"], found["definition"])) is not None:
                self.lead += blank + found["colon_or_tilde"]
            return rest
        if found["bang"] and not found["bang"].islower():
            return None
        if found["tab"] or (not found["bang"] and (word not in KINDS or word == "details")):
            return self._direct_of(kept, word, found)
        self.source.append(self.lead + blank + found.string)
        fence = found["fence"] or found["slashes"] or ""
        title = _title(found["colon_title"] or found["slash_title"] or "") or self.words(word)
        if found["bang"]:
            quoted = re.search(r'"(.*)"', found["bang_title"])
            title = quoted[1] if quoted else self.words(word)
        frame = _Frame("fence", 0, fence=fence) if fence else _Frame("indented", _INDENTED)
        self._mark(kept, Block("admonition", word, bool(title), line=self.line), frame)
        if title:
            prefix = "".join(one.prefix for one in self.frames)
            self.out += [f"{prefix}{self.mark}{title}", f"{prefix}<!--{self.mark}-{frame.number}-->"]
        return ""

    def _direct_of(self, kept: str, word: str, found: re.Match[str]) -> str | None:
        """Open the directive of a line."""
        if found["tab"]:
            label, flags = found["tab"], found["tab_flags"]
            directive = Directive("tab", {"title": label}, self.line, begins_set="!" in flags)
            self._direct(kept, directive, _Frame("indented", _INDENTED, is_dropped=True))
            return ""
        if found["colon"] and found["colon"] != word:
            return None
        fence = found["fence"] or found["slashes"]
        attributes = attributes_of(found["colon_title"] or found["slash_title"] or "")
        if word == INCLUDE:
            self.includes.append(IncludeLine(self.line, attributes))
            return ""
        self._direct(kept, Directive(word, attributes, self.line), _Frame("fence", fence=fence))
        return ""

    def _direct(self, kept: str, directive: Directive, frame: _Frame) -> None:
        self.source.append(Opened(len(self.blocks), self.lead))
        self._mark(kept, Block("directive", directive.name, directive=directive, line=self.line), frame)

    def _define(self, kept: str, sign: str, text: str) -> str | None:
        """Open the definition of the term above, or one more."""
        last = self.blocks[-1] if self.blocks else None
        follows = last is not None and last.kind == "definition" and self.term is None
        if self.term is None and not follows:
            return None
        number = len(self.blocks)
        tight = self.is_paragraph
        frame = _Frame("indented", len(_expanded(sign)), number)
        if self.term is None:
            self._mark(kept, Block("definition", "", is_tight=True, line=self.line), frame)
            return text
        start, before = self.term
        prefix = "".join(one.prefix for one in self.frames)
        self.out[start] = prefix + self.out[start][len(before) :]
        self.out[start:start] = [f"{before}<!--{self.mark}{number}-->"]
        while not self.out[-1].strip(" \t>"):
            self.out.pop()
        self.blocks.append(Block("definition", "", has_title=True, is_tight=tight, line=self.line))
        self.out.append(f"{prefix}<!--{self.mark}-{number}-->")
        self.frames.append(frame)
        self.term = None
        return text

    def _mark(self, kept: str, block: Block, frame: _Frame) -> None:
        frame.number = len(self.blocks)
        self.blocks.append(block)
        self.out.append(f"{kept}<!--{self.mark}{frame.number}-->")
        self.frames.append(frame)
        self.term = None

    def close(self, depth: int) -> None:
        """Close the frames from `depth` on, above blank lines that came last."""
        at = len(self.out)
        while at and not self.out[at - 1].strip(" \t>"):
            at -= 1
        ends = []
        closed: list[SourceLine] = []
        while len(self.frames) > depth:
            number = self.frames.pop().number
            if number >= 0:
                prefix = "".join(frame.prefix for frame in self.frames)
                ends.append(f"{prefix}<!--{self.mark}/{number}-->")
                closed += [Closed()] if self.blocks[number].directive else []
        self.out[at:at] = ends
        if closed:
            above = len(self.source)
            while above and isinstance(line := self.source[above - 1], str) and not line.strip(" \t>"):
                above -= 1
            self.source[above:above] = closed
        self.is_paragraph = False
        if ends or depth == 0:
            self.term = None
        if self.term and self.term[0] >= at:
            self.term = None


def _expanded(line: str) -> str:
    """A line with spaces for the tabs it begins with."""
    text = line.lstrip(" \t")
    return line[: len(line) - len(text)].expandtabs(4) + text


def _title(written: str) -> str:
    """The title behind a kind: `Title`, `"Title"`, `[Title]`; "" for none."""
    text = written.strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "[]"):
        text = text[1:-1]
    return text


def misplaced(html: str, blocks: Sequence[Block], mark: str) -> set[int]:
    """The lines of blocks that the engine saw elsewhere than `cut` did: their comments are no blocks of one container."""
    if not blocks:
        return set()
    signs = rf"^<!--{mark}(?P<sign>[-/]?)(?P<number>\d+)-->|<(?P<end>/?)(?P<tag>blockquote|[uo]l|li|p)\b"
    containers, is_in_paragraph, serial = [0], False, 0
    opened: dict[str, tuple[int, list[int]]] = {}
    sound: set[int] = set()
    for found in re.finditer(signs, html, re.M):
        number, tag = found["number"], found["tag"]
        if tag == "p":
            is_in_paragraph = not found["end"]
        elif tag and not found["end"]:
            serial += 1
            containers.append(serial)
        elif tag:
            del containers[max(1, len(containers) - 1) :]
        elif is_in_paragraph:
            continue
        elif not found["sign"]:
            opened[number] = (int(blocks[int(number)].has_title), containers[:])
        elif number in opened and opened[number][1] == containers:
            if found["sign"] == "-":
                opened[number] = (0, containers[:])
            elif not opened[number][0]:
                sound.add(int(number))
    return {block.line for number, block in enumerate(blocks) if number not in sound}


def place(html: str, blocks: Sequence[Block], mark: str, keep: str = "") -> tuple[str, list[Footnote]]:
    """Write our elements in place of the comments. Returns the footnotes apart, in the order of their lines.

    An element with its number between two `keep` stands for a directive.
    """
    if not blocks:
        return html, []
    notes: list[Footnote] = []

    def take(found: re.Match[str]) -> str:
        block = blocks[int(found[1])]
        if block.kind != "note":
            return found[0]
        notes.append(Footnote(label_of(unescapeAll(block.name)), found[2], block.line))
        return ""

    def opened(found: re.Match[str]) -> str:
        return _opening(blocks[int(found[1])], found[2].strip())

    def tag(found: re.Match[str]) -> str:
        block = blocks[int(found[2])]
        if block.directive:
            return f"{keep}/{found[2]}{keep}</div>\n" if found[1] else f"<div>{keep}{found[2]}{keep}\n"
        if found[1]:
            return "</aside>\n" if block.kind == "admonition" else "</dd>\n</dl>\n"
        return _opening(block, "")

    html = re.sub(
        rf"<!--{mark}(\d+)-->\n?((?:(?!<!--{mark}\d).)*?)<!--{mark}/\1-->\n?", take, html, flags=re.S
    )
    title = rf"<!--{mark}(\d+)-->\n?(?:<p>)?((?:(?!<!--{mark}).)*?)(?:</p>)?\n?<!--{mark}-\1-->\n?"
    html = re.sub(title, opened, html, flags=re.S)
    html = re.sub(rf"<!--{mark}(/?)(\d+)-->\n?", tag, html)
    html = re.sub(r"<dd tight>\n?<p>(.*?)</p>", r"<dd>\1", html, flags=re.S).replace("<dd tight>", "<dd>")
    html = re.sub(r"(?<!>)\n</dd>", "</dd>", html)
    return html.replace("</dl>\n<dl>\n", "").replace(mark, ""), sorted(notes, key=lambda note: note.line)


def label_of(written: str) -> str:
    """A footnote's label, as CommonMark compares the labels of links (§6.3)."""
    return re.sub(r"[ \t\r\n]+", " ", written.strip(" \t\r\n")).casefold()


def _opening(block: Block, title: str) -> str:
    if block.kind == "definition":
        terms = "".join(f"<dt>{line}</dt>\n" for line in title.split("\n") if line)
        return f"<dl>\n{terms}<dd tight>" if block.is_tight else f"<dl>\n{terms}<dd>\n"
    return admonition(block.name, title)


def admonition(word: str, title: str) -> str:
    """The opening of the one element that all spellings become; `title` is HTML."""
    alert = KINDS.get(word, "note")
    names = alert if word == alert else f"{alert} {word}"
    line = f'<p class="admonition-title">{title}</p>\n' if title else ""
    return f'<aside class="admonition {escape(names)}" role="note">\n{line}'
