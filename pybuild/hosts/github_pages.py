"""GitHub Pages.

Owns `.nojekyll` and the one warning that lists what is lost: there are no rules and no headers.
Source: docs.github.com/pages, "GitHub Pages limits", "What is GitHub Pages".
"""

from __future__ import annotations

import os

from pybuild.config.loader import Config
from pybuild.hosts.base import Compiled, Target, check_limits, readme, sizes
from pybuild.hosts.static import lost
from pybuild.records import Artifact, Files
from pybuild.rules.model import RuleSet

NAME = "github-pages"
LIMITS = {"site_bytes": 1024**3}


def compile_github(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Turn Jekyll off, which would leave out names with an underscore.

    Findings: `rules-lost`, as for plain files, and `rule-limit`.
    """
    out = os.path.relpath(config.out, config.deploy)
    step = f"pipx run ghp-import --no-jekyll --push {out}"
    over = check_limits("GitHub Pages", LIMITS, sizes(files), files)
    site = (Artifact(".nojekyll", f"[{NAME}]"),)
    return Compiled(site, (readme(NAME, (step,)),), (*lost("GitHub Pages", rules), *over))


TARGET = Target(NAME, "GitHub Pages", frozenset(), compile_github, LIMITS)
