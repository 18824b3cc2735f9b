"""The command `dev`: the site while it is written.

Owns its wording, and what runs beside the server. Knows no option names and no phase.
"""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import click

from pybuild.build.commands import run_before, running
from pybuild.cli.open_site import ReportOptions, open_site
from pybuild.cli.report import Report, Summary
from pybuild.config.loader import Config, stopwatch
from pybuild.config.schema import Options
from pybuild.dev.app import DevSite, Known
from pybuild.dev.backend import Backend, Lost
from pybuild.dev.changes import changes
from pybuild.dev.messages import Reply, SessionProgram
from pybuild.diagnostics import Diagnostic, has_errors
from pybuild.serve.server import Address, Occupied, listen, serve

__all__ = ["Options", "address", "dev"]
_PORT = 3000
_TRIES = 100  # ports to try where none was asked for
_NAMED = 3  # files of a change that are printed


def address(*, host: str, port: int | None, allowed: tuple[str, ...]) -> Address:
    """Where to listen, by what the command line says."""
    return Address(host, _PORT, _TRIES, allowed) if port is None else Address(host, port, 1, allowed)


def dev(site: Path, options: Options, address: Address, shown: ReportOptions, *, opens: bool = False) -> int:
    """Serve the site until interrupted; exit 2 where there is none, or where the address is taken."""
    report, config, _ = open_site(site, options, shown)
    try:
        listener = listen(address)
    except Occupied as fault:
        raise click.UsageError(f"{fault}; choose another with --port or --host") from None
    host, port = listener.getsockname()[:2]
    is_local = host in {"127.0.0.1", "::1"}
    if address.tries > 1 and port != address.port:
        report.aside(f"port {address.port} is in use, so this is port {port}")
    if not is_local:
        report.aside(
            f"warning: everyone who can reach {host} port {port} can read this site, drafts too; "
            "lines of sources are not shown, and proxies with secrets answer this machine only"
        )
    with tempfile.TemporaryDirectory(prefix="pybuild-dev-", ignore_cleanup_errors=True) as folder:
        backend = Backend(SessionProgram(config.root, options, Path(folder)))
        known = Known(config.root, shows_sources=is_local)
        website = DevSite(backend, known, partial(_tell_page, report))
        app = website.application(
            (name.lower() for name in address.allowed), report.aside if report.verbosity > 0 else None
        )
        failed = run_before(config, report.aside)
        if failed:
            known.steps = failed
            report.finish(Summary(ok=False, diagnostics=failed))
        try:
            with running(config, report.aside):
                serve(
                    app,
                    listener,
                    ready=partial(_ready, report, _address(host, port, config), opens=opens),
                    beside=partial(_follow, config, backend, website, report),
                )
        finally:
            backend.close()
    return 0


def _address(host: str, port: int, config: Config) -> str:
    shown = "localhost" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{config.site.base_path}/"


def _ready(report: Report, address: str, *, opens: bool) -> None:
    report.say(address)
    if opens:
        webbrowser.open(address)


async def _follow(config: Config, backend: Backend, website: DevSite, report: Report) -> None:
    """Read the site, and again after each change, as long as the server runs."""
    await _read(frozenset(), backend, website, report)
    async for changed in changes(config.root, (config.out, config.deploy, config.state)):
        await _read(changed, backend, website, report)


async def _read(changed: frozenset[str], backend: Backend, website: DevSite, report: Report) -> None:
    elapsed = stopwatch()
    try:
        state = await backend.change(changed)
    except Lost as lost:
        report.aside(f"the process that holds the site ended: {lost}")
        return
    website.changed(state, changed)
    if changed:
        named = ", ".join(sorted(changed)[:_NAMED])
        more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
        report.aside(f"changed: {named}{more} ({elapsed() * 1000:.0f} ms)")
    report.secrets = state.secrets
    for who, text in state.printed:
        report.printed(who, text)
    if state.findings:
        report.finish(Summary(not has_errors(state.findings), diagnostics=state.findings))


def _tell_page(report: Report, fresh: Iterable[Diagnostic], reply: Reply) -> None:
    """Print what a page that was asked for prints, and what is wrong with it."""
    for who, text in reply.printed:
        report.printed(who, text)
    if findings := tuple(fresh):
        report.finish(Summary(not has_errors(findings), diagnostics=findings))
