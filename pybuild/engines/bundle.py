"""A folder as one object, and back: how a site travels to machines that do not see its disk.

Owns the form: a tar file without times and owners, so that equal folders have equal digests. Knows no site.
Source of truth: the Python documentation of `tarfile`, "Extraction filters".
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import tarfile
from collections.abc import Iterable
from pathlib import Path


def pack_folder(root: Path, paths: Iterable[str]) -> tuple[str, bytes]:
    """Pack files below `root`; return the sha256 and the bytes. A file that is gone by now is left out."""
    written = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=written, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as bundle,
    ):
        for path in sorted(paths):
            with contextlib.suppress(OSError):
                file = root / path
                body = file.read_bytes()
                entry = tarfile.TarInfo(path)
                entry.size = len(body)
                entry.mode = 0o755 if file.stat().st_mode & 0o100 else 0o644
                bundle.addfile(entry, io.BytesIO(body))
    body = written.getvalue()
    return hashlib.sha256(body).hexdigest(), body


def unpack_folder(bundle: bytes, folder: Path) -> None:
    """Unpack into a folder; nothing leaves it."""
    with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:gz") as packed:
        packed.extraction_filter = staticmethod(tarfile.data_filter)
        packed.extractall(folder)
