"""Markdown documents: what their front matter says, and where they answer.

Owns the reading of collections and of `page.md` up to the body; bodies are read again where they are
rendered, so that only some hundred bytes a document stay. Knows no template and no layout.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pybuild.config import Collection, Config
from pybuild.dates import parse_date
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.frontmatter import parse
from pybuild.routing.segments import Pattern
from pybuild.urls import nfc, segment_fault
from pybuild.walk import Found, walk

SUFFIXES = (".md", ".markdown")
MAX_BYTES = 16 * 1024 * 1024
_SHORT = 32  # hexadecimal digits
_HEADING = re.compile(r"^ {0,3}# +(.+?)(?: +#+)? *$", re.M)
_SETEXT = re.compile(r"^ {0,3}(\S[^\n]*)\n {0,3}=+ *$", re.M)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)", re.M)
_LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
_MARKS = re.compile(r"[`*]|(?<!\w)_|_(?!\w)|\\(?=[^\w\s])")


@dataclass(frozen=True, slots=True)
class Entry:
    """One Markdown document without its body."""

    file: str  # relative to the site, POSIX
    collection: str  # name; "" for a page.md
    slug: str  # "a/b"; "" for the index of the collection
    url: str  # decoded; "" for a page.md, which has its route's
    title: str
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

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.slug.split("/")) if self.slug else ()


@dataclass(frozen=True, slots=True)
class Front:
    """What stands in one file above its body, and what is known of the whole of it."""

    meta: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    body_line: int = 1  # 1-based
    heading: str = ""  # the first of the body, where the front matter has no title
    digest: str = ""  # sha256 of the file, hexadecimal

    @property
    def head(self) -> str:
        """A digest of what is known without the body."""
        said = json.dumps([self.meta, self.heading], separators=(",", ":")).encode("ascii")
        return hashlib.sha256(said).hexdigest()[:_SHORT]


ReadFront = Callable[[Path, str], tuple[Front, tuple[Diagnostic, ...]]]
"""Takes the site's folder and a file of it. Findings: those of `read_front`. Raises `OSError`."""


def read_front(root: Path, file: str) -> tuple[Front, tuple[Diagnostic, ...]]:
    """Read the front matter of one file. Findings: `encoding-error`, `front-matter-error`, `file-too-large`.

    Raises `OSError`.
    """
    path = root / file
    if path.stat().st_size > MAX_BYTES:
        hint = f"split it; {MAX_BYTES // 1024 // 1024} MiB is the limit of a document"
        return Front(), (Diagnostic("file-too-large", f"{file} is too large", Location(file), hint),)
    data = path.read_bytes()
    found = parse(data, file)
    title = found.meta.get("title")
    has_title = isinstance(title, str | int | float) and bool(str(title).strip())
    heading = "" if has_title else first_heading(found.body)
    digest = hashlib.sha256(data).hexdigest()
    return Front(found.meta, found.lines, found.body_line, heading, digest), found.findings


def read_collection(
    config: Config, collection: Collection, pattern: Pattern, fronts: ReadFront = read_front
) -> tuple[tuple[Entry, ...], tuple[Diagnostic, ...]]:
    """Read the front matter of every document of a collection, sorted by slug.

    Findings: `unsafe-path`, `encoding-error`, `front-matter-error`, `invalid-static-params`.
    """
    entries: list[Entry] = []
    findings: list[Diagnostic] = []
    if not (config.root / collection.source).is_dir():
        findings.append(_no_folder(collection))
    for found in walk(config.root, collection.source, skip=_is_hidden):
        if isinstance(found, Diagnostic):
            findings.append(found)
        elif fault := _suffix_fault(f"{collection.source.strip('/')}/{found.path}"):
            findings.append(fault)
        elif found.path.endswith(SUFFIXES):
            entry, faults = _read_document(config, collection, pattern, found, fronts)
            findings += faults
            entries += [entry] if entry else []
    kept = [entry for entry in entries if is_public(entry, config)]
    return tuple(sorted(kept, key=lambda e: e.segments)), tuple(findings)


def _no_folder(collection: Collection) -> Diagnostic:
    message = f'the collection "{collection.name}" has no folder {collection.source}'
    return Diagnostic("config-error", message, collection.location, "make the folder, or correct source")


