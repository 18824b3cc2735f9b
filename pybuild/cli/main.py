"""The command line: options → settings → one call → report → exit code.

Owns the commands and their exit codes: 0 done, 1 the site has errors, 2 a wrong command line or no
settings, 3 our own bug, 130 interrupted. Knows no phase; phases are imported when a command needs them,
so that `--help` is quick.
"""

from __future__ import annotations

import errno
import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import click

from pybuild import __version__
from pybuild.cli.names import Commands, addresses, completed, engines, targets, web_servers
from pybuild.cli.report import StdoutClosed

_SITE = click.argument("site", default=".", type=click.Path(exists=True, file_okay=False, path_type=Path))
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json", "github"]), default="text", show_default=True,
    help="How findings are printed.",
)  # fmt: skip
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
_VERBOSE = click.option("-v", "--verbose", is_flag=True, help="Print progress and what site code prints.")
_STRICT = click.option("--strict", is_flag=True, help="Treat warnings as errors.")
_BASE_URL = click.option("--base-url", metavar="URL", help="Use this address in place of site.url.")
_DRAFTS = click.option("--drafts", is_flag=True, help="Publish drafts too.")
_FUTURE = click.option("--future", is_flag=True, help="Publish documents dated in the future too.")

_OUT = click.option("--out", metavar="DIR", help="The output of the export.  [default: out, in the site]")


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="pybuild", message="%(prog)s %(version)s")
def cli() -> None:
    """Export a folder of routes as a site that any static host serves."""


@cli.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--template",
    type=click.Choice(["docs", "blog", "api"]),
    help="What to begin with.  [default: docs, or asked]",
)
@click.option("--title", metavar="TEXT", help="The title of the site.  [default: from the name of DIR]")
@click.option("--url", metavar="URL", help="The address the site will have.  [default: https://example.com]")
@click.option("--languages", metavar="CODES", help="The languages of the site, the default one first: en,de")
def new(folder: Path, **wishes: Any) -> NoReturn:
    """Make a site in DIR, which is absent or empty."""
    command = importlib.import_module("pybuild.cli.new")
    sys.exit(command.new(folder, command.Wishes(**wishes)))


@cli.command()
@_SITE
@click.option("--out", metavar="DIR", help="Write the site here.  [default: out, in the site]")
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=completed(targets),
    help="Write the rules of this host.  [default: static]",
)
@click.option(
    "--deploy-dir",
    metavar="DIR",
    help="Write what the host wants beside it here.  [default: OUT-deploy/NAME]",
)
@_BASE_URL
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Worker processes.  [default: one a processor]",
)
@click.option(
    "--engine",
    metavar="NAME",
    shell_complete=completed(engines),
    help="Where pages are made: processes, serial or dask.  [default: processes]",
)
@click.option(
    "--cluster", metavar="ADDRESS", help="The scheduler of the engine dask, such as tls://host:8786."
)
@click.option(
    "--insecure-cluster", is_flag=True, help="Use a cluster beyond this machine without encryption."
)
@click.option("--no-cache", is_flag=True, help="Render every page anew.")
@click.option("--offline", is_flag=True, help="Let fetch() use only what is kept.")
@click.option(
    "--explain",
    default="",
    metavar="PATH",
    shell_complete=completed(addresses),
    help="Say why this page was rendered, or taken over.",
)
@click.option("--timings", is_flag=True, help="Say how long each phase took.")
@click.option(
    "--profile",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE",
    help="Write a profile for pstats; pages are made in one process.",
)
@click.option("--allow-shrink", is_flag=True, help="Publish although many pages vanish.")
@click.option("--verify-reproducible", is_flag=True, help="Build twice; publish only if both are equal.")
@_DRAFTS
@_FUTURE
@_STRICT
@_FORMAT
@_QUIET
@_VERBOSE
def export(site: Path, no_cache: bool, **options: Any) -> NoReturn:
    """Build SITE and publish it to a folder."""
    command = importlib.import_module("pybuild.cli.export")
    shown = _shown(*(options.pop(name) for name in ("form", "quiet", "verbose")))
    wanted = command.ExportFlags(**{name: options.pop(name) for name in ("explain", "timings", "profile")})
    if wanted.profile and options["engine"] is None:
        options["engine"] = "serial"  # what other processes do is in no profile
    sys.exit(command.export(site, command.Options(cache=not no_cache, **options), shown, wanted))


@cli.command()
@_SITE
@_BASE_URL
@_DRAFTS
@_FUTURE
@_STRICT
@_FORMAT
@_QUIET
def check(site: Path, form: str, quiet: bool, **options: Any) -> NoReturn:
    """Find what can be found in SITE without running its code."""
    command = _commands()
    sys.exit(command.check(site, command.Options(**options), _shown(form, quiet)))


@cli.command()
@_SITE
@_DRAFTS
@_FUTURE
@_FORMAT
@_QUIET
def routes(site: Path, form: str, quiet: bool, **options: Any) -> NoReturn:
    """List the routes of SITE and the files behind them."""
    command = _commands()
    sys.exit(command.routes(site, command.Options(**options), _shown(form, quiet)))


@cli.command()
@_SITE
@click.option("--out", metavar="DIR", help="The output to remove.  [default: out, in the site]")
@click.option(
    "--store", is_flag=True, help="Remove from the store what only builds before the last two have."
)
@_FORMAT
@_QUIET
def clean(site: Path, store: bool, form: str, quiet: bool, **options: Any) -> NoReturn:
    """Remove what pybuild published and its state. Files of others stay."""
    command = _commands()
    run = command.clean_store if store else command.clean
    sys.exit(run(site, command.Options(**options), _shown(form, quiet)))


