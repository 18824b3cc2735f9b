"""The manifest: what was published, where it is kept, and how it is read back.

Owns the place of an output's state, the manifest file and the guard against a shrunken site. Knows no page
but its file. The manifest is the only licence to delete: one that cannot be read licenses nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any

from pybuild.diagnostics import Diagnostic
from pybuild.publish.listing import Seen
from pybuild.publish.syscalls import sync_folder
from pybuild.records import File, Manifest

VERSION = 1
SHRUNK_PAGES = 10  # losing up to so many pages is never suspicious
SHRUNK_SHARE = 5  # nor is losing up to a fifth of them
_ROWS = 500  # a line of the file
_LEAVING = frozenset({"", ".", ".."})
FILE_MODE = 0o644
FOLDER_MODE = 0o755


@dataclass(frozen=True, slots=True)
class Output:
    """An output folder of a site and the places where its state is kept. `out` need not exist."""

    root: Path  # of the site, resolved
    out: Path  # resolved
    key: str  # relative to the site where it lies inside, so that a moved site keeps its manifest
    state: Path  # folder for the manifest and the journal of this output alone

    @property
    def manifest(self) -> Path:
        return self.state / "manifest.json"

    @property
    def next_manifest(self) -> Path:
        return self.state / "manifest.next.json"

    @property
    def journal(self) -> Path:
        return self.state / "journal.json"


@dataclass(frozen=True, slots=True)
class Row:
    """A published file, and what the disk said of it right after publishing."""

    file: File
    mtime_ns: int
    ino: int

    def matches(self, seen: os.stat_result | Seen) -> bool:
        """Whether a file on disk is still the very file that was published."""
        return (
            seen.st_mode == stat.S_IFREG | FILE_MODE
            and seen.st_size == self.file.size
            and seen.st_mtime_ns == self.mtime_ns
            and seen.st_ino == self.ino
        )


@dataclass(frozen=True, slots=True)
class PublishedState:
    """The last publication to one output."""

    rows: Mapping[str, Row] = field(default_factory=dict)  # by path, in its order
    memo: Any = None  # a JSON value that was published along with the files, for whoever serves them

    @property
    def manifest(self) -> Manifest:
        return Manifest(tuple(row.file for row in self.rows.values()))


def is_inside(path: str) -> bool:
    """Whether a POSIX path, joined to a folder, stays in it by its text alone."""
    return (
        path[:1] != "/" and "\0" not in path and not any(part in {"", ".", ".."} for part in path.split("/"))
    )


def output_at(root: Path, out: Path) -> Output:
    """Name the state of the output folder `out` of the site at `root`. Symlinks are followed once, here."""
    root, out = root.resolve(), out.resolve()
    key = out.relative_to(root).as_posix() if out.is_relative_to(root) else out.as_posix()
    name = hashlib.sha256(os.fsencode(key)).hexdigest()[:16]
    return Output(root, out, key, root / ".pybuild" / "outputs" / name)


def load_manifest(output: Output) -> PublishedState:
    """Read what was published last; damaged, foreign or of another version, it is as if there were none."""
    return read_rows(output.manifest, output.key) or PublishedState()


def read_rows(file: Path, key: str) -> PublishedState | None:
    """Read a manifest file for the output `key`; None where it is absent or cannot be trusted."""
    try:
        table = json.loads(file.read_bytes())
        if table["version"] != VERSION or table["out"] != key:
            return None
        rows = {row.file.path: row for row in map(_parse_row, table["files"])}
        return PublishedState(rows, table.get("memo"))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def save_rows(file: Path, key: str, rows: Iterable[Row], memo: Any = None) -> None:
    """Write a manifest of rows that are sorted by path: whole or not at all, and on the disk when it returns."""
    head = {"version": VERSION, "out": key, "memo": memo, "files": []}
    opening = _json(head).removesuffix("]}")
    left = map(_format_row, rows)
    parts = (_json(part)[1:-1] for part in iter(lambda: list(islice(left, _ROWS)), []))
    lines = (f",\n{part}" if number else part for number, part in enumerate(parts))
    _replace(file, chain([opening], lines, ["]}"]))


def write_json(file: Path, value: object) -> None:
    """Replace a file of the state: temporary file, sync, rename, sync of the folder."""
    _replace(file, (_json(value),))


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))


def _replace(file: Path, parts: Iterable[str]) -> None:
    temporary = file.with_name(file.name + ".tmp")
    try:
        with temporary.open("wb") as stream:
            stream.writelines(part.encode("ascii") for part in parts)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as fault:
        fault.filename = fault.filename or str(temporary)  # a failed write does not say where
        raise
    temporary.replace(file)
    sync_folder(file.parent)


def _format_row(row: Row) -> list[object]:
    file = row.file
    return [
        file.path,
        file.origin,
        file.digest,
        file.size,
        file.url,
        file.media_type,
        file.headers,
        file.page,
        row.mtime_ns,
        row.ino,
    ]


_ROW_TYPES = [str, str, str, int, str, str, list, bool, int, int]


def _parse_row(raw: list[Any]) -> Row:
    """Read one row, or raise `ValueError`: a row decides what may be deleted, so nothing is guessed."""
    if [type(value) for value in raw] != _ROW_TYPES or not is_inside(raw[0]):
        raise ValueError("not a row of a manifest")
    path, origin, digest, size, url, media_type, headers, page, mtime_ns, ino = raw
    pairs = tuple(map(_parse_header, headers))
    return Row(File(path, origin, digest, size, url, media_type, pairs, page), mtime_ns, ino)


def _parse_header(raw: list[Any]) -> tuple[str, str]:
    if [type(value) for value in raw] != [str, str]:
        raise ValueError("not a header of a manifest")
    return raw[0], raw[1]


def shrink_findings(old: Manifest, new: Iterable[File], *, allow: bool = False) -> tuple[Diagnostic, ...]:
    """Return `site-shrunk` when over 10 pages and over 20 % of those published last time would vanish.

    Pages are told by their address, so turning `trailing_slash` on or off loses none.
    """
    pages = {_address(file) for file in old.files if file.page}
    kept = {_address(file) for file in new if file.page} if pages else set()
    gone = sorted(pages - kept)
    if allow or len(gone) <= SHRUNK_PAGES or len(gone) * SHRUNK_SHARE <= len(pages):
        return ()
    named = ", ".join(gone[:3])
    message = f"{len(gone)} of the {len(pages)} pages published last time would vanish, among them {named}"
    hint = "check that the content and its sources are complete; if they are, export with --allow-shrink"
    return (Diagnostic("site-shrunk", message, hint=hint),)


def _address(file: File) -> str:
    url = file.url or f"/{file.path}"
    for ending in ("/index.html", ".html", "/"):
        url = url.removesuffix(ending)
    return url or "/"
