"""What was published last, as whoever serves it, prints its rules or checks a deployment needs it.

Owns the memo that an export leaves in its manifest (rules and target) and the reading of both together.
Renders nothing and knows no host.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pybuild import publish
from pybuild.codec import from_json, to_json
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic
from pybuild.publish import Output
from pybuild.records import File, by_path
from pybuild.rules.model import RuleSet


@dataclass(frozen=True, slots=True)
class Publication:
    """A finished export."""

    output: Output
    files: Mapping[str, File]  # by path, in its order; without the files that only the target reads
    rules: RuleSet
    target: str


def memo(rules: RuleSet, target: str) -> Any:
    """What an export leaves in its manifest besides the files: a JSON value."""
    return {"target": target, "rules": to_json(rules)}


def load_publication(output: Output) -> tuple[Publication | None, tuple[Diagnostic, ...]]:
    """Read the last publication to an output. Finding: `not-exported`, also where its state is damaged."""
    previous = publish.load_manifest(output)
    try:
        target, rules = previous.memo["target"], from_json(previous.memo["rules"])
    except (ValueError, TypeError, KeyError):
        out, hint = output.key, "run pybuild export first, with the same --out"
        message = f"pybuild has not published a site to {out}, or its state in .pybuild is gone or damaged"
        return None, (Diagnostic("not-exported", message, hint=hint),)
    files = (file for file in previous.rows.values() if file.origin != f"[{target}]")
    return Publication(output, by_path(files), rules, str(target)), ()


def load_for(config: Config) -> tuple[Publication | None, tuple[Diagnostic, ...]]:
    """Read the last publication to the output folder of the settings. Finding: `not-exported`."""
    return load_publication(publish.output_at(config.root, config.out))


def check_output(config: Config) -> tuple[Diagnostic, ...]:
    """Refuse an output folder that is not safe to write. Finding: `unsafe-out`."""
    sources = [collection.source for collection in config.settings.collections.values()]
    return publish.check_out(config.root, config.out, sources=sources, home=config.home)
