"""A manifest that is read, and written again, line by line: an edit needs few of its rows.

Owns which line holds a path. Lines that nobody asks for are neither read nor changed. Knows no tree.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from pybuild.publish.manifest import ROWS_OF_LINE, VERSION, Output, format_row, json_text, parse_row
from pybuild.publish.state import read_file, replace_file
from pybuild.records import File

_REMEMBERED = 64  # lines that were read
_OPENING = b'"files":['
_scan = json.JSONDecoder().raw_decode


class ManifestLines(Mapping[str, File]):
    """The rows of the last publication, by path."""

    def __init__(self, output: Output) -> None:
        """Read its head. Raises `OSError`, and `ValueError` for one that another version wrote, or for another output."""
        *lines, last = read_file(output.manifest).split(b"\n")
        self._lines = [*lines, last]
        first = self._lines[0]
        opening = first.index(_OPENING, first.rindex(b'"memo":')) if first.count(_OPENING) == 1 else -1
        if opening < 0 or not last.endswith(b"]}"):
            raise ValueError("a manifest of another form")
        self._head = first[: opening + len(_OPENING)]
        self._lines[0] = first[len(self._head) :]
        self._lines[-1] = self._lines[-1].removesuffix(b"]}")
        self.head: dict[str, Any] = json.loads(self._head + b"]}")
        if self.head["version"] != VERSION or self.head["out"] != output.key:
            raise ValueError("a manifest of another output")
        self._read: dict[int, dict[str, File]] = {}
        self._changed: dict[int, dict[str, File]] = {}

    @property
    def generation(self) -> str:
        return str(self.head["generation"])

    @cached_property
    def _firsts(self) -> list[str]:
        """The first path of each line."""
        return [_scan(line[1:].decode("ascii"))[0] for line in self._lines if line.strip(b",")]

    def _rows(self, number: int) -> dict[str, File]:
        if number not in self._read:
            if len(self._read) == _REMEMBERED:
                self._read.clear()
            raw = json.loads(b"[" + self._lines[number].rstrip(b",") + b"]")
            self._read[number] = {row[0]: parse_row(row) for row in raw}
        return self._changed.get(number) or self._read[number]

    def _line_of(self, path: str) -> int:
        return bisect_right(self._firsts, path) - 1

    def place(self, path: str) -> int:
        """The number of a row. Raises `KeyError`."""
        number = self._line_of(path)
        return number * ROWS_OF_LINE + list(self._rows(number)).index(self[path].path)

    def __getitem__(self, path: str) -> File:
        number = self._line_of(path)
        if number < 0:
            raise KeyError(path)
        return self._rows(number)[path]

    def __iter__(self) -> Iterator[str]:
        for number in range(len(self._firsts)):
            yield from self._rows(number)

    def __len__(self) -> int:
        count = len(self._firsts)
        return (count - 1) * ROWS_OF_LINE + len(self._rows(count - 1)) if count else 0

    def replace(self, file: File) -> None:
        """Put another row in the place of the one of its path. Raises `KeyError`."""
        assert self[file.path].path == file.path, "a row replaces one of its path"
        number = self._line_of(file.path)
        self._changed[number] = {**self._rows(number), file.path: file}

    def save(self, output: Output, generation: str) -> None:
        """Write the manifest of the next publication, on the disk when it returns. Raises `OSError`."""
        for number, rows in self._changed.items():
            comma = b"," if number < len(self._lines) - 1 else b""
            text = json_text([format_row(file) for file in rows.values()])[1:-1]
            self._lines[number] = text.encode("ascii") + comma
        self._changed.clear()
        self._read.clear()
        opening = json_text({**self.head, "generation": generation, "files": []}).removesuffix("]}")
        parts = (
            line + b"\n" if number < len(self._lines) - 1 else line for number, line in enumerate(self._lines)
        )
        replace_file(output.next_manifest, (opening.encode("ascii"), *parts, b"]}"))
