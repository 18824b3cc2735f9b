"""What a slow engine made of a text, kept by the text.

Owns the folder where HTML is kept, one file a text, and its distrust: a file whose check fails is not there. Knows no page
and no link: all that is made of an engine's HTML is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from pybuild.markdown.engines import Engine

_CHECK = 16  # hexadecimal digits
_SPARE = 256  # results that are kept beyond twice the number of documents


def cached(engine: Engine, folder: Path) -> Engine:
    """An engine that looks into `folder` first, which is for it alone. Two processes may use one folder."""

    def html(text: str) -> str:
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:40]
        file = f"{folder}/{digest[:2]}/{digest[2:]}"
        made = _read(file)
        if made is None:
            made = engine(text)
            _write(file, made.encode("utf-8", "surrogatepass"))
        return made

    return html


def prune(folder: Path, documents: int) -> None:
    """Drop what was looked at longest ago, where far more is kept than there are documents. Raises `OSError`."""
    files = [entry for part in os.scandir(folder) for entry in os.scandir(part.path)]
    if len(files) > 2 * documents + _SPARE:
        for entry in sorted(files, key=lambda entry: entry.stat().st_mtime_ns)[: -documents or None]:
            Path(entry.path).unlink(missing_ok=True)


def _write(file: str, content: bytes) -> None:
    with contextlib.suppress(OSError), _opened(Path(file)) as stream:
        stream.write(_check(content) + content)


def _opened(file: Path) -> BinaryIO:
    try:
        return file.open("wb")
    except FileNotFoundError:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return file.open("wb")


def _read(file: str) -> str | None:
    with contextlib.suppress(OSError, ValueError):
        with Path(file).open("rb") as stream:
            content = stream.read()
        if content[:_CHECK] == _check(content[_CHECK:]):
            os.utime(file)
            return content[_CHECK:].decode("utf-8", "surrogatepass")
    return None


def _check(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECK // 2).hexdigest().encode()
