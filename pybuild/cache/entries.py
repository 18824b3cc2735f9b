"""Rendered rows and findings as JSON values, and back.

Owns both spellings. Knows no key and no file. What cannot be read back raises `ValueError`, `TypeError` or
`IndexError`, which the reader of a cache takes as a miss.
"""

from __future__ import annotations

from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.records import File, Files, Link, Page, Redirection
from pybuild.render.links import Asset
from pybuild.render.result import Rendered

_FILE, _PAGE, _LINK = (attrgetter(*noun.__match_args__) for noun in (File, Page, Link))
_REDIRECTION = attrgetter(*Redirection.__match_args__)


def to_value(row: Rendered, root: Path) -> list[Any]:
    """Write a row, without what others share with it; files on disk become relative to `root`."""
    return [
        [_FILE(file) for file in row.files],
        _PAGE(row.page) if row.page else None,
        _REDIRECTION(row.redirection) if row.redirection else None,
        row.links,
        row.anchors,
        [[asset.path, asset.file.as_posix()] for asset in row.assets],
        [finding_value(finding) for finding in row.findings],
        row.template_link_ids.hex(),
        row.document_hrefs,
        row.link_digest,
        row.pictures,
        row.keeps,
        row.places,
        row.fetched,
    ]


def from_value(value: list[Any], root: Path, published: Files) -> Rendered:
    """Read a row. What is published already is taken from there, so that it is not held twice."""
    files, page, redirection, links, anchors, assets, findings, *others = value
    shared, hrefs, resolved, pictures, keeps, places, fetched = others
    return Rendered(
        files=tuple(_file(file, published) for file in files),
        page=Page(*[_tupled(v) if v.__class__ is list else v for v in page]) if page else None,
        redirection=_redirection(*redirection) if redirection else None,
        links=links,
        anchors=anchors,
        assets=tuple(_asset(*asset) for asset in assets),
        findings=tuple(map(to_finding, findings)),
        template_link_ids=bytes.fromhex(shared),
        document_hrefs=hrefs,
        link_digest=resolved,
        pictures=pictures,
        fetched=_tupled(fetched),
        keeps=keeps,
        places=tuple(places),
    )


@lru_cache(maxsize=4096)
def _asset(path: str, file: str) -> Asset:
    """A file that is published because a page names it; most pages name the same."""
    return Asset(path, Path(file))


def _redirection(*value: Any) -> Redirection:
    return Redirection(*(_tupled(one) if one.__class__ is list else one for one in value))


def _file(value: list[Any], published: Files) -> File:
    *plain, headers, is_page = value
    fields = (*plain, _tupled(headers), is_page)
    known = published.get(value[0])
    return known if known and _FILE(known) == fields else File(*fields)


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def link_value(link: Link) -> list[Any]:
    """Write a link."""
    return list(_LINK(link))


def finding_value(finding: Diagnostic) -> list[Any]:
    """Write a finding."""
    notes = [[note.message, _place(note.location)] for note in finding.notes]
    return [
        finding.code,
        finding.message,
        _place(finding.location),
        finding.hint,
        notes,
        finding.severity,
        finding.subject,
    ]


def _place(at: Location) -> list[Any]:
    return [at.file, at.line, at.column]


def to_finding(value: list[Any]) -> Diagnostic:
    """Read a finding."""
    code, message, at, hint, notes, severity, subject = value
    read = tuple(Note(text, Location(*place)) for text, place in notes)
    return Diagnostic(code, message, Location(*at), hint, read, severity, subject)