@cli.command()
@_SITE
@_OUT
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="0 takes a free one.  [default: 4000, or the next]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--allowed-host", "allowed", multiple=True, metavar="NAME", help="Answer for this name too.")
@click.option(
    "--with",
    "engine",
    metavar="ENGINE",
    shell_complete=completed(web_servers),
    help="Serve through nginx, caddy, apache, haproxy or varnish.",
)
@_VERBOSE
def preview(site: Path, out: str | None, engine: str | None, verbose: bool, **address: Any) -> NoReturn:
    """Serve the last export of SITE by its own rules."""
    command = _serving()
    options, shown = command.Options(out=out), _shown("text", False, verbose)
    sys.exit(command.preview(site, options, command.address(**address), shown, engine))


@cli.command()
@_SITE
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    metavar="N",
    help="0 takes a free one.  [default: 3000, or the next]",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="Listen on this address.")
@click.option("--allowed-host", "allowed", multiple=True, metavar="NAME", help="Answer for this name too.")
@click.option("--open", "opens", is_flag=True, help="Open the site in a browser.")
@click.option("--no-drafts", is_flag=True, help="Leave out drafts and documents dated in the future.")
@_BASE_URL
@_VERBOSE
def dev(
    site: Path, opens: bool, no_drafts: bool, base_url: str | None, verbose: bool, **address: Any
) -> NoReturn:
    """Serve SITE while you write it: pages are made when they are asked for, and again after a change."""
    command = importlib.import_module("pybuild.cli.dev")
    shows = not no_drafts
    options = command.Options(base_url=base_url, drafts=shows, future=shows)
    sys.exit(
        command.dev(site, options, command.address(**address), _shown("text", False, verbose), opens=opens)
    )


@cli.command()
@_SITE
@_OUT
@click.option(
    "--target",
    metavar="NAME",
    shell_complete=completed(targets),
    help="The host to write for.  [default: that of the settings]",
)
@_STRICT
@_FORMAT
@_QUIET
def rules(site: Path, form: str, quiet: bool, **options: Any) -> NoReturn:
    """Print the rules of SITE's last export as a host reads them."""
    command = _serving()
    sys.exit(command.rules(site, command.Options(**options), _shown(form, quiet)))


@cli.command()
@click.argument("url")
@_SITE
@_OUT
@click.option(
    "--sample", type=click.IntRange(min=1), metavar="N", help="Ask for N pages and N other files only."
)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 256), default=16, show_default=True, help="Requests at a time."
)
@click.option(
    "--timeout", type=float, default=10.0, show_default=True, metavar="S", help="Seconds for one answer."
)
@_FORMAT
@_QUIET
@_VERBOSE
def verify(
    url: str, site: Path, out: str | None, sample: int | None, jobs: int, timeout: float, **shown: Any
) -> NoReturn:
    """Hold the site at URL against the last export of SITE."""
    command = _serving()
    options, manner = command.Options(out=out), command.ClientOptions(jobs, timeout)
    report = _shown(shown["form"], shown["quiet"], shown["verbose"])
    sys.exit(command.verify(site, url, options, manner, sample=sample or 0, shown=report))


@cli.command()
def schema() -> NoReturn:
    """Print the JSON Schema of pybuild.toml."""
    sys.exit(_commands().schema())


def _serving() -> Any:
    return importlib.import_module("pybuild.cli.serve")


def _commands() -> Any:
    return importlib.import_module("pybuild.cli.inspect")


def _shown(form: str, quiet: bool, verbose: bool = False) -> tuple[str, int]:
    return form, (1 if verbose else 0) - (1 if quiet else 0)


def _never_lost(usual: Callable[[Any], object]) -> Callable[[Any], None]:
    """Send an interrupt again that came in a finalizer, as while a module is imported: Python ignores it there."""
    process = os.getpid()  # a worker has the hook too

    def hook(unraisable: Any) -> None:
        if unraisable.exc_type is not KeyboardInterrupt or os.getpid() != process:
            usual(unraisable)
        else:  # later: here it would be ignored again
            threading.Timer(0.01, os.kill, (process, signal.SIGINT)).start()

    return hook


def main() -> None:
    """Run the command line. Exits with 130 where it is interrupted, with 3 where pybuild itself fails."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    sys.unraisablehook = _never_lost(sys.unraisablehook)
    try:
        sys.exit(cli.main(prog_name="pybuild", standalone_mode=False))
    except click.ClickException as wrong:
        wrong.show()
        sys.exit(wrong.exit_code)
    except (KeyboardInterrupt, click.exceptions.Abort):
        sys.exit(130)
    except SystemExit:
        raise
    except StdoutClosed as fault:
        if fault.errno != errno.EPIPE:  # else whoever listened has heard enough
            click.echo(f"error: {fault}", err=True)
        sys.exit(1)
    except BaseException:
        masked = importlib.import_module("pybuild.source.secrets").masked
        secrets = importlib.import_module("pybuild.config.loader").environment_secrets()
        click.echo(masked(traceback.format_exc(), secrets), err=True)
        click.echo("This is a fault of pybuild. Please report it with the lines above.", err=True)
        sys.exit(3)
