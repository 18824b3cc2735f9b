"""What is installed here: Python, pybuild and the packages beside it, so that two machines can be compared.

Owns the comparison and its words. Knows no cluster.
Source of truth: packaging.python.org, "Recording installed projects".
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parents[1]
_FOLDER = re.compile(r"([^-]+)-([^-]+?)(?:-py[\d.]+)?\.(?:dist|egg)-info")
_NAMED = 3  # packages that a message names


@dataclass(frozen=True, slots=True)
class Installed:
    """The parts that must be equal on two machines for their pages to be equal."""

    python: str  # major and minor version, and what implements it
    pybuild: str  # a digest of its files
    packages: Mapping[str, str]  # name → version; all distributions


@cache
def installed() -> Installed:
    """Look at this process's Python. Read once: a process goes on with what it has loaded."""
    sha = hashlib.sha256()
    for file in sorted(_files(_PACKAGE), key=str):
        sha.update(f"\0{file.relative_to(_PACKAGE)}\0".encode() + file.read_bytes())
    python = f"{sys.implementation.name} {sys.version_info[0]}.{sys.version_info[1]}"
    found: dict[str, str] = {}  # of two folders for one name the first on the path counts, as for imports
    for place in sys.path:
        with contextlib.suppress(OSError):
            for name in sorted(os.listdir(place)):
                if match := _FOLDER.fullmatch(name):
                    found.setdefault(re.sub(r"[-_.]+", "_", match[1]).lower(), match[2])
    return Installed(python, sha.hexdigest()[:16], dict(sorted(found.items())))


def difference(ours: Installed, theirs: Installed) -> str:
    """Say in what another machine differs so that its pages may; "" where it does not.

    A package more does no harm: the site has been tried without it.
    """
    if ours.python != theirs.python:
        return f"{theirs.python} instead of {ours.python}"
    if ours.pybuild != theirs.pybuild:
        version = theirs.packages.get("pybuild_export", "")
        return f"another pybuild {version}".rstrip()
    names = [name for name, version in ours.packages.items() if theirs.packages.get(name) != version]
    said = [
        f"{name} {theirs.packages[name]} instead of {ours.packages[name]}"
        if name in theirs.packages
        else f"no {name}"
        for name in sorted(names)[:_NAMED]
    ]
    return ", ".join(said) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")


def _files(folder: Path) -> Iterator[Path]:
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        yield from (Path(place, name) for name in names if not name.endswith(".pyc"))
