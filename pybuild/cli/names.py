"""Names of commands: those that people know from elsewhere, and what a shell offers while one is typed.

Owns which command of ours does what `build`, `serve` or `init` does elsewhere, and the candidates of shell
completion. What it lists is loaded when a shell asks, so that `--help` stays quick. Writes nothing.
Source: Click, "Shell Completion"; the commands of Next.js, Astro, Hugo, MkDocs, Eleventy and VitePress.
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from click.shell_completion import CompletionItem

ELSEWHERE = {  # a command of others, and ours
    "build": "export",
    "compile": "export",
    "deploy": "export",
    "generate": "export",
    "render": "export",
    "publish": "export",
    "create": "new",
    "scaffold": "new",
    "init": "new",
    "develop": "dev",
    "serve": "dev",
    "server": "dev",
    "live": "dev",
    "run": "dev",
    "start": "dev",
    "watch": "dev",
    "lint": "check",
    "test": "check",
    "validate": "check",
}
_DOES = {
    "export": "pybuild export builds a site and publishes it to a folder",
    "new": "pybuild new DIR makes a site",
    "dev": "pybuild dev serves a site while you write it, and pybuild preview serves what was exported",
    "check": "pybuild check finds what is wrong without running the site's code",
}


class Commands(click.Group):
    """The group of commands, which knows what people type that come from elsewhere."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command. Raises a usage error (exit 2) that names ours, for one of others."""
        ours = ELSEWHERE.get(args[0]) if self.get_command(ctx, args[0]) is None else None
        if ours:
            raise click.UsageError(f'there is no command "{args[0]}"; {_DOES[ours]}', ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the words of the command line; without any, in a folder that is no site, name `new`."""
        if args or ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        if not importlib.import_module("pybuild.config.settings_file").has_settings(Path()):
            raise _NoSite(ctx)
        return super().parse_args(ctx, args)


class _NoSite(click.UsageError):
    """`pybuild` alone, where there is no site."""

    def __init__(self, ctx: click.Context) -> None:
        super().__init__("this folder has no site; pybuild new DIR makes one", ctx)

    def show(self, file: Any = None) -> None:
        assert self.ctx is not None, "it is raised with the context of the command line"
        click.echo(
            f"{self.ctx.get_help()}\n\n{self.message[0].upper()}{self.message[1:]}.", file=file, err=True
        )


def completed(names: Callable[[click.Context], Iterable[str]]) -> Callable[..., list[CompletionItem]]:
    """A completer of an option: the names that begin as what was typed. A fault offers nothing."""

    def complete(ctx: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        with contextlib.suppress(Exception):
            return [CompletionItem(name) for name in names(ctx) if name.startswith(typed)]
        return []

    return complete


def targets(ctx: click.Context) -> Sequence[str]:
    """The hosts that rules can be written for."""
    return list(importlib.import_module("pybuild.hosts").TARGETS)


def engines(ctx: click.Context) -> Sequence[str]:
    """The engines that run pages and handlers."""
    return list(importlib.import_module("pybuild.engines").ENGINES)


def web_servers(ctx: click.Context) -> Sequence[str]:
    """The servers that `preview --with` can start."""
    return list(importlib.import_module("pybuild.serve.web_servers").ENGINES)


def addresses(ctx: click.Context) -> Sequence[str]:
    """The addresses of the last export of the site in this folder, sorted."""
    config, _ = importlib.import_module("pybuild.config.loader").load_config(Path())
    publication, _ = importlib.import_module("pybuild.publish.publication").load_for(config)
    return sorted({file.url or f"/{file.path}" for file in publication.files.values()}) if publication else []