def _suffix_fault(file: str) -> Diagnostic | None:
    """Warn of a file that is a document but for its suffix."""
    suffix = file.rpartition(".")[2]
    if suffix.lower() not in {"md", "markdown", "mdx", "mdown"} or file.endswith(SUFFIXES):
        return None
    message = f'{file} is not read: documents end with ".md"'
    hint = "rename it; Markdown is never run as code" if suffix.lower() == "mdx" else "rename it"
    return warning("unknown-export", message, Location(file), hint)


def _is_hidden(path: str) -> bool:
    return path.rpartition("/")[2].startswith(".")


def is_public(entry: Entry, config: Config) -> bool:
    """Whether a document is published: no draft, not dated in the future, unless the command line says so."""
    if entry.draft and not config.options.drafts:
        return False
    return config.options.future or entry.date is None or entry.date <= config.now


def _read_document(
    config: Config, collection: Collection, pattern: Pattern, found: Found, fronts: ReadFront
) -> tuple[Entry | None, list[Diagnostic]]:
    file = f"{collection.source.strip('/')}/{found.path}"
    segments = slug_of(found.path)
    for segment in segments:
        if fault := segment_fault(segment):
            hint = "rename the file or folder"
            return None, [
                Diagnostic(
                    "invalid-static-params",
                    f'"{segment}" cannot be part of a URL: {fault}',
                    Location(file),
                    hint,
                )
            ]
    url, finding = _place(pattern, segments, file)
    entry, findings = read_entry(config.root, file, config.zone, fronts)
    if finding:
        return None, [*findings, finding]
    if entry is None:
        return None, list(findings)
    placed = replace(entry, collection=collection.name, slug="/".join(segments), url=url)
    return placed, list(findings)


def slug_of(path: str) -> tuple[str, ...]:
    """`guides/intro.md` → `("guides", "intro")`; `index.md` stands for its folder."""
    parts = nfc(path.rpartition(".")[0]).split("/")
    return tuple(parts[:-1] if parts[-1] == "index" else parts)


def _place(pattern: Pattern, segments: Sequence[str], file: str) -> tuple[str, Diagnostic | None]:
    """The URL of a document under the collection's route."""
    name = pattern.params[0]
    if not segments:
        return Pattern(pattern.segments[:-1]).fill({}), None
    if pattern.segments[-1].is_catch_all:
        return pattern.fill({name: tuple(segments)}), None
    if len(segments) == 1:
        return pattern.fill({name: segments[0]}), None
    message = f"{file} lies in a subfolder, but the route {pattern} takes one segment"
    hint = f"write the route with [...{name}], or move the file up"
    return "", Diagnostic("invalid-static-params", message, Location(file), hint)


def read_entry(
    root: Path, file: str, zone: ZoneInfo, fronts: ReadFront = read_front
) -> tuple[Entry | None, tuple[Diagnostic, ...]]:
    """Read the front matter of one document. Findings: those of `fronts`, and `unsafe-path`."""
    try:
        front, faults = fronts(root, file)
    except OSError as fault:
        message = f"{file} cannot be read: {fault.strerror}"
        return None, (Diagnostic("unsafe-path", message, Location(file), "let it be read"),)
    reader = _Meta(front, file, zone)
    entry = Entry(
        file=file,
        collection="",
        slug="",
        url="",
        title=reader.text("title") or front.heading or _name_title(file),
        description=" ".join(reader.text("description").split()),
        date=reader.date("date"),
        updated=reader.date("updated", "lastmod", "last_updated"),
        tags=reader.tags(),
        draft=reader.flag("draft"),
        meta=front.meta,
        lines=front.lines,
        body_line=front.body_line,
        digest=front.digest,
        head=front.head,
    )
    findings = (*faults, *reader.findings)
    return (None if any(f.is_error for f in findings) else entry), findings


class _Meta:
    """Reads the keys that mean something to us and collects what does not fit."""

    def __init__(self, front: Front, file: str, zone: ZoneInfo) -> None:
        self.meta = front.meta
        self.lines = front.lines
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


def _name_title(file: str) -> str:
    stem = file.rpartition("/")[2].rpartition(".")[0]
    if stem in {"index", "page"}:
        stem = file.split("/")[-2] if file.count("/") > 1 else stem
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
