"""The rules compiled for the target, held against the files of the site and the secrets.

Owns the findings on what a host module made. Loads nothing that renders, for commands on a finished export use it too.
"""

from __future__ import annotations

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.hosts import TARGETS, Compiled, compile_rules
from pybuild.records import Files
from pybuild.rules.model import RuleSet
from pybuild.source.secrets import leak_finding, leak_in


def compile_target(rules: RuleSet, files: Files, config: Config) -> tuple[Compiled, tuple[Diagnostic, ...]]:
    """Make the files of the target.

    Findings: `unsupported-rule`, `rule-limit`, `rules-lost`, `output-conflict`, `secret-in-output`.
    """
    compiled = compile_rules(TARGETS[config.target], rules, files, config)
    taken = []
    for file in (files[artifact.path] for artifact in compiled.site if artifact.path in files):
        message = f'{file.origin} makes "{file.path}", where the rules of {config.target} belong'
        hint = "move its rules into the settings and remove it"
        taken.append(Diagnostic("output-conflict", message, Location(file.origin), hint))
    made = ((made, leak_in(made.body, config.secrets)) for made in (*compiled.site, *compiled.deploy))
    leaks = tuple(leak_finding(name, made.path, config.file) for made, name in made if name)
    return compiled, (*compiled.findings, *taken, *leaks)
