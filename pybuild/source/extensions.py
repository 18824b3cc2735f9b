"""`extensions.py` of a site, read without running it.

Owns which functions have a meaning there. Runs nothing. Source: docs/extensions.md.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from pybuild.diagnostics import Diagnostic, warning
from pybuild.routing.module_facts import ModuleFacts, read_module
from pybuild.routing.segment_config import check_settings

FILE = "extensions.py"
HOOKS = ("markdown", "templates", "outputs")


def read_extensions(root: Path, engine: str) -> tuple[ModuleFacts | None, tuple[Diagnostic, ...]]:
    """What the file says; None where there is none. `engine` is that of `[markdown]`.

    Findings: those of a module, and `unknown-export` for a name that is nearly one of ours, or an engine that gives way.
    """
    if not (root / FILE).is_file():
        return None, ()
    facts = read_module(root, root / FILE, FILE, frozenset({"inputs"}))
    findings = [*facts.findings, *check_settings(facts)]
    for name in sorted(facts.functions - facts.reads):
        near = difflib.get_close_matches(name, HOOKS, n=1, cutoff=0.8)
        if near and name not in HOOKS and near[0] not in facts.names:
            message = f"{name} has no meaning in {FILE}"
            findings.append(
                warning("unknown-export", message, facts.place(name), f'did you mean "{near[0]}"?')
            )
    if engine == "pyromark" and "markdown" in facts.names:
        message = "pyromark takes no plugins, so markdown-it-py renders all Markdown of this site"
        hint = 'write engine = "auto" below [markdown]'
        findings.append(warning("unknown-export", message, facts.place("markdown"), hint))
    return facts, tuple(findings)
