"""What comes back from rendering one job: rows, never bodies.

Owns the value that crosses from a worker to the export. Knows no template and no engine.
"""

from __future__ import annotations

from dataclasses import dataclass

from pybuild.artifact import File, Link, Page, Redirection
from pybuild.diagnostics import Diagnostic
from pybuild.render.links import Asset

LINK_DIGEST = 8


@dataclass(frozen=True, slots=True)
class Rendered:
    """A job's answer. Empty but for `findings` when the job failed."""

    files: tuple[File, ...] = ()
    page: Page | None = None
    redirection: Redirection | None = None
    links: str = ""  # of its document, packed
    anchors: str = ""  # ids in the HTML, a line each, between line ends
    assets: tuple[Asset, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    given: tuple[Link, ...] = ()  # of templates, but those that another answer of the same process has
    shared: bytes = b""  # digests of all links that templates give it, `LINK_DIGEST` bytes each
    hrefs: str = ""  # what its document links to inside the site, as written, a line each
    resolved: str = ""  # a digest of what became of them
