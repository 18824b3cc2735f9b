"""Pictures of `app/` that are none: icons and social images whose bytes are of no such kind.

Owns how each kind begins, and of PNG how it ends. Decodes nothing.
Sources: PNG (Third Edition) §5.2, §11.2.1; JFIF; GIF89a; the WebP container; Windows icons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import read
from pybuild.routing.conventions import IMAGES
from pybuild.routing.tree import Route

_BEGINNINGS = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "webp": (b"RIFF",),
    "ico": (b"\x00\x00\x01\x00", b"\x89PNG\r\n\x1a\n"),
}


def broken_pictures(root: Path, routes: Iterable[Route]) -> Iterator[Diagnostic]:
    """Find static icons and social images that no browser shows. Code: the warning `encoding-error`."""
    for route in routes:
        kind = route.static.rpartition(".")[2].lower()
        if not route.static or kind not in _BEGINNINGS or route.metadata not in (*IMAGES, "favicon"):
            continue
        try:
            data = read(f"{root}/{route.static}")
        except OSError:
            continue  # whoever copies it says so
        if fault := _fault(kind, data):
            message = f"{route.static} {fault}, so browsers show no picture"
            yield warning(
                "encoding-error", message, Location(route.static), "save the picture again as it is named"
            )


def _fault(kind: str, data: bytes) -> str:
    if not data:
        return "is empty"
    if not data.startswith(_BEGINNINGS[kind]):
        return f"is no picture of the kind {kind.upper()}"
    if kind == "png" and len(data) > 8 and not (data[12:16] == b"IHDR" and b"IEND" in data[-16:]):
        return "is a PNG that was cut off"
    return ""
