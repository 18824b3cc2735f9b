"""Files of `app/` that are not what their names say: icons, social images, sitemaps and manifests.

Owns how each kind of picture begins, and of PNG how it ends; of XML and JSON whether they can be read. Decodes no picture.
Sources: PNG (Third Edition) §5.2, §11.2.1; JFIF; GIF89a; the WebP container; Windows icons; XML 1.0; RFC 8259.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.parsers import expat

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


def broken_files(root: Path, routes: Iterable[Route]) -> Iterator[Diagnostic]:
    """Find static metadata files that nobody can read. Code: the warning `encoding-error`."""
    for route in routes:
        kind = route.static.rpartition(".")[2].lower()
        is_picture = route.metadata in (*IMAGES, "favicon")
        if not route.static or not (is_picture or route.metadata in ("sitemap", "manifest")):
            continue
        try:
            data = read(f"{root}/{route.static}")
        except OSError:
            continue  # whoever copies it says so
        is_text = kind not in _BEGINNINGS
        fault, line = _text_fault(kind, data) if is_text else (_fault(kind, data), None)
        if fault:
            effect = "browsers show no picture" if is_picture else "nobody can read it"
            hint = "correct it, or delete the file" if is_text else "save the picture again as it is named"
            message = f"{route.static} {fault}, so {effect}"
            yield warning("encoding-error", message, Location(route.static, line), hint)


def _text_fault(kind: str, data: bytes) -> tuple[str, int | None]:
    """What is wrong with XML or JSON, and at which line."""
    if not data.strip():
        return "is empty", None
    try:
        if kind in ("xml", "svg"):
            expat.ParserCreate().Parse(data, True)
        elif kind in ("json", "webmanifest"):
            json.loads(data.decode("utf-8-sig"))
    except expat.ExpatError as fault:
        return f"is not XML: {expat.ErrorString(fault.code)}", fault.lineno
    except json.JSONDecodeError as fault:
        return f"is not JSON: {fault.msg}", fault.lineno
    except (UnicodeDecodeError, RecursionError):
        return "is not JSON", 1
    return "", None


def _fault(kind: str, data: bytes) -> str:
    if not data:
        return "is empty"
    if not data.startswith(_BEGINNINGS[kind]):
        return f"is no picture of the kind {kind.upper()}"
    if kind == "png" and len(data) > 8 and not (data[12:16] == b"IHDR" and b"IEND" in data[-16:]):
        return "is a PNG that was cut off"
    return ""
