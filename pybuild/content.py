"""Markdown documents: which there are, and where they answer.

Owns the reading of collections and of `page.md` up to the body; bodies are read again where they are
rendered, so that only some hundred bytes a document stay. Knows no template and no layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any

from pybuild.config import Collection, Config
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.front import ReadFront, read_front, shared_lines
from pybuild.packed import Shape, table
from pybuild.routing.segments import Pattern
from pybuild.urls import nfc, segment_fault
from pybuild.walk import walk

SUFFIXES = (".md", ".markdown")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document stands, and where it answers."""

    file: str  # relative to the site, POSIX
    collection: str = ""  # name; "" for a page.md
    slug: str = ""  # "a/b"; "" for the index of the collection
    url: str = ""  # decoded; "" for a page.md, which has its route's

    @property
    def segments(self) -> tuple[str, ...]:
        return _segments(self.slug)


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
        return _segments(self.slug)


def _segments(slug: str) -> tuple[str, ...]:
    return tuple(slug.split("/")) if slug else ()


_ENTRY = attrgetter(*Entry.__match_args__)
_AT = {name: number for number, name in enumerate(Entry.__match_args__)}
_PLACE = attrgetter(*Place.__match_args__)
_FRONT = attrgetter(*Entry.__match_args__[5:])  # what of an entry its front matter says, but the title


def _write(entry: Entry) -> list[Any]:
    values = list(_ENTRY(entry))
    for name in ("date", "updated"):
        moment = getattr(entry, name)
        values[_AT[name]] = moment and moment.isoformat()
    values[_AT["lines"]] = tuple(entry.lines.items())
    return values


def _read(values: list[Any]) -> Entry:
    values = values.copy()
    for name in ("date", "updated"):
        moment = values[_AT[name]]
        values[_AT[name]] = moment and datetime.fromisoformat(moment)
    values[_AT["lines"]] = shared_lines(values[_AT["lines"]])
    return Entry(*values)


ENTRY = Shape(_write, _read)


def read_collection(
    config: Config, collection: Collection, pattern: Pattern, fronts: ReadFront = read_front
) -> tuple[Sequence[Entry], tuple[Diagnostic, ...]]:
    """Read the front matter of every document of a collection, sorted by slug.

    Findings: `unsafe-path`, `encoding-error`, `front-matter-error`, `invalid-static-params`.
    """
    places, findings = _places(config, collection, pattern)
    entries = table(ENTRY, len(places))
    for place in sorted(places, key=lambda place: place.segments):
        entry, faults = read_entry(config, place, fronts)
        findings += faults
        if entry and is_public(entry, config):
            entries.append(entry)
    return entries, tuple(findings)


def _places(config: Config, collection: Collection, pattern: Pattern) -> tuple[list[Place], list[Diagnostic]]:
    """Where the documents of a collection stand and answer."""
    places: list[Place] = []
    findings: list[Diagnostic] = []
    if not (config.root / collection.source).is_dir():
        findings.append(_no_folder(collection))
    for found in walk(config.root, collection.source, skip=_is_hidden):
        if isinstance(found, Diagnostic):
            findings.append(found)
        elif fault := _suffix_fault(f"{collection.source.strip('/')}/{found.path}"):
            findings.append(fault)
        elif found.path.endswith(SUFFIXES):
            place, fault = _placed(collection, pattern, found.path)
            places += [place] if place else []
            findings += [fault] if fault else []
    return places, findings


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


def slug_of(path: str) -> tuple[str, ...]:
    """`guides/intro.md` → `("guides", "intro")`; `index.md` stands for its folder."""
    parts = nfc(path.rpartition(".")[0]).split("/")
    return tuple(parts[:-1] if parts[-1] == "index" else parts)


def _url(pattern: Pattern, segments: Sequence[str], file: str) -> tuple[str, Diagnostic | None]:
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


def _placed(collection: Collection, pattern: Pattern, path: str) -> tuple[Place | None, Diagnostic | None]:
    """Where a document of a collection answers; None and `invalid-static-params` where it cannot."""
    file = f"{collection.source.strip('/')}/{path}"
    segments = slug_of(path)
    for segment in segments:
        if fault := segment_fault(segment):
            message = f'"{segment}" cannot be part of a URL: {fault}'
            hint = "rename the file or folder"
            return None, Diagnostic("invalid-static-params", message, Location(file), hint)
    url, finding = _url(pattern, segments, file)
    return (None if finding else Place(file, collection.name, "/".join(segments), url)), finding


def read_entry(
    config: Config, place: Place, fronts: ReadFront = read_front
) -> tuple[Entry | None, tuple[Diagnostic, ...]]:
    """Read the front matter of one document. Findings: those of `fronts`, and `unsafe-path`."""
    try:
        front, findings = fronts(config.root, place.file, config.zone)
    except OSError as fault:
        message = f"{place.file} cannot be read: {fault.strerror}"
        return None, (Diagnostic("unsafe-path", message, Location(place.file), "let it be read"),)
    if any(finding.is_error for finding in findings):
        return None, findings
    return Entry(*_PLACE(place), front.title or _name_title(place.file), *_FRONT(front)), findings


def _name_title(file: str) -> str:
    stem = file.rpartition("/")[2].rpartition(".")[0]
    if stem in {"index", "page"}:
        stem = file.split("/")[-2] if file.count("/") > 1 else stem
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
