"""Front matter taken over from the last export.

Owns the decision that a file did not change: its stamp is the same, and was old enough to be trusted when it
was taken. Knows no page.
"""

from __future__ import annotations

import contextlib
import marshal
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pybuild.cache.fingerprint import Snapshot, Stamp, tool
from pybuild.cache.index import RowSet
from pybuild.cache.up_to_date import INDEX
from pybuild.compact import PLAIN, table
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.plain import codec_of
from pybuild.source.document import SUFFIXES, Front, read_front

VERSION = 4
_FRONT = codec_of(Front)


def kept_fronts(config: Config) -> RowSet:
    """The rows of the index in which an export keeps front matter."""
    return RowSet(config.state / "cache" / INDEX, "files", [VERSION, tool(), str(config.zone)])


def kept_front(kept: RowSet, file: str, stamp: Stamp | None) -> Front | None:
    """The front matter of a file as an export read it; None where its stamp was another one."""
    line = kept.get(file)
    with contextlib.suppress(TypeError, ValueError, KeyError):
        if line and tuple(line[0]) == stamp:
            return _FRONT.read(line[1])
    return None


def packed_front(config: Config, file: str) -> bytes:
    """The front matter of a file, to be sent to another process; b"" of one with findings, or that cannot be read."""
    with contextlib.suppress(OSError, ValueError):
        front, findings = read_front(config.root, file, config.zone)
        return b"" if findings else marshal.dumps(_FRONT.write(front))
    return b""


class FrontMatterCache:
    """The front matter of the files of one snapshot."""

    def __init__(self, config: Config, snapshot: Snapshot, kept: RowSet | None) -> None:
        self.last = -math.inf  # seconds since 1970 when the newest published document was dated
        self.due = math.inf  # when the first that waits is
        self._config = config
        self._snapshot = snapshot
        self._kept = kept
        self._lines = table(PLAIN, len(snapshot.stamps))  # file and value; None where the kept line holds
        self.is_same = True  # whether every file was taken over
        self.may_include = False  # whether a document may name other files
        self.ahead: dict[str, bytes] = {}  # what workers read, as `packed_front`, by file

    def unread(self) -> list[str]:
        """The documents of collections, where nothing is kept of any file."""
        if self._kept and self._kept.is_there:
            return []
        folders = tuple(f"{c.source.strip('/')}/" for c in self._config.settings.collections.values())
        return [
            file for file in self._snapshot.stamps if file.startswith(folders) and file.endswith(SUFFIXES)
        ]

    def read(self, root: Path, file: str, zone: ZoneInfo) -> tuple[Front, tuple[Diagnostic, ...]]:
        """Read the front matter of a file, or take it over. As `document.read_front`."""
        if known := kept_front(self._kept, file, self._snapshot.stamps.get(file)) if self._kept else None:
            self._lines.append((file, None))
            front, findings = known, tuple[Diagnostic, ...]()
        else:
            written = marshal.loads(self.ahead.pop(file)) if file in self.ahead else None
            front, findings = (_FRONT.read(written), ()) if written else read_front(root, file, zone)
            if not findings and file in self._snapshot.stamps and file not in self._snapshot.glance.fresh:
                self._lines.append((file, [self._snapshot.stamps[file], written or _FRONT.write(front)]))
                self.is_same = False
        self.may_include = self.may_include or front.may_include
        self._watch(front)
        return front, findings

    def lines(self) -> Iterator[tuple[str, Any]]:
        """What to keep for the next export."""
        yield from self._lines

    def _watch(self, front: Front) -> None:
        if front.date is None:
            return
        if front.date <= self._config.now:
            self.last = max(self.last, front.date.timestamp())
        else:
            self.due = min(self.due, front.date.timestamp())
