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
    """A job's answer. Empty but for `findings` when the job failed.

    `links` lacks those of templates that another answer of the same process has; `shared` names them all.
    """

    files: tuple[File, ...] = ()
    page: Page | None = None
    redirection: Redirection | None = None
    links: tuple[Link, ...] = ()
    anchors: tuple[str, ...] = ()  # ids in the HTML
    assets: tuple[Asset, ...] = ()
    findings: tuple[Diagnostic, ...] = ()
    shared: bytes = b""  # digests of the links its templates give it, `LINK_DIGEST` bytes each
    hrefs: str = ""  # what its document links to inside the site, as written, a line each
    resolved: str = ""  # a digest of what became of them
