"""The decision over Accept: 84 cases, and the JavaScript twin on the same fields."""

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from pybuild.rules.negotiate import javascript, negotiate

CASES = json.loads(Path(__file__).with_name("accept-cases.json").read_text())["cases"]
PARTS = [
    "text/markdown",
    "text/html",
    "text/*",
    "*/*",
    "*",
    "application/json",
    "TEXT/Markdown",
    "*/html",
    "foo",
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
    ";level=1;q=0.7",
    ';n="a,b";q=0.4',
    ';"',
]


def lines(accept: str | list[str] | None) -> list[str]:
    return accept if isinstance(accept, list) else [] if accept is None else [accept]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_case(case: dict) -> None:
    assert negotiate(lines(case["accept"])).replace("none", "406") == case["expect"]


def test_there_are_84_cases() -> None:
    assert len(CASES) == 84


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ('text/markdown;note="a, b;q=0"', "md"),
        ("text/html;q=0.5, text/markdown;q=0.2, text/markdown;q=0.6", "md"),
        ("*/html", "html"),
        ("text/plain;q=00.5", "html"),
        ("text/markdown;q=0.5;q=0, text/html;q=0.4", "md"),
        ("text/markdown;q=1.0001, text/html;q=0.1", "html"),
        ("text/markdown;q=0.4999, text/html;q=0.4991", "md"),
    ],
)
def test_reading_of_members(field: str, expected: str) -> None:
    assert negotiate([field]) == expected


def random_fields(count: int) -> list[str]:
    chance = random.Random(9110)
    return [
        chance.choice([", ", ",", " ,, "]).join(
            chance.choice(PARTS) + chance.choice(TAILS) for _ in range(chance.randint(0, 5))
        )
        for _ in range(count)
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
def test_javascript_decides_the_same() -> None:
    fields = [", ".join(lines(case["accept"])) for case in CASES] + random_fields(3000)
    program = javascript() + "\nvar f = JSON.parse(require('fs').readFileSync(0, 'utf8'));"
    program += "\nconsole.log(JSON.stringify(f.map(pbNegotiate).concat([pbNegotiate(null), pbNegotiate()])));"
    ran = subprocess.run(
        ["node", "-e", program], input=json.dumps(fields), capture_output=True, text=True, check=True
    )
    assert json.loads(ran.stdout) == [*(negotiate([field]) for field in fields), "html", "html"]
