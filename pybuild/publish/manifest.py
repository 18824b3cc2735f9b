"""The manifest: what was published, where it is kept, and how it is read back.

Owns the place of an output's state, the manifest file, the stamps beside it and the guard against a shrunken site.
Knows no page but its file. The manifest is the only licence to delete: one that cannot be read licenses nothing.
Stamps only spare reading: without them every published file is compared by its bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from operator import attrgetter
from pathlib import Path
from typing import Any

from pybuild.diagnostics import Diagnostic
from pybuild.publish.listing import Stamp
from pybuild.publish.state import STATE, read_file, replace_file, temporary_of
from pybuild.records import File, Manifest

VERSION = 2
_VERSION_1 = 1  # two more columns a row: modification time and inode
SHRUNK_PAGES = 10  # losing up to so many pages is never suspicious
SHRUNK_SHARE = 5  # nor is losing up to a fifth of them
ROWS_OF_LINE = 500  # a line of the file
_CHECK = hashlib.sha256().digest_size
STAMP = len(Stamp._fields)
_OUTSIDE = re.compile(r"\A/|\0|(?:\A|/)\.{0,2}(?:/|\Z)")  # or a part that is empty or leads nowhere
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
    def passing(self) -> tuple[Path, ...]:
        """The files that a publication which was cut off may leave here."""
        lasting = (self.manifest, self.stamps, self.spare_note)
        return (
            self.journal,
            self.next_manifest,
            *map(temporary_of, (*lasting, self.next_manifest, self.journal)),
        )

    @property
    def spare(self) -> Path:
        return self.state / "spare"

    @property
    def spare_note(self) -> Path:
        return self.state / "spare.json"

    @property
    def stamps(self) -> Path:
        return self.state / "stamps"

    @property
    def journal(self) -> Path:
        return self.state / "journal.json"


@dataclass(frozen=True, slots=True)
class PublishedState:
    """The last publication to one output."""

    rows: Mapping[str, File] = field(default_factory=dict)  # by path, in its order
    memo: Any = None  # a JSON value that was published along with the files, for whoever serves them
    generation: str = ""  # of this publication alone; "" where there was none
    stamps: Mapping[str, Stamp] = field(default_factory=dict)  # of files as they were when all was done

    @property
    def manifest(self) -> Manifest:
        return Manifest(tuple(self.rows.values()))


def is_inside(path: str) -> bool:
    """Whether a POSIX path, joined to a folder, stays in it by its text alone."""
    return _OUTSIDE.search(path) is None


def output_at(root: Path, out: Path) -> Output:
    """Name the state of the output folder `out` of the site at `root`. Symlinks are followed once, here."""
    root, out = root.resolve(), out.resolve()
    key = out.relative_to(root).as_posix() if out.is_relative_to(root) else out.as_posix()
    name = hashlib.sha256(os.fsencode(key)).hexdigest()[:16]
    return Output(root, out, key, root / STATE / "outputs" / name)


def load_manifest(output: Output) -> PublishedState:
    """Read what was published last; damaged, foreign or of another version, it is as if there were none."""
    return read_rows(output.manifest, output.key) or PublishedState()


def load_published(output: Output) -> PublishedState:
    """As `load_manifest`, with the stamps."""
    previous = load_manifest(output)
    numbers = read_numbers(output.stamps, previous.generation, len(previous.rows))
    stamps = map(Stamp._make, zip(*[iter(numbers)] * STAMP, strict=True))
    return replace(previous, stamps=dict(zip(previous.rows, stamps, strict=False)))


def read_rows(file: Path, key: str) -> PublishedState | None:
    """Read a manifest file for the output `key`; None where it is absent or cannot be trusted."""
    try:
        table = json.loads(read_file(file))
        if table["version"] not in (VERSION, _VERSION_1) or table["out"] != key:
            return None
        columns = len(_ROW_TYPES) + 2 * (table["version"] == _VERSION_1)
        rows = {file.path: file for file in (parse_row(raw, columns) for raw in table["files"])}
        return PublishedState(rows, table.get("memo"), str(table.get("generation", "")))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def save_rows(file: Path, key: str, rows: Iterable[File], memo: Any = None, generation: str = "") -> None:
    """Write a manifest of rows that are sorted by path: whole or not at all, and on the disk when it returns."""
    head = {"version": VERSION, "out": key, "generation": generation, "memo": memo, "files": []}
    opening = json_text(head).removesuffix("]}")
    left = map(format_row, rows)
    parts = (json_text(part)[1:-1] for part in iter(lambda: list(islice(left, ROWS_OF_LINE)), []))
    lines = (f",\n{part}" if number else part for number, part in enumerate(parts))
    replace_file(file, (line.encode("ascii") for line in chain([opening], lines, ["]}"])))


def write_json(file: Path, value: object) -> None:
    """Replace a file of the state."""
    replace_file(file, (json_text(value).encode("ascii"),))


def json_text(value: object) -> str:
    """As the files of the state hold it."""
    return json.dumps(value, separators=(",", ":"))


format_row = attrgetter(*File.__match_args__)
_ROW_TYPES = [str, str, str, int, str, str, list, bool]


def parse_row(raw: list[Any], columns: int = len(File.__match_args__)) -> File:
    """Read one row, or raise `ValueError`: a row decides what may be deleted, so nothing is guessed."""
    row = raw[: len(_ROW_TYPES)]
    if len(raw) != columns or [type(value) for value in row] != _ROW_TYPES or not is_inside(raw[0]):
        raise ValueError("not a row of a manifest")
    path, origin, digest, size, url, media_type, headers, page = row
    return File(path, origin, digest, size, url, media_type, tuple(map(_parse_header, headers)), page)


def _parse_header(raw: list[Any]) -> tuple[str, str]:
    if [type(value) for value in raw] != [str, str]:
        raise ValueError("not a header of a manifest")
    return raw[0], raw[1]


def save_stamps(file: Path, generation: str, stamps: Iterable[Stamp]) -> None:
    """Write what the disk says of the files of a publication, in the order of its manifest, in a form of their own."""
    try:
        save_numbers(file, generation, array("Q", chain.from_iterable(stamps)))
    except OverflowError:  # a time before 1970
        save_numbers(file, generation, array("Q"))


def save_numbers(file: Path, generation: str, numbers: array[int]) -> None:
    """Write stamps as numbers, `STAMP` each, with a check that ties them to the publication."""
    content = numbers.tobytes()
    replace_file(file, (_check(generation, content), content))


def read_numbers(file: Path, generation: str, count: int) -> array[int]:
    """The stamps of just this publication of so many files, as numbers; none where they cannot be trusted."""
    try:
        content = read_file(file)
        numbers = array("Q", content[_CHECK:])
    except (OSError, ValueError):
        return array("Q")
    is_sound = content[:_CHECK] == _check(generation, content[_CHECK:]) and len(numbers) == STAMP * count
    return numbers if is_sound else array("Q")


def _check(generation: str, numbers: bytes) -> bytes:
    return hashlib.sha256(generation.encode("utf-8", "surrogateescape") + b"\0" + numbers).digest()


def shrink_findings(old: Manifest, new: Iterable[File], *, allow: bool = False) -> tuple[Diagnostic, ...]:
    """Return `site-shrunk` when over 10 pages and over 20 % of those published last time would vanish.

    Pages are known by their address, so turning `trailing_slash` on or off loses none.
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
