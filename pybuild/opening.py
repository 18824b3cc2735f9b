"""How every command begins: the settings of a site and the report for its author.

Owns the exit for a folder that is no site. Knows no phase, so that commands which render nothing start quickly.
"""

from __future__ import annotations

from pathlib import Path

import click

from pybuild.config import Config, MissingSettings, Options, load_config
from pybuild.diagnostics import Diagnostic, made_strict
from pybuild.report import Report

Shown = tuple[str, int]  # format and verbosity


def open_site(site: Path, options: Options, shown: Shown) -> tuple[Report, Config, tuple[Diagnostic, ...]]:
    """Read the settings. Raises a usage error (exit 2) where there are none."""
    try:
        config, findings = load_config(site, options)
    except MissingSettings as missing:
        raise click.UsageError(f"{missing}; name the folder of a site") from None
    form, verbosity = shown
    report = Report(form, config.root, verbosity=verbosity)  # type: ignore[arg-type]
    return report, config, made_strict(findings) if options.strict else findings
