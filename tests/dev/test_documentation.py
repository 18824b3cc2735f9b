"""docs/dev.md held against the command."""

import re
from pathlib import Path

import click

from pybuild.cli.main import cli

PAGE = (Path(__file__).parents[2] / "docs/dev.md").read_text("utf-8")


def test_every_option_is_described() -> None:
    table = re.findall(r"(?m)^\| (`-.*?) \|", PAGE)
    said = {option for row in table for option in re.findall(r"`(--?[a-z-]+)", row)}
    known = {
        option for one in cli.commands["dev"].params if isinstance(one, click.Option) for option in one.opts
    }
    assert said == known - {"-h", "--help"}
