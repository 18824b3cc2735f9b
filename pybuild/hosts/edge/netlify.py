"""Netlify.

Owns the Edge Function, in the layout of the Frameworks API (`.netlify/v1`), and `_headers` for the folders it
leaves alone. `_redirects` is not used: it cannot match `Accept`, and accepts conditions that never hold.
Writes no file.
Sources: docs.netlify.com/build/frameworks/frameworks-api, /build/edge-functions/declarations and /limits,
/manage/routing/headers.
"""

from __future__ import annotations

import os

from pybuild.config.loader import Config
from pybuild.hosts.base import ALL_FEATURES, SITE, Compiled, Target, check_limits, readme, secrets
from pybuild.hosts.edge.cloudflare import headers_file, left_alone
from pybuild.hosts.edge.rules import folders_without_rules, script, to_json
from pybuild.records import Artifact, Files
from pybuild.rules.model import RuleSet

LIMITS = {"script_bytes": 20 * 1024**2}


def compile_netlify(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write an Edge Function and, for folders it leaves alone, `_headers`. Finding: `rule-limit`."""
    folders = tuple(
        one
        for one in left_alone(folders_without_rules(rules, files, misses=False))
        if all(name != "Content-Type" for name, _ in one.headers)
    )
    excluded = to_json({"path": "/*", "excludedPath": [f"/{one.folder}/*" for one in folders]})
    code = script(rules, files, "proxied.js", "forward.js", "serve.js", "netlify.js")
    program = f"{code}export const config = {excluded};\n"
    out = os.path.relpath(config.out, config.root)
    export = "pybuild export --target netlify --deploy-dir .netlify/v1"
    deploy = (
        Artifact("edge-functions/pybuild.js", "[netlify]", program.encode()),
        readme(
            "netlify",
            (export, f"npx netlify deploy --build --prod --dir {out}"),
            secrets(rules, "npx netlify env:set {name} VALUE"),
            where=SITE,
        ),
    )
    found = check_limits("Netlify", LIMITS, {"script_bytes": len(program)}, files)
    return Compiled(headers_file("netlify", folders), deploy, tuple(found))


TARGET = Target("netlify", "Netlify", ALL_FEATURES, compile_netlify, LIMITS)
