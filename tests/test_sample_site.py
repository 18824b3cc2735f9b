"""The sample site as its visitors and its authors meet it: the service that it asks, and its two languages."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from fetch_source import Source, source
from harness import SAMPLE, SAMPLE_TIME, Run, copy_sample, run_command

__all__ = ["source"]
PAGE = "stations/amber-coast/port-averil.html"
STATIONS = [
    row["id"] for row in tomllib.loads((SAMPLE / "data/stations.toml").read_text("utf-8"))["stations"]
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return copy_sample(tmp_path / "site")


def export(root: Path, service: str | None = None, *options: str) -> Run:
    changes = {**SAMPLE_TIME, "TIDEWATER_API": service}
    return run_command(root, "export", str(root), "--format", "json", *options, env=changes)


def serve(source: Source, height: float) -> str:
    for station in STATIONS:
        row = {"time": "2026-06-21T12:40:00Z", "height": height, "quality": "good"}
        source.text(
            f"/v1/stations/{station}/readings/latest", json.dumps({"reading": row}), ETag=f'"{height}"'
        )
    return source.url("")


def test_without_the_service_the_sample_day_is_shown(root: Path) -> None:
    run = export(root)
    assert (run.code, run.findings) == (0, [])
    assert "<strong>3.61\N{NO-BREAK SPACE}m</strong>, good" in run.text(PAGE)
    assert "<strong>3,61\N{NO-BREAK SPACE}m</strong>, gut" in run.text(f"de/{PAGE}")


def test_the_service_is_asked_once_and_may_be_down(root: Path, source: Source) -> None:
    service = serve(source, 4.2)
    run = export(root, service, "--jobs", "2")
    assert (run.code, run.findings) == (0, [])
    assert sorted(source.asked.values()) == [1] * len(STATIONS)
    for path, words in (
        (PAGE, "4.20\N{NO-BREAK SPACE}m</strong>, good"),
        (f"de/{PAGE}", "4,20\N{NO-BREAK SPACE}m</strong>, gut"),
    ):
        assert words in run.text(path)
    before = run.tree()
    source.replies.clear()
    down = export(root, service)
    assert (down.code, down.tree() == before) == (0, True)
    assert down.findings == ["lib/readings.py:30: warning[fetch-error]"] * len(STATIONS)
    assert all(", and for 1 more" in message for message in down.messages)  # the page in the other language
    changed = export(root, serve(source, 4.3))
    after = changed.tree()
    assert {path for path in after if after[path] != before[path]} == {
        f"{prefix}stations/{kind}" for prefix in ("", "de/") for kind in pages_of_stations()
    } | {"llms-full.txt", "de/llms-full.txt"}


def pages_of_stations() -> list[str]:
    rows = tomllib.loads((SAMPLE / "data/stations.toml").read_text("utf-8"))["stations"]
    return [f"{row['region']}/{row['id']}.{kind}" for row in rows for kind in ("html", "md")]


def test_each_language_says_what_it_says_in_the_other(root: Path) -> None:
    words = tomllib.loads((SAMPLE / "data/words.toml").read_text("utf-8"))
    assert words["en"].keys() == words["de"].keys()
    assert [
        name for name in words["en"] if words["en"][name].count("{}") != words["de"][name].count("{}")
    ] == []


def test_a_german_page_is_german(root: Path) -> None:
    run = export(root)
    page = run.text("de/docs/getting-started.html")
    assert '<html lang="de">' in page and "<title>Erste Schritte · Tidewater-Doku</title>" in page
    assert (
        '<link rel="alternate" hreflang="en" href="https://tidewater.example/docs/getting-started">' in page
    )
    assert '<a href="/docs/getting-started" hreflang="en" lang="en">English</a>' in page
    twin = run.text("docs/getting-started.html")
    assert '<a href="/de/docs/getting-started" hreflang="de" lang="de">Deutsch</a>' in twin
    assert "# Erste Schritte\n" in run.text("de/docs/getting-started.md")
    assert "<language>de</language>" in run.text("de/rss.xml")
    assert "[Erste Schritte](https://tidewater.example/de/docs/getting-started.md)" in run.text("de/llms.txt")
    assert "Seite nicht gefunden" in run.text("404.html")
