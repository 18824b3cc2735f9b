"""Values of the environment that must not be published, nor printed.

Owns finding them in bytes and files, also as HTML, JSON and URLs spell them, and masking them in text. Which
values are secret is decided by `config`.
"""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

from pybuild.diagnostics import Diagnostic, Location

_CHUNK = 1 << 20  # bytes
Secrets = Mapping[str, str]  # values by the name of their variable


def leak_in(body: bytes, secrets: Secrets) -> str:
    """The name of a variable whose value stands in `body`, or `""`."""
    return next((name for name, spelt in _spellings(tuple(secrets.items())) if spelt in body), "")


def leak_in_file(file: Path, secrets: Secrets) -> str:
    """The name of a variable whose value stands in a file, or `""`. Reads a piece at a time."""
    if not secrets:
        return ""
    reach = max(len(spelt) for _, spelt in _spellings(tuple(secrets.items())))
    kept = b""
    with file.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            if name := leak_in(kept + piece, secrets):
                return name
            kept = piece[-reach:]
    return ""


@lru_cache(maxsize=4)
def _spellings(secrets: tuple[tuple[str, str], ...]) -> tuple[tuple[str, bytes], ...]:
    """Each value as it may be written: plain, escaped for HTML, in JSON, in a URL."""
    return tuple(
        (name, spelt.encode("utf-8", "surrogateescape"))
        for name, value in secrets
        for spelt in sorted(
            {value, html.escape(value), json.dumps(value)[1:-1], quote(value, safe="", errors="replace")}
        )
    )


def leak_finding(name: str, path: str, origin: str) -> Diagnostic:
    """Refuse an output file. `origin` is what made it; one in brackets is no file of the site."""
    at = Location("" if origin.startswith("[") else origin)
    message = f"{path} would publish the value of the environment variable {name}"
    hint = f"keep {name} out of what is rendered; if its value may be read by all, rename it PYBUILD_PUBLIC_…"
    return Diagnostic("secret-in-output", message, at, hint)


def masked(text: str, secrets: Secrets) -> str:
    """Text with the name of the variable in place of each value: `$API_TOKEN`."""
    for name, value in sorted(secrets.items(), key=lambda pair: len(pair[1]), reverse=True):
        text = text.replace(value, f"${name}")
    return text


def masked_finding(finding: Diagnostic, secrets: Secrets) -> Diagnostic:
    """A finding that may be printed: site code may have raised an error with a secret in it."""
    if not secrets:
        return finding
    notes = tuple(replace(note, message=masked(note.message, secrets)) for note in finding.notes)
    message, hint = masked(finding.message, secrets), masked(finding.hint, secrets)
    return replace(finding, message=message, hint=hint, notes=notes)
