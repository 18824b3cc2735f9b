"""Blocks that Markdown has beyond CommonMark: admonitions, definitions of terms, and footnotes.

Owns their spellings and their HTML. `cut` replaces the lines that open and close one by comments which every engine lets
through; `place` writes their elements where the comments are in the engine's HTML. So the text around and inside is
parsed once, as one document. Alerts (`> [!NOTE]`) are quotations until then and are not read here.
Sources: Python-Markdown's "Admonition" extension; PyMdown's "Blocks"; markdown-it-container; Docusaurus on admonitions;
PHP Markdown Extra (definition lists, footnotes); CommonMark 0.31.2 §5 for the containers around.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

ALERTS = ("note", "tip", "important", "warning", "caution")
# The alert that is nearest to what other tools call an admonition; an unknown kind is a note.
KINDS = {
    **{kind: kind for kind in ALERTS},
    **dict.fromkeys(("hint", "success", "check", "done"), "tip"),
    **dict.fromkeys(("info", "abstract", "summary", "tldr", "todo", "example", "quote", "cite"), "note"),
    **dict.fromkeys(("seealso", "question", "help", "faq", "details"), "note"),
    **dict.fromkeys(("attention",), "warning"),
    **dict.fromkeys(("danger", "error", "bug", "failure", "fail", "missing"), "caution"),
}
_HAS_ANY = re.compile(r"(?m)^[ \t>*+\-0-9.)]*(?:!!!|\?\?\?|:::|///|\[\^[^\s\]]+\]:|[:~][ \t])")
_HAS_DEFINITION = re.compile(r"\n[ \t>]*[:~][ \t]")
_OPENING = re.compile(
    r"""(?P<fence>:{3,})[ \t]*(?P<colon>[a-z][a-z0-9-]*)(?P<colon_title>.*)
      | (?P<slashes>/{3,})[ \t]*(?P<slash>[a-z][a-z0-9-]*)[ \t]*(?:\|(?P<slash_title>.*))?$
      | (?:!!!|\?\?\?\+?)[ \t]+(?P<bang>[a-z][a-z0-9-]*)(?P<bang_title>(?:[ \t].*)?)$
      | \[\^(?P<label>[^\s\]]{1,200})\]:[ \t]*(?P<note>.*)
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

    kind: str  # "admonition", "definition" or "note"
    name: str  # of the kind of admonition; the label of a note
    has_title: bool = False
    is_tight: bool = False  # a definition right below its term


@dataclass(slots=True)
class _Frame:
    """A container that is open."""

    kind: str  # "quote", "item", "fence" of colons or slashes, "indented"
    width: int = 0  # columns that its lines are indented by
    number: int = -1  # of the block, where it is one of ours
    fence: str = ""

    @property
    def prefix(self) -> str:
        """What stands before its lines in the text for the engine."""
        return {"quote": "> ", "item": " " * self.width}.get(self.kind, "")


def cut(text: str, mark: str) -> tuple[str, list[Block]]:
    """Replace the lines around our blocks. `mark` is a character that the text does not have."""
    has_sign = any(sign in text for sign in ("[^", ":::", "!!!", "???", "///"))
    if not (_HAS_ANY.search(text) if has_sign else _HAS_DEFINITION.search(text)):
        return text, []
    cutter = _Cutter(mark)
    for line in text.split("\n"):
        cutter.read(line)
    cutter.close(0)
    return "\n".join(cutter.out), cutter.blocks


