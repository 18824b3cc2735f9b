"""Nouns as plain data: what `marshal` and `json` keep of them is read as it was."""

from __future__ import annotations

import json
import marshal
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.plain import codec_of
from pybuild.records import File, Link, Page, Redirection
from pybuild.render.links import Asset
from pybuild.render.result import Rendered
from pybuild.source.document import Entry, Front
from pybuild.source.navigation import Node

FILE = File("a.html", "a.md", "0" * 64, 5, headers=(("a", "b"),), page=True)
WHEN = datetime(2026, 1, 2, 3, 4, 5, 6, timezone(timedelta(hours=-3, minutes=-30)))
NOUNS: list[Any] = [
    FILE,
    Rendered(),
    Rendered(
        files=(FILE, replace(FILE, path="\u00e9.md")),
        page=Page(
            "/a", "https://a.example/a", "a.html", "T", tags=("x",), alternates=(("de", "/b"),), line=3
        ),
        redirection=Redirection("/r", "/s", 308, "app/r/route.py", None, (("vary", "accept"),)),
        assets=(Asset("x.png", Path("content/x.png")),),
        findings=(
            Diagnostic("broken-link", "m", Location("f", 1, 2), "h", (Note("n", Location("g")), Note("o"))),
        ),
        template_links=(Link("/a", "b", "f", None, "t"),),
        template_link_ids=bytes(range(16)),
        fetched=(("key", "digest"),),
        places=(1, 2, 3),
        keeps=True,
        is_last=True,
    ),
    Node("Guide", "/g", (Node("One", "/g/1", entry=2), Node("Two", children=(Node("Three"),))), more=3),
    Front(),
    Front(
        "T",
        date=WHEN,
        updated=WHEN.astimezone(UTC),
        tags=("a",),
        meta={"n": [1, None, {"b": 2.5}]},
        lines={"n": 2},
    ),
    Entry(
        "T", file="a.md", collection="docs", slug="a", url="/docs/a", date=WHEN, lines={"title": 2, "date": 3}
    ),
]


@pytest.mark.parametrize("noun", NOUNS, ids=lambda noun: type(noun).__name__)
def test_what_is_written_is_read_again(noun: Any) -> None:
    codec = codec_of(type(noun))
    assert codec.read(marshal.loads(marshal.dumps(codec.write(noun)))) == noun
    assert codec.read(json.loads(json.dumps(codec.write(noun)))) == noun
    sent = pickle.loads(pickle.dumps(codec))
    assert sent.read(sent.write(noun)) == noun


@dataclass(frozen=True)
class Mixed:
    """A noun whose kinds the codec does not know."""

    name: str
    pair: tuple[str, datetime]
    more: Mapping[str, int]


def test_a_kind_that_would_be_read_as_another_is_refused_at_once() -> None:
    for _ in range(2):  # what was refused is not remembered
        with pytest.raises(TypeError, match="neither a tuple of one kind"):
            codec_of(Mixed)


@pytest.mark.parametrize("value", [[], [1], None, "abc", {"path": 1}], ids=repr)
def test_what_was_not_written_so_is_not_read(value: Any) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError, LookupError)):
        codec_of(Rendered).read(value)
