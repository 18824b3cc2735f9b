"""What each command does: settings, one call, a report, an exit code.

Owns the wording of results. Knows no option names and no phase's inside.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pybuild import publish
from pybuild.build.export import check_site
from pybuild.cli.open_site import ReportOptions, open_site
from pybuild.cli.report import Report, Summary, plural, printable_name
from pybuild.config.checks import MARKDOWN_ENGINES
from pybuild.config.json_schema import json_schema
from pybuild.config.loader import stopwatch
from pybuild.config.schema import Options
from pybuild.diagnostics import arrange, has_errors
from pybuild.engines import ENGINES
from pybuild.hosts import TARGETS
from pybuild.metadata.layers import KEYS
from pybuild.publish.store import clean_store as removed_from
from pybuild.source.site import Site

__all__ = ["Options", "check", "clean", "clean_store", "routes", "schema"]


def check(site: Path, options: Options, shown: ReportOptions) -> int:
    """Report all findings that need no site code."""
    elapsed = stopwatch()
    report, config, findings = open_site(site, options, shown)
    # the findings of the settings, and those of the site where it can be read all the same
    every = arrange((*findings, *(check_site(config, is_whole=True)[1] if config.is_readable else ())))
    ok = not has_errors(every)
    report.finish(Summary(ok, str(config.out), seconds=elapsed(), diagnostics=every, text="No errors found"))
    return 0 if ok else 1


def routes(site: Path, options: Options, shown: ReportOptions) -> int:
    """List every route with its kind and its files."""
    report, config, findings = open_site(site, options, shown)
    found, faults = (None, ()) if has_errors(findings) else check_site(config)
    every = arrange((*findings, *faults))
    rows = _route_rows(found) if found else []
    width = max((len(row["route"]) for row in rows), default=0)
    lines = [f"{row['kind']:<9} {row['route']:<{width}} {printable_name(row['file'])}" for row in rows]
    ok = not has_errors(every)
    report.finish(
        Summary(ok, str(config.out), diagnostics=every, text="\n".join(lines), extra={"routes": rows})
    )
    return 0 if ok else 1


def _route_rows(site: Site) -> list[dict[str, str]]:
    """One row a route; a collection's own page names its folder, a page that pybuild makes what it lists."""
    rows = []
    own = {str(route.pattern) for route in site.routes if route.listing is None}
    for route, name in zip(site.routes, site.collection_of, strict=True):
        if route.listing and str(route.pattern) in own:
            continue  # the site's own answers there
        source = f"{site.config.settings.collections[name].source}/" if name else ""
        made = f"(made: {route.listing.term or route.listing.kind})" if route.listing else ""
        file = " + ".join(filter(None, (route.file or made, source)))
        rows.append({"kind": route.kind.replace("_", "-"), "route": str(route.pattern), "file": file})
    return sorted(rows, key=lambda row: (row["route"], row["kind"]))


def schema() -> int:
    """Print the JSON Schema of the settings file."""
    names = {
        "engine": tuple(ENGINES),
        "markdown": MARKDOWN_ENGINES,
        "metadata": sorted(KEYS - {"canonical"}),
        "target": tuple(TARGETS),
    }
    Report("text", Path()).say(json.dumps(json_schema(names), indent=2, ensure_ascii=False))
    return 0


def clean(site: Path, options: Options, shown: ReportOptions) -> int:
    """Delete what the manifest of the output lists."""
    report, config, _ = open_site(site, options, shown)
    with publish.exclusive(config.root) as locked:
        output = publish.output_at(config.root, config.out)
        done, findings = (None, locked) if locked else publish.clean(output)
    text = f"Removed {plural(done.removed, 'file')}" if done else ""
    if done and done.foreign:
        text += f"; left {plural(done.foreign, 'file')} of others"
    report.finish(Summary(done is not None, str(config.out), diagnostics=findings, text=text))
    return 0 if done is not None else 1


def clean_store(site: Path, options: Options, shown: ReportOptions) -> int:
    """Delete what the store has of builds before the last two."""
    report, config, _ = open_site(site, options, shown)
    store = config.settings.store
    if not store.url:
        raise click.UsageError("the settings name no store: write store.url")
    with publish.exclusive(config.root) as locked:
        removed, findings = (0, locked) if locked else removed_from(store.url, store.grace, config.now)
    text = "" if findings else f"Removed {plural(removed, 'object')} from {store.url}"
    report.finish(Summary(not findings, store.url, diagnostics=findings, text=text))
    return 1 if findings else 0
