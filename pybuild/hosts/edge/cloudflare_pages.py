"""Cloudflare Pages.

Owns `_worker.js`, `_routes.json` and `_headers`, which Pages reads from the web root. The Worker runs before
all but the folders where no rule could ever apply, since Pages does not ask it about files that are missing
there. Writes no file.
Sources: developers.cloudflare.com/pages/functions/advanced-mode, /functions/routing, /platform/limits.
"""

from __future__ import annotations

import json
import os

from pybuild.config.loader import Config
from pybuild.hosts.base import ALL_FEATURES, Compiled, Target, readme, secrets
from pybuild.hosts.edge.cloudflare import LIMITS, findings, headers_file, left_alone, worker_name
from pybuild.hosts.edge.rules import folders_without_rules, script
from pybuild.records import Artifact, Files
from pybuild.rules.model import RuleSet

NAME = "cloudflare-pages"


def compile_pages(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write the Worker into the web root. Finding: `rule-limit`."""
    program = script(rules, files, "proxied.js", "forward.js", "serve.js", "cloudflare_pages.js")
    folders = left_alone(folders_without_rules(rules, files, misses=False))
    routes = {"version": 1, "include": ["/*"], "exclude": [f"/{one.folder}/*" for one in folders]}
    site = (
        Artifact("_worker.js", f"[{NAME}]", program.encode()),
        Artifact("_routes.json", f"[{NAME}]", (json.dumps(routes, indent=2) + "\n").encode()),
        *headers_file(NAME, folders),
    )
    project = worker_name(config.site.url)
    out = os.path.relpath(config.out, config.deploy)
    step = f"npx wrangler pages deploy {out} --project-name {project}"
    put = f"npx wrangler pages secret put {{name}} --project-name {project}"
    return Compiled(
        site,
        (readme(NAME, (step,), secrets(rules, put)),),
        tuple(findings("Cloudflare Pages", program, files)),
    )


TARGET = Target(NAME, "Cloudflare Pages", ALL_FEATURES, compile_pages, LIMITS)
