"""What a peer is: how it is installed, how a site of it looks, and what builds it.

The job is the same for all, as far as one can do it: every page in one layout, an index of the collection with the
newest hundred pages, a feed of the newest twenty, a sitemap. Highlighting is what the builder does by default.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Peer:
    """One builder."""

    name: str
    install: Callable[[Path], str]  # takes the folder for tools; returns the version
    prepare: Callable[[Path, Path, Path], None]  # (tools, site, corpus): writes the site
    command: Callable[[Path], Sequence[str]]  # tools → words, run in the site
    content: str  # folder of the pages in the site
    layout: str  # the file whose edit changes every page
    index: str  # the file that makes the index of the collection
    out: str
    state: tuple[str, ...] = ()  # folders to remove before a cold build, besides `out`
    largest: int = 10_000  # pages it is asked to build by default
    descriptors: int = 0  # files it may hold open when memory is measured; 0 is the system's limit


def write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def npm(folder: Path, packages: Mapping[str, str], **more: object) -> None:
    """Install `packages` (name → version) into `folder`, once for these versions."""
    wanted = json.dumps({"private": True, "type": "module", "dependencies": dict(packages), **more}, indent=2)
    file = folder / "package.json"
    if (folder / "node_modules").is_dir() and file.read_text("utf-8") == wanted:
        return
    write(file, wanted)
    words = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    subprocess.run(words, cwd=folder, check=True, stderr=subprocess.DEVNULL)


def node_modules(folder: Path, site: Path) -> None:
    """Give `site` its own copy: builders keep caches there, and some refuse a link."""
    shutil.copytree(folder / "node_modules", site / "node_modules", symlinks=True)


def pip(folder: Path, *packages: str) -> None:
    """Install `packages` into a virtual environment at `folder`, once for these versions."""
    note = folder / "installed.txt"
    if note.exists() and note.read_text("utf-8") == " ".join(packages):
        return
    venv.create(folder, with_pip=True, clear=True)
    subprocess.run(
        [folder / "bin/pip", "install", "--quiet", *packages], check=True, stderr=subprocess.DEVNULL
    )
    write(note, " ".join(packages))
