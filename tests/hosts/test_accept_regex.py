"""The regexes of rule-only hosts against the function that decides: equal but for two named classes."""

import json
import random
import re
from pathlib import Path

import pytest

from pybuild.hosts import accept_regex as accept
from pybuild.rules.negotiate import negotiate

CASES = json.loads((Path(__file__).parents[1] / "rules" / "accept-cases.json").read_text())["cases"]
RANGES = [
    "text/markdown",
    "text/html",
    "text/*",
    "*/*",
    "application/json",
    "TEXT/Plain",
    "*/html",
    "foo",
    "text/markdown-x",
]
TAILS = [
    "",
    ";q=1",
    ";q=0",
    ";q=0.5",
    "; Q=.25",
    ";q=0.2509",
    ";q=2",
    ";q=",
    "; level=1;q=0.7",
    ";quality=1",
    ";q",
    "\t;\tq=1.000;x",
    ";q=00.5",
]


def decide(field: str) -> str:
    """What a host with nothing but regexes makes of a field."""
    field = "" if '"' in field else field
    if not re.search(accept.valid(), field, re.I):
        return "html"
    weights = {name: weight(media, field) for name, media in accept.RANGES.items()}
    md, html = (weights[name] or weights["text"] or weights["any"] or "0000" for name in ("md", "html"))
    if md == html == "0000":
        return "none"
    if md == html and weights["md"]:
        return "md"
    return "md" if re.search(accept.greater("^", ":"), f"{md}:{html}") else "html"


def weight(media: str, field: str) -> str:
    if re.search(accept.full(media), field, re.I):
        return "1000"
    found = re.search(accept.fraction(media, "("), field, re.I)
    return f"0{found[1] or ''}000"[:4] if found else ""


@pytest.fixture(autouse=True)
def python_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python writes the back-reference `\\g{1}` of PCRE as `\\1`, which a digit may not follow."""
    written = accept.greater
    monkeypatch.setattr(accept, "greater", lambda *sides: written(*sides).replace(r"\g{1}", "(?:\\1)"))


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict) -> None:
    field = case["accept"] if isinstance(case["accept"], str) else ", ".join(case["accept"] or [])
    assert decide(field).replace("none", "406") == case["expect"]


def test_random_fields() -> None:
    chance = random.Random(12)
    for _ in range(3000):
        ranges = chance.sample(RANGES, chance.randint(0, 5))
        field = chance.choice([", ", ",", " ,, "]).join(media + chance.choice(TAILS) for media in ranges)
        assert decide(field) == negotiate([field]), field


@pytest.mark.parametrize(
    ("field", "here", "there"),
    [
        ('text/markdown;note="a"', "html", "md"),
        ("text/html;q=0.5, text/markdown;q=0.2, text/markdown;q=0.6", "html", "md"),
    ],
)
def test_the_two_classes_that_differ(field: str, here: str, there: str) -> None:
    assert (decide(field), negotiate([field])) == (here, there)
