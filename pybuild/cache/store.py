"""A file of checked lines: JSON values by their names.

Owns the format and its distrust: a line whose check fails is not there, and so is a file that was written for
another header. Values are read when they are asked for. Knows no page. Source: RFC 8259 for JSON.

A line is `check name TAB value`, name and value in JSON; the first line is named "" and holds the header.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii
from pathlib import Path
from typing import Any, BinaryIO

from pybuild.publish.state import open_file

_CHECK = 16  # hexadecimal digits
_decode = json.JSONDecoder().decode
_encode = json.JSONEncoder(separators=(",", ":")).encode


class RecordStore:
    """The lines of one file, found by name and read one by one."""

    def __init__(self, file: Path, header: Any) -> None:
        """Read what is there; nothing, where the header is another one. Raises nothing."""
        self.file = file
        self.header = header
        self._places: dict[bytes, int] = {}  # offsets of the lines
        self._stream: BinaryIO | None = None
        with contextlib.suppress(OSError):
            self._stream = os.fdopen(open_file(file), "rb")
            self._places = _places(self._stream, header)

    def get(self, name: str) -> Any:
        """The value of that name; None where there is none that can be trusted."""
        line = self._line(_text(name))
        return _decode(line[line.find(b"\t") + 1 : -1].decode("ascii")) if line else None

    def _line(self, key: bytes) -> bytes:
        place = self._places.get(key)
        if place is None or self._stream is None:
            return b""
        self._stream.seek(place)
        line = self._stream.readline()
        return line if _is_whole(line) else b""

    def write(self, lines: Iterable[tuple[str, Any]]) -> None:
        """Write the next file beside this one; `keep` puts it in its place.

        A value of None takes over the line that stands here. Raises `OSError`. Precondition: the site is locked.
        """
        self._next.unlink(missing_ok=True)
        with self._next.open("xb") as stream:
            stream.write(_format("", self.header))
            stream.writelines(filter(None, map(self._written, lines)))

    def keep(self) -> None:
        """Put what was written in the place of this file; nothing where nothing was. Raises `OSError`."""
        with contextlib.suppress(FileNotFoundError):
            self._next.replace(self.file)

    def close(self) -> None:
        """Let go of what was read: from now on there is nothing to get."""
        self._places = {}
        if self._stream:
            self._stream.close()
            self._stream = None

    def drop(self) -> None:
        """Leave this file as it is, whatever was written. Raises `OSError`."""
        self._next.unlink(missing_ok=True)

    @property
    def _next(self) -> Path:
        return self.file.with_name(self.file.name + ".next")

    def _written(self, line: tuple[str, Any]) -> bytes:
        name, value = line
        return self._line(_text(name)) if value is None else _format(name, value)


def _places(stream: BinaryIO, header: Any) -> dict[bytes, int]:
    first = stream.readline()
    if first != _format("", header):
        return {}
    return dict(_scan(stream, len(first)))


def _scan(stream: BinaryIO, start: int) -> Iterator[tuple[bytes, int]]:
    for line in stream:
        yield line[_CHECK + 1 : line.find(b"\t")], start
        start += len(line)


def _format(name: str, value: Any) -> bytes:
    text = _text(name) + b"\t" + _encode(value).encode("ascii")
    return _check(text) + b" " + text + b"\n"


def _is_whole(line: bytes) -> bool:
    return line[-1:] == b"\n" and line[:_CHECK] == _check(line[_CHECK + 1 : -1])


def _check(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=_CHECK // 2).hexdigest().encode()


def _text(name: str) -> bytes:
    return encode_basestring_ascii(name).encode("ascii")
