"""Rendered Markdown, remembered by the text it was made of.

Owns the folder where results are kept, one file a text, and its distrust: a file whose check fails is not there.
Links are left open in what is kept, since they lead elsewhere when the site changes. Knows no page and no engine.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from markdown_it.common.utils import escapeHtml

from pybuild.markdown.renderer import FoundLink, Heading, MarkdownResult, Resolve
from pybuild.markdown.source_spans import H1Span, InlineSource, LinkSpan, SourceMap

_OPEN, _CLOSE = "\ue000", "\ue001"  # around the number of a destination, in HTML that is kept
_SLOT = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_CHECK = 16  # hexadecimal digits
_SPARE = 256  # results that are kept beyond twice the number of documents

Asked = list[tuple[str, int, bool]]  # what `Resolve` takes, in order


class Renderer(Protocol):
    """What turns Markdown into HTML."""

    def render(self, text: str, *, resolve: Resolve, line_offset: int = 0) -> MarkdownResult: ...


class CachedRenderer:
    """A renderer that looks into a folder first. Two processes may use the same folder."""

    def __init__(self, renderer: Renderer, folder: Path) -> None:
        """`folder` is for this renderer and its settings alone."""
        self._renderer = renderer
        self._folder = str(folder)

    def render(self, text: str, *, resolve: Resolve, line_offset: int = 0) -> MarkdownResult:
        """As any renderer."""
        if _OPEN in text:
            return self._renderer.render(text, resolve=resolve, line_offset=line_offset)
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        file = f"{self._folder}/{digest[:2]}/{digest[2:]}"
        result, asked = _read(file) or self._rendered(text, file)
        links = tuple(FoundLink(href, line + line_offset) for href, line, _ in asked)
        shown = [escapeHtml(resolve(href, line + line_offset, is_image)) for href, line, is_image in asked]
        html = _SLOT.sub(lambda slot: shown[int(slot[1])], result.html)
        return replace(result, html=html, links=links)

    def _rendered(self, text: str, file: str) -> tuple[MarkdownResult, Asked]:
        asked: Asked = []

        def note(href: str, line: int, is_image: bool) -> str:
            asked.append((href, line, is_image))
            return f"{_OPEN}{len(asked) - 1}{_CLOSE}"

        result = self._renderer.render(text, resolve=note)
        _write(file, result, asked)
        return result, asked


def prune(folder: Path, documents: int) -> None:
    """Drop what was looked at longest ago, where far more is kept than there are documents. Raises `OSError`."""
    files = [entry for part in os.scandir(folder) for entry in os.scandir(part.path)]
    if len(files) > 2 * documents + _SPARE:
        for entry in sorted(files, key=lambda entry: entry.stat().st_mtime_ns)[: -documents or None]:
            Path(entry.path).unlink(missing_ok=True)


def _write(file: str, result: MarkdownResult, asked: Asked) -> None:
    text = json.dumps(_value(result, asked), separators=(",", ":")).encode("ascii")
    with contextlib.suppress(OSError), _opened(Path(file)) as stream:
        stream.write(_check(text) + text)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("wb")
    except FileNotFoundError:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return file.open("wb")


def _read(file: str) -> tuple[MarkdownResult, Asked] | None:
    with contextlib.suppress(OSError, ValueError, TypeError, IndexError):
        with Path(file).open("rb") as stream:
            content = stream.read()
        if content[:_CHECK] == _check(content[_CHECK:]):
            os.utime(file)
            return _result(json.loads(content[_CHECK:]))
    return None


def _check(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_CHECK // 2).hexdigest().encode()


def _value(result: MarkdownResult, asked: Asked) -> list[Any]:
    outline = result.outline
    passages = [
        [p.line, p.text, [[s.start, s.end, s.href, s.shown] for s in p.spots], p.is_cell]
        for p in outline.passages
    ]
    titles = [[t.line, t.end, t.is_atx, t.is_top] for t in outline.titles]
    rest = [result.title, result.has_h1, result.excerpt, result.anchors]
    return [
        result.html,
        _levels(result.toc),
        *rest,
        [passages, titles, outline.has_raw_h1],
        asked,
    ]


def _result(value: list[Any]) -> tuple[MarkdownResult, Asked]:
    html, toc, title, has_h1, excerpt, anchors, (passages, titles, has_raw_h1), asked = value
    outline = SourceMap(
        tuple(
            InlineSource(line, text, tuple(LinkSpan(*spot) for spot in spots), cell)
            for line, text, spots, cell in passages
        ),
        tuple(H1Span(*given) for given in titles),
        has_raw_h1,
    )
    result = MarkdownResult(html, _headings(toc), (), title, has_h1, excerpt, tuple(anchors), outline)
    return result, [(href, line, is_image) for href, line, is_image in asked]


def _levels(headings: Iterable[Heading]) -> list[Any]:
    return [[one.id, one.text, one.level, _levels(one.children)] for one in headings]


def _headings(value: Iterable[Any]) -> tuple[Heading, ...]:
    return tuple(Heading(ident, text, level, _headings(below)) for ident, text, level, below in value)
