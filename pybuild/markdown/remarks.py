"""What a Markdown text says that its page does not show: syntax of other tools, HTML that is taken out, lost footnotes.

Owns `Remark` and how each kind is found, outside of code only: a sign must be in the engine's HTML outside of code, and its
line is that of the source. Knows no page and no file.
Sources: MDX; Hugo, "Shortcodes"; Liquid, "Tags"; PyMdown, "Snippets"; VitePress, "Import Code Snippets".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from markdown_it.common.utils import unescapeAll

from pybuild.markdown.blocks import Footnote, label_of
from pybuild.markdown.rewrite import without_code

Kind = Literal[
    "jsx", "shortcode", "liquid", "snippet", "contents", "element", "attribute", "address",
    "undefined-note", "second-note", "unused-note", "math",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Remark:
    """Something that is written and not shown as its author may think."""

    kind: Kind
    name: str  # what was written, such as `<Tabs>` or `style=`
    line: int  # 1-based, in the text


# Each pattern is tried where its character and one of its signs are in the text, above which a line ends: they are found
# many times faster.
_FOREIGN: Sequence[tuple[Kind, str, Sequence[str], re.Pattern[str]]] = (
    ("jsx", "<", "<", re.compile(r"<(?<![\w\\`]<)(?=[\w.]*[a-z])[A-Z]\w*(?:\.\w+)*(?=[\s/>])")),
    ("jsx", "", ["\nimport"],
     re.compile(r"(?m)import(?<![^\n]import) +(?:[\w*{][^\n]* from +)?(?=[\"'][^\"'\n]+[\"'] *;? *$)")),
    ("jsx", "", ["\nexport"], re.compile(r"(?m)export(?<![^\n]export) +(?:default|const|let|function|async)\b")),
    ("shortcode", "{", ["{{<", "{{%"], re.compile(r"\{\{(?<!\\\{\{)[<%]\s*/?\s*[\w./-]+")),
    ("liquid", "{", ["{%"], re.compile(r"\{%(?<![\\{]\{%)-?\s*[a-z_]+(?=[^\n]{0,300}?%\})")),
    ("snippet", "<", ["8<-"], re.compile(r"(?m)^[ \t>]*-+8<-+(?=[ \t]|$)")),
    ("snippet", "<", ["<<<"], re.compile(r"(?m)^[ \t>]*<<<(?=[ \t]*[@./\w])")),
    ("contents", "", ["toc]", "TOC]", "TOC_]", "{:toc}"],
     re.compile(r"(?mi)^(?:\[\[_?toc_?\]\]|\[toc\]|\{:toc\})(?=[ \t]*$)")),
)  # fmt: skip
JSX_TAG = re.compile(r"<(?=[\w.]*[a-z])[A-Z][\w.]*>")
_CODE = re.compile(r"<code[ >].*?</code>", re.S)


def foreign_syntax(text: str, html: str) -> list[Remark]:
    """The first use of each kind of syntax that other tools read. `html` is what an engine made of the text."""
    plain = source = ""
    found: dict[Kind, Remark] = {}
    below = f"\n{text}"
    for kind, character, signs, pattern in _FOREIGN:
        is_possible = character in below and any(map(below.__contains__, signs))
        if not is_possible or not pattern.search(text):
            continue
        plain = plain or _CODE.sub("", html)
        if not any(_is_in(plain, one[0]) for one in pattern.finditer(text)):
            continue
        source = source or without_code(text)
        one = next((one for one in pattern.finditer(source) if _is_in(plain, one[0])), None)
        line = source.count("\n", 0, one.start()) + 1 if one else 0
        if one and (kind not in found or line < found[kind].line):
            end = source.find("\n", one.start())
            shown = source[one.start() : end if end > 0 else None]
            name = f"{one[0]}>" if one[0].startswith("<") and kind == "jsx" else _short(shown)
            found[kind] = Remark(kind, name, line)
    return list(found.values())


def _is_in(html: str, written: str) -> bool:
    """Whether HTML has a text, as a tag or escaped."""
    sign = written.strip(" \t>")
    return sign in html or sign.replace("<", "&lt;") in html


def _short(line: str) -> str:
    text = " ".join(line.strip(" \t>").split())
    return text if len(text) <= 50 else text[:49].rstrip() + "…"


def taken_out(text: str, names: Iterable[tuple[Kind, str]]) -> Iterator[Remark]:
    """Where the text writes HTML or addresses that no list allows; addresses are named by their scheme."""
    source = without_code(text)
    for kind, name in dict.fromkeys(
        (kind, _scheme(name) if kind == "address" else name) for kind, name in names
    ):
        sign = {"element": name.rstrip(">…"), "attribute": name.rstrip("="), "address": name.rstrip("…")}[
            kind
        ]
        found = re.search(rf"{re.escape(sign)}{'(?![-:])' if kind == 'element' else ''}", source, re.I)
        yield Remark(kind, name, source.count("\n", 0, found.start()) + 1 if found else 1)


def _scheme(address: str) -> str:
    scheme, colon, _ = address.strip().partition(":")
    return f"{_short(scheme)}{colon}…"


_MARK = re.compile(r"(?<!\\)\[\^([^\[\]]{1,999})\](?!:)")
_CHARACTERS = re.compile(r"(?:\w-\w)+|\W+|.*[\\/^$*?|+].*")  # `[^a-z]` is a class of a regex


def lost_notes(
    text: str, unknown: Iterable[str], notes: Sequence[Footnote], used: Iterable[str]
) -> list[Remark]:
    """Footnotes that lead nowhere: `unknown` labels of marks, those of `notes` that come again, and those never used."""
    remarks: list[Remark] = []
    marks = {label for label in unknown if not _CHARACTERS.fullmatch(label)}
    for mark in _MARK.finditer(without_code(text) if marks else ""):
        label = label_of(unescapeAll(mark[1]))
        if label in marks:
            marks.remove(label)
            remarks.append(Remark("undefined-note", f"[^{label}]", text.count("\n", 0, mark.start()) + 1))
    seen: set[str] = set()
    for note in notes:
        if note.label in seen:
            remarks.append(Remark("second-note", f"[^{note.label}]", note.line))
        elif note.label not in used:
            remarks.append(Remark("unused-note", f"[^{note.label}]", note.line))
        seen.add(note.label)
    return remarks
