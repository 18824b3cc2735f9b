"""What hosts refuse to take: counts and sizes held against their documented limits.

Owns the finding `rule-limit`. Knows no host.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pybuild.artifact import Files
from pybuild.diagnostics import Diagnostic, Location

UNITS = {
    "file_bytes": "bytes in a file",
    "site_bytes": "bytes in a site",
    "script_bytes": "bytes of code",
    "rules_bytes": "bytes of rules",
}
HINTS = {
    "files": "publish fewer files, or choose a host that takes more",
    "file_bytes": "keep it elsewhere, or make it smaller",
    "site_bytes": "publish less, or choose a host that takes more",
}


def sizes(files: Files) -> dict[str, int]:
    """The counts of an output that hosts limit."""
    total = sum(file.size for file in files.values())
    return {"files": len(files), "file_bytes": largest(files)[1], "site_bytes": total}


def largest(files: Files) -> tuple[str, int]:
    """The largest file and its size in bytes; ("", 0) where there is none."""
    if not files:
        return "", 0
    path = max(sorted(files), key=lambda path: files[path].size)
    return path, files[path].size


def check_limits(
    title: str, limits: Mapping[str, int], counts: Mapping[str, int], files: Files
) -> Iterator[Diagnostic]:
    """Find what is over a limit of `limits`. Finding: `rule-limit`."""
    for name, count in sorted(counts.items()):
        if count > limits.get(name, count):
            unit = UNITS.get(name, name.replace("_", " "))
            path = largest(files)[0] if name == "file_bytes" else ""
            have = f'"{path}" has' if path else "there are"
            message = f"{title} takes at most {limits[name]:,} {unit}; {have} {count:,}"
            hint = HINTS.get(name, "write fewer rules: one with a parameter in place of many")
            origin = files[path].origin if path and not files[path].origin.startswith("[") else ""
            yield Diagnostic("rule-limit", message, Location(origin), hint)
