"""The commands for a finished export: preview it, print its rules, hold a deployed site against it.

Owns the wording of their results. Knows no option names.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import click

from pybuild.build.target import compile_target
from pybuild.cli.open_site import ReportOptions, open_site
from pybuild.cli.report import Report, Summary
from pybuild.config.loader import Config, stopwatch
from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic, arrange, has_errors, made_strict
from pybuild.hosts import TARGETS, compile_rules
from pybuild.publish.publication import Publication, load_for
from pybuild.records import Artifact
from pybuild.serve.command import NotInstalled, find_program, running, wait_for
from pybuild.serve.preview import preview_app
from pybuild.serve.responses import CurrentAnswers
from pybuild.serve.server import Address, Occupied, listen, serve
from pybuild.verify import command as check
from pybuild.verify.client import ClientOptions

__all__ = ["ClientOptions", "Options", "address", "preview", "rules", "verify"]
_PORT = 4000
_TRIES = 10  # ports to try where none was asked for


def address(*, host: str, port: int | None, allowed: tuple[str, ...]) -> Address:
    """Where to listen, by what the command line says."""
    return Address(host, _PORT, _TRIES, allowed) if port is None else Address(host, port, 1, allowed)


def preview(
    site: Path, options: Options, address: Address, shown: ReportOptions, engine: str | None = None
) -> int:
    """Serve the last export until interrupted; exit 2 where the address is taken or the engine is not there."""
    report, config, publication = _published(site, options, shown)
    if publication is None:
        return 1
    try:
        if engine is not None:
            find_program(engine)
        listener = listen(address)
    except NotInstalled as fault:
        raise click.UsageError(str(fault)) from None
    except Occupied as fault:
        raise click.UsageError(f"{fault}; choose another with --port or --host") from None
    host, port = listener.getsockname()[:2]
    if engine is not None:
        listener.close()
        return _run_engine(engine, publication, config, (host, port), report)
    if host not in {"127.0.0.1", "::1"}:
        report.aside(f"warning: everyone who can reach {host} port {port} can read this preview")
    hosts = (host, *(name.lower() for name in address.allowed))
    log = report.aside if report.verbosity > 0 else None
    app = preview_app(CurrentAnswers(publication), hosts, log)
    serve(app, listener, ready=lambda: report.say(_address(host, port, publication)))
    return 0


def _address(host: str, port: int, publication: Publication) -> str:
    shown = "localhost" if host in {"0.0.0.0", "::"} else f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}{publication.rules.base}/"


def _run_engine(
    name: str, publication: Publication, config: Config, place: tuple[str, int], report: Report
) -> int:
    """Serve through a real web server."""
    compiled = compile_rules(TARGETS[name], publication.rules, publication.files, config)
    if has_errors(compiled.findings):
        report.finish(Summary(False, str(config.out), diagnostics=arrange(compiled.findings)))
        return 1
    with running(name, publication, compiled, place) as process:
        if isinstance(process, Diagnostic):
            report.finish(Summary(False, str(config.out), diagnostics=(process,)))
            return 1
        return 1 if wait_for(process, lambda: report.say(_address(*place, publication))) else 0


def rules(site: Path, options: Options, shown: ReportOptions) -> int:
    """Print what the target reads of the last export's rules; nothing is written."""
    report, config, publication = _published(site, options, shown)
    if publication is None:
        return 1
    compiled, faults = compile_target(publication.rules, publication.files, config)
    findings = made_strict(faults) if options.strict else faults
    rows = [*_rows("site", compiled.site), *_rows("deploy", compiled.deploy)]
    ok = not has_errors(findings)
    summary = Summary(
        ok=ok,
        out=str(config.out),
        diagnostics=arrange(findings),
        text="\n".join(f"==> {row['place']}: {row['path']} <==\n{row['text']}" for row in rows).rstrip("\n"),
        extra={"target": config.target, "rules": rows},
    )
    report.finish(summary)
    return 0 if ok else 1


def verify(
    site: Path, url: str, options: Options, manner: ClientOptions, *, sample: int, shown: ReportOptions
) -> int:
    """Hold the deployed site at `url` against the last export."""
    elapsed = stopwatch()
    report, config, publication = _published(site, options, shown)
    if publication is None:
        return 1
    try:
        done = check.verify(url, publication, config, manner, report.progress, sample=sample)
    except check.WrongAddress as fault:
        raise click.UsageError(str(fault)) from None
    text = (
        f"{url} is as exported: {done.requests} requests to {done.addresses} addresses in {elapsed():.1f} s"
    )
    extra = {"url": url, "requests": done.requests, "addresses": done.addresses}
    ok = not done.findings
    report.finish(
        Summary(ok, str(config.out), seconds=elapsed(), diagnostics=done.findings, text=text, extra=extra)
    )
    return 0 if ok else 1


def _rows(place: str, artifacts: Iterable[Artifact]) -> list[dict[str, str]]:
    return [
        {"place": place, "path": artifact.path, "text": artifact.body.decode("utf-8", "replace")}
        for artifact in artifacts
    ]


def _published(
    site: Path, options: Options, shown: ReportOptions
) -> tuple[Report, Config, Publication | None]:
    """Read the settings and the last export. Where there is none, that is reported."""
    report, config, _ = open_site(site, options, shown)
    publication, faults = load_for(config)
    if faults:
        report.finish(Summary(False, str(config.out), diagnostics=faults))
    return report, config, publication