@dataclass(slots=True)
class _Cutter:
    """Follows the containers of CommonMark, and ours among them."""

    mark: str
    out: list[str] = field(default_factory=list)
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
        depth, kept, rest = self._continued(line)
        if depth < len(self.frames):
            if self._is_lazy(depth, rest):
                self.out.append(kept + rest)
                return
            self.code = self.raw = ""
            self.close(depth)
        if self.code or self.raw:
            self._inside(kept, rest)
        elif closed := self._fence_that_ends(rest):
            self.close(closed - 1)
            self.is_paragraph, self.term = False, None
        else:
            self._open(kept, rest)

    def _continued(self, line: str) -> tuple[int, str, str]:
        """How many frames go on, and the line cut behind what stands for them; indentation of ours is dropped."""
        kept, rest = "", line
        for depth, frame in enumerate(self.frames):
            if frame.kind == "quote":
                found = _QUOTE.match(rest)
                if not found:
                    return depth, kept, rest
                kept, rest = kept + found[0], rest[found.end() :]
            elif frame.kind != "fence" and rest.strip():
                rest = _expanded(rest)
                if len(rest) - len(rest.lstrip(" ")) < frame.width:
                    return depth, kept, rest
                kept += rest[: frame.width] if frame.kind == "item" else ""
                rest = rest[frame.width :]
        return len(self.frames), kept, rest

    def _is_lazy(self, depth: int, rest: str) -> bool:
        """Whether a line goes on the paragraph though marks of containers are missing."""
        text = rest.lstrip()
        is_ours = any(
            frame.number >= 0 and self.blocks[frame.number].kind == "admonition"
            for frame in self.frames[depth:]
        )
        return bool(
            self.is_paragraph and text and not is_ours and not self.code and not self.raw
            and not (text[0] in ">#<" or _ITEM.match(text) or _RULE.match(text))
            and not (_CODE_FENCE.match(text) or _OPENING.match(text) or self._fence_that_ends(rest))
        )  # fmt: skip

    def _inside(self, kept: str, rest: str) -> None:
        """Go on with code or raw HTML."""
        self.out.append(kept + rest)
        if self.raw and self.raw in rest.lower():
            self.raw = ""
        elif self.code and len(rest) - len(rest.lstrip(" ")) < _INDENTED:
            text = rest.strip()
            if text.startswith(self.code) and not text.strip(self.code[0]):
                self.code = ""

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
        while True:
            text = rest.lstrip(" \t")
            indent = len(_expanded(rest)) - len(text)
            if not text:
                self.out.append(kept + rest)
                self.is_paragraph = False
                return
            if indent >= _INDENTED and not self.is_paragraph:
                break
            lead = rest[: len(rest) - len(text)]
            if text[0] == ">":
                size = 2 if text[1:2] == " " else 1
                self.frames.append(_Frame("quote"))
                kept, rest = kept + lead + text[:size], text[size:]
            elif (item := _ITEM.match(text)) and not _RULE.match(text):
                self.frames.append(_Frame("item", indent + max(item.end(), len(item[0].rstrip()) + 1)))
                kept, rest = kept + lead + item[0], text[item.end() :]
                if not item[0].endswith(" ") and rest:
                    kept, rest = kept + " ", rest[1:]
            elif (ours := _OPENING.match(text)) and (next_rest := self._begin(kept, ours)) is not None:
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
        self.out.append(kept + rest)
        self.term = None

    def _leaf(self, kept: str, rest: str, text: str) -> None:
        """Take the text of a paragraph, or what begins another leaf."""
        was_paragraph, self.is_paragraph = self.is_paragraph, False
        self.out.append(kept + rest)
        if fence := _CODE_FENCE.match(text):
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

    def _begin(self, kept: str, found: re.Match[str]) -> str | None:
        """Open a block of ours and return what is left of the line; None where it is none."""
        if len(self.frames) >= _DEPTH:
            return None
        word = (found["colon"] or found["slash"] or found["bang"] or "").lower()
        if found["label"]:
            self._mark(kept, Block("note", found["label"]), _Frame("indented", _INDENTED))
            return found["note"]
        if found["definition"]:
            return self._define(kept, found["colon_or_tilde"], found["definition"])
        if not found["bang"] and word not in KINDS:
            return None
        if found["bang"] and not found["bang"].islower():
            return None
        fence = found["fence"] or found["slashes"] or ""
        title = _title(found["colon_title"] or found["slash_title"] or "", word)
        if found["bang"]:
            quoted = re.search(r'"(.*)"', found["bang_title"])
            title = quoted[1] if quoted else word.capitalize()
        frame = _Frame("fence", 0, fence=fence) if fence else _Frame("indented", _INDENTED)
        self._mark(kept, Block("admonition", word, bool(title)), frame)
        if title:
            prefix = "".join(one.prefix for one in self.frames)
            self.out += [f"{prefix}{self.mark}{title}", f"{prefix}<!--{self.mark}-{frame.number}-->"]
        return ""

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
            self._mark(kept, Block("definition", "", is_tight=True), frame)
            return text
        start, before = self.term
        prefix = "".join(one.prefix for one in self.frames)
        self.out[start] = prefix + self.out[start][len(before) :]
        self.out[start:start] = [f"{before}<!--{self.mark}{number}-->"]
        while not self.out[-1].strip(" \t>"):
            self.out.pop()
        self.blocks.append(Block("definition", "", has_title=True, is_tight=tight))
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
        while len(self.frames) > depth:
            number = self.frames.pop().number
            if number >= 0:
                prefix = "".join(frame.prefix for frame in self.frames)
                ends.append(f"{prefix}<!--{self.mark}/{number}-->")
        self.out[at:at] = ends
        self.is_paragraph = False
        if ends or depth == 0:
            self.term = None
        if self.term and self.term[0] >= at:
            self.term = None


def _expanded(line: str) -> str:
    """A line with spaces for the tabs it begins with."""
    text = line.lstrip(" \t")
    return line[: len(line) - len(text)].expandtabs(4) + text


def _title(written: str, word: str) -> str:
    """The title behind a kind: `Title`, `"Title"`, `[Title]`; else the kind's own name."""
    text = written.strip()
    if len(text) > 1 and text[0] + text[-1] in ('""', "[]"):
        text = text[1:-1]
    return text or word.capitalize()


def place(html: str, blocks: Sequence[Block], mark: str) -> tuple[str, dict[str, str]]:
    """Write our elements in place of the comments. Returns the HTML of the footnotes by label apart."""
    if not blocks:
        return html, {}
    notes: dict[str, str] = {}

    def take(found: re.Match[str]) -> str:
        block = blocks[int(found[1])]
        if block.kind != "note":
            return found[0]
        notes.setdefault(label_of(block.name), found[2])
        return ""

    def opened(found: re.Match[str]) -> str:
        return _opening(blocks[int(found[1])], found[2].strip())

    def tag(found: re.Match[str]) -> str:
        block = blocks[int(found[2])]
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
    return html.replace("</dl>\n<dl>\n", "").replace(mark, ""), notes


def label_of(written: str) -> str:
    """A footnote's label, as CommonMark compares the labels of links."""
    return " ".join(written.split()).casefold()


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
