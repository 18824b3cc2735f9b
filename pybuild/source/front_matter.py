"""Front matter: the YAML block at the top of a content file, and the text below it.

Owns the small, unsurprising part of YAML that front matter may use. Knows no key: what `title` or `date` mean
is decided elsewhere.
Source of truth: YAML 1.2.2 §10.3 (core schema), of which only `null`, `true`, `false` and decimal numbers are
read as such; dates, times, `yes`, `no` and numbers with a leading zero stay text, and so do numbers below the keys
that the caller names as text.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from pybuild.diagnostics import Diagnostic, Location, Note, warning
from pybuild.files import decode

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FENCE = re.compile(r"---[ \t]*\n")
_CLOSE = re.compile(r"^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.M)
_KEY = re.compile(r"[\w\"'-][^\n:]*:(?:\s|\Z)")
_OTHERS = {
    "TOML": re.compile(r"\+\+\+[ \t]*\n\s*[\w\"'\[#]|---[ \t]*toml[ \t]*\n", re.I),
    "JSON": re.compile(r";;;[ \t]*\n|---[ \t]*json[ \t]*\n|\{\s*\"[^\"\n]*\"\s*:", re.I),
    "JavaScript": re.compile(r"---[ \t]*(?:js|javascript|ts)[ \t]*\n", re.I),
    "the manner of Org": re.compile(r"#\+(?:title|date|author|tags|filetags|property)[^\n:]*:", re.I),
    "another form than plain YAML": re.compile(r"---[ \t]*ya?ml[ \t]*\n", re.I),
}  # formats of other builders, by how they begin
_LATE = re.compile(r"(?:[ \t]*\n)+(---)[ \t]*\n(?:[\w-]+:(?:[ \t][^\n]*)?\n)+---[ \t]*(?:\n|\Z)")
_BARE = re.compile(
    r"(?:title|date|author|authors|tags|category|slug|summary|status|layout|draft)[ \t]*:[ \t]*\S[^\n]*\n"
    r"(?:[A-Za-z][\w -]*:[ \t]*\S|[ \t]*\n)",
    re.I,
)  # as MultiMarkdown and Pelican have it
_AS_YAML = "write it as YAML: lines of key: value between two lines of ---"
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]{1,300}\.[0-9]{0,300}|\.[0-9]{1,300})(?:[eE][-+]?[0-9]{1,3})?")
_WORDS = {
    "": None,
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_FLAT = re.compile(
    r'([A-Za-z_][A-Za-z0-9_-]*): +(?:"([ !#-\[\]-~\u00a1-\ud7ff]*)"|([A-Za-z0-9][\w ,.;/()+-]*)) *\n'
)
_FLAT_SIZE = 4096  # characters; of more the parser takes care
_TAG = "tag:yaml.org,2002:"
_QUOTE = 'put a value that holds ":", "#" or a quote in double quotes, such as title: "a: b"'


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """One content file, taken apart."""

    meta: dict[str, Any] = field(default_factory=dict)  # scalars, None, lists and mappings of them
    body: str = ""  # line ends are "\n"; no byte order mark
    body_line: int = 1  # of the body's first line in the file, 1-based
    lines: Mapping[str, int] = field(
        default_factory=dict
    )  # of each key, 1-based; inner ones as "robots.index"
    findings: tuple[Diagnostic, ...] = ()


def parse(data: bytes, file: str, texts: Collection[str] = ()) -> FrontMatter:
    """Decode a content file and read its front matter; a file without any is all body.

    A number at one of the keys `texts`, or inside its value, is the text that was written: `3.10`, not 3.1.
    Codes: `encoding-error`, `front-matter-error`. With an error `meta` is empty.
    """
    text, findings = decode(data, file)
    if findings:
        return FrontMatter(findings=findings)
    opening = _FENCE.match(text)
    if not opening:
        return _without(text, file)
    start = opening.end()
    closing = _CLOSE.search(text, start)
    if not closing:
        if not _KEY.match(text, start):
            return FrontMatter(body=text)  # a lone `---` is a thematic break
        hint = "close it with a line of --- below the last key"
        at = Location(file, 1, 1)
        return FrontMatter(
            body=text,
            findings=(Diagnostic("front-matter-error", "the front matter is never closed", at, hint),),
        )
    block, body = text[start : closing.start()], text[closing.end() :]
    body_line = text.count("\n", 0, closing.end()) + 1
    try:
        meta, lines = _read(block, texts)
    except _Fault as fault:
        return FrontMatter({}, body, body_line, findings=(fault.finding(file),))
    return FrontMatter(meta, body, body_line, lines)


def _without(text: str, file: str) -> FrontMatter:
    """A file that is all body, unless it begins with front matter of another kind, or has it further down."""
    at = Location(file, 1)
    name = next((name for name, form in _OTHERS.items() if form.match(text)), "")
    if name:
        message = f"front matter in {name} is not read"
        return FrontMatter(body=text, findings=(Diagnostic("front-matter-error", message, at, _AS_YAML),))
    late = _LATE.match(text)
    if late:
        line = text.count("\n", 0, late.start(1)) + 1
        message = "front matter begins on the first line; this one is shown as text"
        hint = "delete what is above it"
        return FrontMatter(
            body=text, findings=(warning("front-matter-error", message, Location(file, line), hint),)
        )
    if _BARE.match(text):
        message = "the file begins with keys that are shown as text: front matter goes between lines of ---"
        return FrontMatter(body=text, findings=(warning("front-matter-error", message, at, _AS_YAML),))
    return FrontMatter(body=text)


class _Fault(Exception):
    """What is wrong with a block, at a line and column of the block (both 0-based)."""

    def __init__(self, message: str, mark: Any, hint: str, first: int | None = None) -> None:
        super().__init__(message)
        self.message, self.mark, self.hint, self.first = message, mark, hint, first

    def finding(self, file: str) -> Diagnostic:
        line, column = (self.mark.line + 2, self.mark.column + 1) if self.mark else (1, 1)
        notes = (Note("first written here", Location(file, self.first)),) if self.first else ()
        return Diagnostic("front-matter-error", self.message, Location(file, line, column), self.hint, notes)


def _read(block: str, texts: Collection[str]) -> tuple[dict[str, Any], dict[str, int]]:
    """Read a block's mapping and the file lines of its keys; raise `_Fault`."""
    if len(block) <= _FLAT_SIZE and (flat := _flat(block, texts)):
        return flat
    size = len(block.encode("utf-8"))
    if size > MAX_BYTES:
        message = f"the front matter is {size} bytes long; {MAX_BYTES} is the limit"
        raise _Fault(message, None, "move the longest value to the body")
    try:
        loader = _Loader(block)
        try:
            return _Reader(loader.get_event, texts).document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as fault:
        said = fault.problem or "it cannot be parsed"
        # the mark of the fault, or the last line where that lies behind the block
        last = max(len(block.splitlines()) - 1, 0)
        inside = (mark for mark in (fault.problem_mark, fault.context_mark) if mark and mark.line <= last)
        mark = next(inside, yaml.Mark("", 0, last, 0, None, 0))
        found = block.splitlines()[mark.line][mark.column : mark.column + 1] if block.strip() else ""
        raise _Fault(f"this is not YAML: {said}", mark, _advice(said, found)) from None
    except yaml.YAMLError as fault:
        said = str(fault).splitlines()[0]
        raise _Fault(f"this is not YAML: {said}", None, "delete the control character") from None


