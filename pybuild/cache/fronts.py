"""Front matter taken over from the last export.

Owns the decision that a file did not change: its stamp is the same, and was old enough to be trusted when it
was taken. Knows no page.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pybuild.cache.ledger import Ledger
from pybuild.cache.snapshot import Snapshot
from pybuild.config import Config
from pybuild.content import Front, read_front
from pybuild.dates import parse_date
from pybuild.diagnostics import Diagnostic


class Fronts:
    """The front matter of the files of one snapshot."""

    def __init__(self, config: Config, snapshot: Snapshot, ledger: Ledger | None) -> None:
        self.last = -math.inf  # seconds since 1970 when the newest published document was dated
        self.due = math.inf  # when the first that waits is
        self._config = config
        self._snapshot = snapshot
        self._ledger = ledger
        self._lines: dict[str, Any] = {}  # None where the line stands

    def read(self, root: Path, file: str) -> tuple[Front, tuple[Diagnostic, ...]]:
        """Read the front matter of a file, or take it over. As `content.read_front`."""
        known = self._known(file)
        front, findings = (known, ()) if known else read_front(root, file)
        if not (known or findings) and file in self._snapshot.stamps and file not in self._snapshot.fresh:
            said = [front.meta, front.lines, front.body_line, front.heading, front.digest]
            self._lines[file] = [self._snapshot.stamps[file], said]
        self._watch(front)
        return front, findings

    def lines(self) -> Iterator[tuple[str, Any]]:
        """What to keep for the next export."""
        yield from sorted(self._lines.items(), key=lambda line: line[0])

    @property
    def is_same(self) -> bool:
        """Whether every file was taken over."""
        return not any(self._lines.values())

    def _known(self, file: str) -> Front | None:
        line = self._ledger.get(file) if self._ledger else None
        with contextlib.suppress(TypeError, ValueError, KeyError):
            if line and tuple(line[0]) == self._snapshot.stamps.get(file):
                self._lines[file] = None
                return Front(*line[1])
        return None

    def _watch(self, front: Front) -> None:
        moment = parse_date(front.meta.get("date"), self._config.zone) if "date" in front.meta else None
        if moment is None:
            return
        if moment <= self._config.now:
            self.last = max(self.last, moment.timestamp())
        else:
            self.due = min(self.due, moment.timestamp())
