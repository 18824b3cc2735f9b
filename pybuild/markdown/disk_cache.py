"""What a slow engine made of a text, kept by the text.

Owns the folder where HTML is kept, one file a text, and its distrust: a file whose check fails is not there, and no part of
the way to it is a link. Knows no page and no address: all that is made of an engine's HTML is made anew.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from pybuild.markdown.engines import Engine
from pybuild.publish.state import check_folders, make_folders, open_file

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
            content = made.encode("utf-8", "surrogatepass")
            with contextlib.suppress(OSError), os.fdopen(_opened(Path(file)), "wb") as stream:
                stream.write(_check(content) + content)
        return made

    return html


def prune(folder: Path, documents: int) -> None:
    """Drop what was looked at longest ago, where far more is kept than there are documents. Raises `OSError`."""
    check_folders(folder)
    parts = [part for part in os.scandir(folder) if part.is_dir(follow_symlinks=False)]
    files = [
        entry for part in parts for entry in os.scandir(part.path) if not entry.is_dir(follow_symlinks=False)
    ]
    if len(files) > 2 * documents + _SPARE:
        for entry in sorted(files, key=lambda entry: entry.stat(follow_symlinks=False).st_mtime_ns)[
            : -documents or None
        ]:
            Path(entry.path).unlink(missing_ok=True)


def _opened(file: Path) -> int:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    try:
        return open_file(file, flags)
    except FileNotFoundError:
        make_folders(file.parent)
        return open_file(file, flags)


def _read(file: str) -> str | None:
    with contextlib.suppress(OSError, ValueError), os.fdopen(open_file(Path(file)), "rb") as stream:
        content = stream.read()
        if content[:_CHECK] == _check(content[_CHECK:]):
            os.utime(stream.fileno())
            return content[_CHECK:].decode("utf-8", "surrogatepass")
    return None


def _check(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_CHECK // 2).hexdigest().encode()