def _flat(block: str, texts: Collection[str]) -> tuple[dict[str, Any], dict[str, int]] | None:
    """Read what is nothing but `key: words` and `key: "text"`, as most blocks are, without a YAML parser."""
    values: dict[str, Any] = {}
    lines: dict[str, int] = {}
    at = 0
    while at < len(block):
        found = _FLAT.match(block, at)
        if not found or found[1] in values or found[1] in _WORDS:
            return None
        key = sys.intern(found[1])
        values[key] = _plain(found[3].rstrip(), is_text=key in texts) if found[2] is None else found[2]
        lines[key] = len(lines) + 2
        at = found.end()
    return (values, lines) if values else None


def _advice(problem: str, found: str) -> str:
    """`found` is the character where the problem is."""
    if found == "\t":
        return "indent with spaces, not tabs"
    if "cannot start any token" in problem:
        return "put a value that starts with @, ` or % in double quotes"
    return _QUOTE


class _Reader:
    """Builds values from libyaml's events, and refuses what front matter has no use for."""

    def __init__(self, next_event: Any, texts: Collection[str]) -> None:
        self.next = next_event
        self.texts = texts
        self.is_text = False  # inside the value of one of `texts`
        self.lines: dict[str, int] = {}  # as in `FrontMatter`

    def document(self) -> tuple[dict[str, Any], dict[str, int]]:
        self.next()  # the stream's start
        event = self.next()
        if isinstance(event, yaml.StreamEndEvent):
            return {}, {}
        event = self.next()  # behind the document's start
        if isinstance(event, yaml.ScalarEvent) and event.implicit[0] and _scalar(event) is None:
            return {}, {}
        if not isinstance(event, yaml.MappingStartEvent):
            hint = "write lines of key: value; for a thematic break at the top of the page write ***"
            raise _Fault("the front matter is not a mapping", event.start_mark, hint)
        meta = self._mapping(event, 1, "")
        self.next()  # the document's end
        if not isinstance(event := self.next(), yaml.StreamEndEvent):
            raise _Fault("a second YAML document begins here", event.start_mark, "keep one block of keys")
        return meta, self.lines

    def _value(self, event: Any, depth: int, path: str) -> Any:
        if isinstance(event, yaml.ScalarEvent):
            _refuse_anchor(event)
            return _scalar(event, is_text=self.is_text)
        if isinstance(event, yaml.AliasEvent):
            hint = "put the value in double quotes, or write it out"
            raise _Fault(f'"*{event.anchor}" is an alias', event.start_mark, hint)
        if depth >= MAX_DEPTH:
            raise _Fault(f"it nests deeper than {MAX_DEPTH} levels", event.start_mark, "flatten the value")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, depth + 1, f"{path}.")
        _refuse_anchor(event)
        _refuse_tag(event, "seq")
        values = []
        while not isinstance(item := self.next(), yaml.SequenceEndEvent):
            values.append(self._value(item, depth + 1, path))
        return values

    def _mapping(self, start: Any, depth: int, prefix: str) -> dict[str, Any]:
        """Read up to the mapping's end; `prefix` is the way to it, such as "robots."."""
        _refuse_anchor(start)
        _refuse_tag(start, "map")
        values: dict[str, Any] = {}
        seen: dict[str, int] = {}
        while not isinstance(event := self.next(), yaml.MappingEndEvent):
            key = _key(event, is_top=depth == 1)
            if key in seen:
                hint = "keep one of the two"
                raise _Fault(f'"{key}" is written twice', event.start_mark, hint, seen[key])
            seen[key] = event.start_mark.line + 2
            self.lines.setdefault(prefix + key, seen[key])
            if depth == 1:
                self.is_text = key in self.texts
            values[key] = self._value(self.next(), depth, prefix + key)
        return values


