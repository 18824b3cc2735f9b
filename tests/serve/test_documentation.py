"""docs/preview.md and docs/verify.md held against the commands and the limits of the program."""

import re
from pathlib import Path

import click
import pytest

from pybuild.cli.main import cli
from pybuild.serve import app, protocol, server
from pybuild.serve.web_servers import ENGINES
from pybuild.verify.probes import AGENT

DOCS = Path(__file__).parents[2] / "docs"


def text_of(page: str) -> str:
    return " ".join((DOCS / page).read_text("utf-8").split())


@pytest.mark.parametrize("name", ["preview", "verify"])
def test_every_option_is_described(name: str) -> None:
    table = re.findall(r"(?m)^\| (`-.*?) \|", (DOCS / f"{name}.md").read_text("utf-8"))
    said = {option for row in table for option in re.findall(r"`(--?[a-z-]+)", row)}
    command = cli.commands[name]
    known = {option for one in command.params if isinstance(one, click.Option) for option in one.opts}
    assert said == known - {"-h", "--help"}


def test_the_numbers_are_those_of_the_program() -> None:
    text = text_of("preview.md")
    assert (
        f"{protocol.MAX_LINE // 1024} KB for a request line, {protocol.MAX_HEAD // 1024} KB for a head"
        in text
    )
    assert f"{protocol.MAX_FIELDS} fields, {app.MAX_BODY // 2**20} MB for a body" in text
    assert f"{protocol.HEAD_SECONDS:.0f} seconds for a request" in text
    assert f"{protocol.IDLE_SECONDS} seconds between requests" in text
    assert f"{server.MAX_CONNECTIONS:,} connections" in text
    assert f"Default: {server.Address().port}" in text


def test_the_engines_are_named() -> None:
    *names, last = ENGINES
    assert f"{', '.join(f'`{name}`' for name in names)} or `{last}`" in text_of("preview.md")
    assert all(engine.package in text_of("preview.md") for engine in ENGINES.values())


def test_the_agent_is_described() -> None:
    assert f"`{AGENT}`" in text_of("verify.md")
