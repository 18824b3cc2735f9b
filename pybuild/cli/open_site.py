"""How every command begins: the settings of a site and the report for its author.

Owns the exit for a folder that is no site and for names that nobody knows. Knows no phase, so that commands
which render nothing start quickly.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from pybuild.cli.report import Report
from pybuild.config.loader import Config, load_config
from pybuild.config.schema import Options
from pybuild.config.settings_file import MissingSettings, has_settings
from pybuild.diagnostics import Diagnostic, did_you_mean, made_strict
from pybuild.engines import ENGINES
from pybuild.hosts import TARGETS

ReportOptions = tuple[str, int]  # format and verbosity
NAMES: Mapping[str, frozenset[str]] = {"engine": frozenset(ENGINES), "target": frozenset(TARGETS)}


def open_site(
    site: Path, options: Options, shown: ReportOptions
) -> tuple[Report, Config, tuple[Diagnostic, ...]]:
    """Read the settings. Raises a usage error (exit 2) where there are none, or where an option names nothing."""
    for name, known in NAMES.items():
        given = getattr(options, name)
        if given is not None and given not in known:
            hint = did_you_mean(given, known) or f"choose one of {', '.join(sorted(known))}"
            raise click.UsageError(f'there is no {name} "{given}"; {hint}')
    try:
        config, findings = load_config(site, options, names=NAMES)
    except MissingSettings as missing:
        above = next((folder for folder in site.resolve().parents if has_settings(folder)), None)
        hint = (
            f"the site is the folder above, {above}: name that one"
            if above
            else "name the folder of a site, or make one with pybuild new"
        )
        raise click.UsageError(f"{missing}; {hint}") from None
    form, verbosity = shown
    report = Report(form, config.root, verbosity=verbosity, secrets=config.secrets)  # type: ignore[arg-type]
    return report, config, made_strict(findings) if options.strict else findings