def _key(event: Any, *, is_top: bool) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _Fault("a key must be text", event.start_mark, _QUOTE)
    _refuse_anchor(event)
    key = sys.intern(event.value)  # most documents have the same
    if key == "<<" and event.implicit[0]:
        raise _Fault('"<<" is a merge key', event.start_mark, "write the keys out")
    if is_top and not isinstance(_scalar(event), str):
        raise _Fault(f"the key {key or 'null'} is not text", event.start_mark, f'write "{key}" in quotes')
    return key


def _scalar(event: Any, *, is_text: bool = False) -> Any:
    """Read a scalar by the narrow schema: a quoted, block or `!!str` one is text."""
    text: str = event.value
    _refuse_tag(event, "str")
    return text if event.tag or not event.implicit[0] else _plain(text, is_text=is_text)


def _plain(text: str, *, is_text: bool = False) -> Any:
    """Read a plain scalar; where text is wanted a number stays as it is written."""
    if text in _WORDS:
        return _WORDS[text]
    if is_text:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text) and math.isfinite(number := float(text)):
        return number
    return text


def _refuse_anchor(event: Any) -> None:
    if event.anchor is not None:
        hint = "put the value in double quotes, or delete the anchor"
        raise _Fault(f'"&{event.anchor}" is an anchor', event.start_mark, hint)


def _refuse_tag(event: Any, kind: str) -> None:
    if event.tag not in (None, "!", _TAG + kind):
        name = event.tag.replace(_TAG, "!!")
        hint = "delete the tag, or put the value in double quotes"
        raise _Fault(f'the tag "{name}" is not allowed', event.start_mark, hint)
