"""Cloudflare Workers with static assets.

Owns `wrangler.jsonc`, the Worker and `_headers`. The Worker runs before the files, but for folders where it
would have nothing to add: requests there cost nothing. Files are asked for by their own names, so that the
platform redirects nothing of itself. Writes no file.
Sources: developers.cloudflare.com/workers/static-assets (routing, headers), /workers/platform/limits.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Iterable
from urllib.parse import urlsplit

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, warning
from pybuild.hosts.base import ALL_FEATURES, Compiled, Target, check_limits, readme, secrets, sizes
from pybuild.hosts.edge.rules import StaticFolder, folders_without_rules, script
from pybuild.records import Artifact, Files
from pybuild.rules.model import RuleSet

COMPATIBILITY_DATE = "2025-09-01"
FREE_FILES = 20_000
LIMITS = {"files": 100_000, "file_bytes": 25 * 1024**2, "script_bytes": 10 * 1024**2}
PATTERNS = 100  # of run_worker_first and of _routes.json; also rules in _headers
LINE = 2000  # characters in _headers


def compile_cloudflare(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write a Worker, its settings and, for folders it leaves alone, `_headers`. Finding: `rule-limit`."""
    program = script(rules, files, "proxied.js", "forward.js", "serve.js", "cloudflare.js")
    folders = left_alone(folders_without_rules(rules, files, misses=True))
    name = worker_name(config.site.url)
    settings = {
        "name": name,
        "main": "worker.js",
        "compatibility_date": COMPATIBILITY_DATE,
        "assets": {
            "directory": os.path.relpath(config.out, config.deploy),
            "binding": "ASSETS",
            "html_handling": "none",
            "not_found_handling": "none",
            "run_worker_first": ["/*", *(f"!/{one.folder}/*" for one in folders)],
        },
    }
    deploy = (
        Artifact("wrangler.jsonc", "[cloudflare]", (json.dumps(settings, indent=2) + "\n").encode()),
        Artifact("worker.js", "[cloudflare]", program.encode()),
        readme("cloudflare", _STEPS, secrets(rules, "npx wrangler secret put {name}")),
    )
    return Compiled(
        headers_file("cloudflare", folders), deploy, tuple(findings("Cloudflare Workers", program, files))
    )


_STEPS = ("npx wrangler deploy",)


def worker_name(url: str) -> str:
    """A name Cloudflare takes, from the site's host: `https://docs.a.example` → `docs-a-example`."""
    host = urlsplit(url).hostname or "site"
    return re.sub(r"[^a-z0-9]+", "-", host.encode("idna").decode().lower()).strip("-")[:54] or "site"


def left_alone(folders: Iterable[StaticFolder]) -> tuple[StaticFolder, ...]:
    """As many folders as the patterns of the host can name, whose headers fit into `_headers`."""
    fitting = [
        one
        for one in folders
        if all(
            ":splat" not in value and len(f"  {name}: {value}") <= LINE and value == value.strip() != ""
            for name, value in one.headers
        )
    ]
    return tuple(fitting[: PATTERNS - 1])


def headers_file(target: str, folders: Iterable[StaticFolder]) -> tuple[Artifact, ...]:
    """`_headers` for the folders that the code leaves alone."""
    blocks = [
        "".join((f"/{one.folder}/*\n", *(f"  {name}: {value}\n" for name, value in one.headers)))
        for one in folders
        if one.headers
    ]
    return (Artifact("_headers", f"[{target}]", "".join(blocks).encode()),) if blocks else ()


def findings(title: str, program: str, files: Files) -> Iterable[Diagnostic]:
    """What the host would refuse, and what its free plan would."""
    counts = {**sizes(files), "script_bytes": len(zlib.compress(program.encode()))}
    yield from check_limits(title, LIMITS, counts, files)
    if FREE_FILES < len(files) <= LIMITS["files"]:
        message = f"the free plan of {title} takes {FREE_FILES:,} files; there are {len(files):,}"
        yield warning("rule-limit", message, hint="deploy to a paid plan, or publish fewer files")


TARGET = Target("cloudflare", "Cloudflare Workers", ALL_FEATURES, compile_cloudflare, LIMITS)
