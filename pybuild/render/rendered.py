"""What comes back from rendering one job: rows, never bodies.

Owns the value that crosses from a worker to the export. Knows no template and no engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from pybuild.artifact import File, Link, Page, Redirection
from pybuild.diagnostics import Diagnostic
from pybuild.render.links import Asset


@dataclass(frozen=True, slots=True)
class Rendered:
    """A job's answer. Empty but for `findings` when the job failed."""

    files: tuple[File, ...] = ()
    page: Page | None = None
    redirection: Redirection | None = None
    links: tuple[Link, ...] = ()
    anchors: tuple[str, ...] = ()  # ids in the HTML
    assets: tuple[Asset, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
