"""The sources of the sample site: contrast, and numbers that the prose quotes."""

from __future__ import annotations

import importlib
import itertools
import re
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pybuild.render.data import DataFiles, set_data

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "sample_site"
SHEETS = {
    "sample": (
        SAMPLE / "public/style.css",
        ("paper", "raised", "fill"),
        ("ink", "soft", "sea", "sea-deep", "note", "tip", "warn", "risk"),
    ),
}


def _schemes(sheet: Path) -> list[dict[str, str]]:
    """The custom properties of the light scheme and of the dark one."""
    blocks = re.findall(r":root \{(.*?)\}", sheet.read_text(encoding="utf-8"), re.S)[:2]
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block)) for block in blocks)
    return [light, light | dark]


def _luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    digits = colour[1:] if len(colour) == 7 else "".join(c * 2 for c in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted(map(_luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", SHEETS)
def test_text_meets_wcag_aa_in_both_schemes(name: str) -> None:
    sheet, grounds, texts = SHEETS[name]
    weak = [
        (text, ground, round(ratio, 2))
        for colours in _schemes(sheet)
        for ground, text in itertools.product(grounds, texts)
        if (ratio := _contrast(colours[text], colours[ground])) < 4.5
    ]
    assert weak == []


def test_the_current_page_of_the_sidebar_meets_wcag_aa() -> None:
    ratios = [_contrast(c["sea-deep"], c["wash"]) for c in _schemes(SHEETS["sample"][0])]
    assert all(ratio >= 4.5 for ratio in ratios)


def test_no_page_needs_a_script_or_another_host() -> None:
    made = {SAMPLE / name for name in ("out", "out-deploy", ".pybuild")}
    found = (f for f in SAMPLE.rglob("*") if f.suffix in {".html", ".css"})
    sources = [f for f in found if not made.intersection(f.parents)]
    text = "\n".join(f.read_text(encoding="utf-8") for f in sources)
    assert re.findall(r"<script|@import|url\(|(?:src|href)=\"(?:https?:)?//", text) == []


@pytest.fixture
def lib(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """The sample's own modules, imported as its handlers import them, and forgotten afterwards."""
    monkeypatch.syspath_prepend(str(SAMPLE))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    set_data(DataFiles(SAMPLE))
    names = ("lib", "lib.stations", "lib.tides")
    for name in names:
        sys.modules.pop(name, None)
    yield SimpleNamespace(**{name[4:]: importlib.import_module(name) for name in names[1:]})
    for name in names:
        sys.modules.pop(name, None)


def test_the_reference_quotes_the_true_prediction(lib: SimpleNamespace) -> None:
    station = lib.stations.find_station("port-averil")
    made = [
        f'{{ "time": "{e.time:%Y-%m-%dT%H:%M:%SZ}", "kind": "{e.kind}", "height": {e.height:.2f} }}'
        for e in lib.tides.extremes(station, lib.tides.SAMPLE_DAY)
    ]
    page = (SAMPLE / "content/docs/reference/predictions.md").read_text(encoding="utf-8")
    assert re.findall(r'\{ "time": .*"kind".*? \}', page) == made


def test_no_station_falls_below_its_chart_datum(lib: SimpleNamespace) -> None:
    hours = [lib.tides.EPOCH + timedelta(hours=n) for n in range(365 * 24)]
    lowest = {s.id: min(lib.tides.level(s, hour) for hour in hours) for s in lib.stations.STATIONS}
    assert {name for name, level in lowest.items() if level < 0} == set()
