"""What one Markdown file says of itself: its front matter, and of its body the first heading.

Owns the meaning of the keys that mean something to us. Knows no collection and no URL.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pybuild.dates import parse_date
from pybuild.decoding import read
from pybuild.diagnostics import Diagnostic, Location
from pybuild.frontmatter import FrontMatter, parse

MAX_BYTES = 16 * 1024 * 1024
_SHORT = 32  # hexadecimal digits
_HEADING = re.compile(r"^ {0,3}# +(.+?)(?: +#+)? *$", re.M)
_SETEXT = re.compile(r"^ {0,3}(\S[^\n]*)\n {0,3}=+ *$", re.M)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)", re.M)
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MARKS = re.compile(r"[`*]|(?<!\w)_|_(?!\w)|\\(?=[^\w\s])")


@dataclass(frozen=True, slots=True)
class Front:
    """What is known of one file without rendering it."""

    title: str = ""  # of the front matter, else the first heading
    description: str = ""
    date: datetime | None = None  # aware
    updated: datetime | None = None  # aware
    tags: tuple[str, ...] = ()
    draft: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)  # all front matter
    lines: Mapping[str, int] = field(default_factory=dict)  # of its keys
    body_line: int = 1  # 1-based line of the file where the Markdown starts
    digest: str = ""  # sha256 of the file, hexadecimal
    head: str = ""  # digest of what the document says of itself, the body left out


ReadFront = Callable[[Path, str, ZoneInfo], tuple[Front, tuple[Diagnostic, ...]]]
"""Takes the site's folder, a file of it, and the zone of dates. As `read_front`."""


def read_front(root: Path, file: str, zone: ZoneInfo) -> tuple[Front, tuple[Diagnostic, ...]]:
    """Read the front matter of one file. Findings: `encoding-error`, `front-matter-error`, `file-too-large`.

    Raises `OSError`.
    """
    path = root / file
    if path.stat().st_size > MAX_BYTES:
        hint = f"split it; {MAX_BYTES // 1024 // 1024} MiB is the limit of a document"
        return Front(), (Diagnostic("file-too-large", f"{file} is too large", Location(file), hint),)
    data = read(str(path))
    found = parse(data, file)
    reader = _Meta(found, file, zone)
    written = reader.text("title")
    heading = "" if written else first_heading(found.body)
    front = Front(
        title=written or heading,
        description=_on_one_line(reader.text("description")),
        date=reader.date("date"),
        updated=reader.date("updated", "lastmod", "last_updated"),
        tags=reader.tags(),
        draft=reader.flag("draft"),
        meta=found.meta,
        lines=shared_lines(tuple(found.lines.items())),
        body_line=found.body_line,
        digest=hashlib.sha256(data).hexdigest(),
        head=_head(found.meta, heading),
    )
    return front, (*found.findings, *reader.findings)


def _on_one_line(text: str) -> str:
    """A text with single spaces; the same object where it has none but these, so that it is held once."""
    joined = " ".join(text.split())
    return text if joined == text else joined


def _head(meta: Mapping[str, Any], heading: str) -> str:
    said = json.dumps([meta, heading], separators=(",", ":")).encode("ascii")
    return hashlib.sha256(said).hexdigest()[:_SHORT]


@lru_cache(maxsize=1024)
def shared_lines(items: tuple[tuple[str, int], ...]) -> Mapping[str, int]:
    """The lines of keys; most documents of a site have the same, and then share them."""
    return dict(items)


class _Meta:
    """Reads the keys that mean something to us and collects what does not fit."""

    def __init__(self, found: FrontMatter, file: str, zone: ZoneInfo) -> None:
        self.meta = found.meta
        self.lines = found.lines
        self.file = file
        self.zone = zone
        self.findings: list[Diagnostic] = []

    def fault(self, key: str, message: str, hint: str) -> None:
        at = Location(self.file, self.lines.get(key))
        self.findings.append(Diagnostic("front-matter-error", message, at, hint))

    def text(self, key: str) -> str:
        value = self.meta.get(key)
        if value is None or (isinstance(value, Mapping) and key == "title"):
            return ""
        if isinstance(value, str | int | float):
            return str(value).strip()
        self.fault(key, f"{key} must be text", f'write {key}: "…"')
        return ""

    def date(self, *keys: str) -> datetime | None:
        key = next((k for k in keys if self.meta.get(k) not in (None, "")), None)
        if key is None:
            return None
        found = parse_date(self.meta[key], self.zone)
        if found is None:
            self.fault(key, f'{key} is not a date: "{self.meta[key]}"', f"write {key}: 2026-01-31")
        return found

    def flag(self, key: str) -> bool:
        value = self.meta.get(key, False)
        if isinstance(value, bool):
            return value
        self.fault(key, f'{key} must be true or false, not "{value}"', f"write {key}: true")
        return False

    def tags(self) -> tuple[str, ...]:
        value = self.meta.get("tags") or []
        names = value.split(",") if isinstance(value, str) else value
        if isinstance(names, list) and all(isinstance(name, str | int | float) for name in names):
            return tuple(dict.fromkeys(text for name in names if (text := str(name).strip())))
        self.fault("tags", "tags must be a list of texts", "write tags: [one, two]")
        return ()


def first_heading(body: str) -> str:
    """The text of the first H1 that stands before any code fence, without its marks; "" when there is none."""
    fence = _FENCE.search(body)
    head = body[: fence.start()] if fence else body
    found = min(
        (m for m in (_HEADING.search(head), _SETEXT.search(head)) if m), key=lambda m: m.start(), default=None
    )
    return plain(found[1]) if found else ""


def plain(text: str) -> str:
    """Inline Markdown as plain text: `**a** [b](c)` → `a b`."""
    return _MARKS.sub("", _LINK.sub(r"\1", text)).strip()
