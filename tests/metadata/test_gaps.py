"""A head with gaps is, filled, the head that the general path makes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.config.loader import Config, Options, Settings, Site
from pybuild.metadata.gaps import Own, with_gaps
from pybuild.metadata.head import Layer, PageFacts, head_markup, resolve
from pybuild.metadata.layers import LayerKind
from pybuild.site_files.selection import feed_links
from pybuild.site_files.xml_text import one_line

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30).map(one_line)
DATES = st.sampled_from(["", "2026-01-31T00:00:00Z", "2025-02-03T04:05:06+07:00"])
LAYERS: list[list[tuple[dict[str, Any], LayerKind]]] = [
    [],
    [({"title": {"template": "%s · %s & Acme", "default": "Acme"}}, "settings")],
    [({"keywords": ["a", "b"], "robots": "noindex", "json_ld": {"@type": "Thing"}}, "settings")],
    [({"icons": "/favicon.ico", "manifest": "/m.json"}, "page")],
]


def config(**site: str) -> Config:
    said = {"url": "https://acme.example/base", "title": "Acme", "description": "All", **site}
    return Config(Path("/site"), "pybuild.toml", Settings(site=Site(**said)), Options())


def document(title: str, description: str) -> Layer:
    return Layer({"title": title, "description": description}, "document", 3)


@pytest.mark.parametrize("around", LAYERS)
@settings(deadline=None)
@given(title=TEXT.filter(bool), description=TEXT, date=DATES, updated=DATES)
def test_filled(
    around: list[tuple[dict[str, Any], LayerKind]], title: str, description: str, date: str, updated: str
) -> None:
    address = "https://acme.example/base/docs/a%20b"
    own = Own(title, description, address, date, updated, address + ".md")
    layers = [Layer(values, kind) for values, kind in around]
    feeds = feed_links(config())
    made = with_gaps([*layers, document("Another", "Other")], config(), own, "", feeds)
    assert made is not None
    metadata, head, tag = made.filled(own)
    facts = PageFacts(address, date, updated)
    expected, findings = resolve([*layers, document(title, description)], config(), facts)
    assert findings == ()
    assert head == head_markup(expected, variant=own.variant, feeds=feeds)
    assert tag in head.split("\n")
    assert metadata == replace(expected, meta=(), properties=(), links=())


@pytest.mark.parametrize(
    ("values", "site"),
    [
        ({"open_graph": {"images": ["/a.png"]}}, {}),
        ({"icons": "icon.png", "alternates": {"types": {"text/plain": "a.txt"}}}, {}),
        ({"title": {"template": "\ue0f1 %s"}}, {}),
        ({}, {"description": "\ue0f3"}),
        ({}, {"title": "page.invalid"}),
        ({"canonical": "/a"}, {}),
    ],
)
def test_more_than_gaps(values: dict[str, Any], site: dict[str, str]) -> None:
    own = Own("A", "", "https://acme.example/a", "", "", "https://acme.example/a.md")
    layers = [Layer(values, "page"), document("A", "")]
    assert with_gaps(layers, config(**site), own, "", feed_links(config(**site))) is None
