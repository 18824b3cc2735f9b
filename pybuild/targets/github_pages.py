"""GitHub Pages.

Owns `.nojekyll` and the findings: there are no rules and no headers. Writes no file.
Source: docs.github.com/pages, "GitHub Pages limits", "What is GitHub Pages".
"""

from __future__ import annotations

import os

from pybuild.artifact import Artifact
from pybuild.config import Config
from pybuild.rules.model import Rule, RuleSet
from pybuild.targets.base import Compiled, Files, Target
from pybuild.targets.limits import check_limits, sizes
from pybuild.targets.modest import Reason, part
from pybuild.targets.readme import readme

NAME = "github-pages"
LIMITS = {"site_bytes": 1024**3}


def compile_github(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Turn Jekyll off, which would leave out names with an underscore.

    Findings: `unsupported-rule`, `rules-lost`, `rule-limit`.
    """
    parted = part("GitHub Pages", rules, config, _reason)
    out = os.path.relpath(config.out, config.deploy)
    step = f"pipx run ghp-import --no-jekyll --push {out}"
    over = check_limits("GitHub Pages", LIMITS, sizes(files), files)
    site = (Artifact(".nojekyll", f"[{NAME}]"),)
    return Compiled(site, (readme(NAME, (step,)),), (*parted.findings, *over))


def _reason(rule: Rule) -> Reason:
    return "it has no rules", 'delete it, choose another target, or set on_unsupported = "warn" for this one'


TARGET = Target(NAME, "GitHub Pages", frozenset(), compile_github, LIMITS)
