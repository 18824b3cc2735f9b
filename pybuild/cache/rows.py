"""Rendered rows and findings as JSON values, and back.

Owns both spellings. Knows no key and no file. What cannot be read back raises `ValueError`, `TypeError` or
`IndexError`, which the reader of a cache takes as a miss.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pybuild.artifact import File, Link, Page, Redirection
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.render.links import Asset
from pybuild.render.rendered import Rendered

_FILE, _PAGE, _LINK = File.__match_args__, Page.__match_args__, Link.__match_args__
_REDIRECTION = Redirection.__match_args__


def to_value(row: Rendered, root: Path) -> list[Any]:
    """Write a row; files on disk become relative to `root`."""
    return [
        [[getattr(file, name) for name in _FILE] for file in row.files],
        [getattr(row.page, name) for name in _PAGE] if row.page else None,
        [getattr(row.redirection, name) for name in _REDIRECTION] if row.redirection else None,
        [link_value(link) for link in row.links],
        row.anchors,
        [[asset.path, asset.file.relative_to(root).as_posix()] for asset in row.assets],
        [finding_value(finding) for finding in row.findings],
        row.shared.hex(),
        row.hrefs,
        row.resolved,
    ]


def from_value(value: list[Any], root: Path) -> Rendered:
    """Read a row."""
    files, page, redirection, links, anchors, assets, findings, shared, hrefs, resolved = value
    return Rendered(
        files=tuple(File(*map(_tupled, file)) for file in files),
        page=Page(*map(_tupled, page)) if page else None,
        redirection=Redirection(*redirection) if redirection else None,
        links=tuple(Link(*link) for link in links),
        anchors=tuple(anchors),
        assets=tuple(Asset(path, root / file) for path, file in assets),
        findings=tuple(map(to_finding, findings)),
        shared=bytes.fromhex(shared),
        hrefs=hrefs,
        resolved=resolved,
    )


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def link_value(link: Link) -> list[Any]:
    """Write a link."""
    return [getattr(link, name) for name in _LINK]


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
    ]


def _place(at: Location) -> list[Any]:
    return [at.file, at.line, at.column]


def to_finding(value: list[Any]) -> Diagnostic:
    """Read a finding."""
    code, message, at, hint, notes, severity = value
    told = tuple(Note(text, Location(*place)) for text, place in notes)
    return Diagnostic(code, message, Location(*at), hint, told, severity)
