"""What a peer is: how it is installed, how a site of it looks, and what builds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

LAYOUT_LINKS = '<p><a href="/sitemap.xml">Sitemap</a></p>'


@dataclass(frozen=True)
class Peer:
    """One builder."""

    name: str
    install: Callable[[Path], str]  # takes the folder for tools; returns the version
    prepare: Callable[[Path, Path], None]  # (site folder, corpus): writes the site
    command: Callable[[Path, Path], Sequence[str]]  # (tools, site) → words, run in the site
    content: str  # folder of the pages in the site
    layout: str  # the file whose edit changes every page
    out: str
    state: tuple[str, ...] = ()  # folders to remove before a cold build, besides `out`


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
