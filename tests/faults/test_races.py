"""Two exports of one site at once, holders that are killed, and data that fails."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faultlab import LONG, draw, export, gone, leftovers, tree
from harness import SETTINGS, Process, environment, start_command

MARK = f"PYBUILD_RACE_{os.getpid()}"
PAGE = "def generate_static_params():\n    return [{'n': str(n)} for n in range(40)]\n"
A, B = "https://a.example", "https://b.example"


@pytest.fixture
def root(scratch: Path) -> Path:
    """A site whose every page differs from one base address to the other."""
    files = {
        "pybuild.toml": SETTINGS,
        "app/page.md": "# Home\n",
        "app/p/[n]/page.py": PAGE,
        "app/p/[n]/page.html": "<h1>{{ params.n }}</h1><p>{{ site.url }}</p>" + "<p>text</p>" * 200,
    }
    for path, text in files.items():
        (scratch / "site" / path).parent.mkdir(parents=True, exist_ok=True)
        (scratch / "site" / path).write_text(text, "utf-8")
    return scratch / "site"


def words(root: Path, address: str) -> tuple[str, ...]:
    return "export", str(root), "--base-url", address, "--jobs", "2", "-q"


def start(root: Path, address: str) -> subprocess.Popen[bytes]:
    """Begin an export whose processes can be told by their mark."""
    command = [sys.executable, "-m", "pybuild", *words(root, address)]
    return subprocess.Popen(command, env={**environment(), MARK: "1"})


def begin(root: Path, address: str) -> Process:
    with Path(os.devnull).open("w") as nowhere:
        return start_command(*words(root, address), env=environment(), stdout=nowhere, stderr=nowhere)


def both(root: Path) -> dict[str, dict[str, bytes]]:
    """The outputs of both addresses, each made alone."""
    found = {}
    for address in (A, B):
        assert export(root, "--base-url", address).code == 0
        found[address] = tree(root / "out")
    assert found[A].keys() == found[B].keys()
    return found


def test_two_exports_at_once_never_mix(root: Path) -> None:
    alone, numbers = both(root), draw("pairs")
    for _ in range(50 if LONG else 5):
        first = begin(root, A)
        time.sleep(numbers.uniform(0, 0.3))
        second = begin(root, B)
        assert (first.wait(60), second.wait(60)) == (0, 0)
        assert tree(root / "out") in list(alone.values())
        assert leftovers(root) == []


def test_a_killed_holder_holds_up_nobody(root: Path) -> None:
    alone, numbers = both(root), draw("holders")
    for _ in range(30 if LONG else 3):
        first = start(root, A)
        time.sleep(numbers.uniform(0.2, 1.0))
        first.kill()
        second = start(root, B)
        assert (first.wait(), second.wait(60)) in {(-9, 0), (0, 0)}
        assert (tree(root / "out"), leftovers(root)) == (alone[B], [])
        assert gone(MARK)


def test_a_reader_sees_whole_files_of_one_export_or_the_other(root: Path) -> None:
    alone = both(root)
    allowed = {path: {alone[A][path], alone[B][path]} for path in alone[A]}
    writer = begin(root, A)
    seen = 0
    while writer.poll() is None or seen == 0:
        for path in ("index.html", "p/0.html", "p/39.html", "sitemap.xml"):
            assert (root / "out" / path).read_bytes() in allowed[path]
            seen += 1
    assert writer.returncode == 0
    assert tree(root / "out") == alone[A]


@pytest.mark.parametrize("answer", ["[]", "None", "{}[0]", "[{}]", "[None]", "[{'n': ''}]", "iter(())"])
def test_a_data_outage_publishes_nothing(root: Path, answer: str) -> None:
    assert export(root).code == 0
    before = tree(root / "out")
    (root / "app/p/[n]/page.py").write_text(f"def generate_static_params():\n    return {answer}\n")
    done = export(root)
    assert (done.code, tree(root / "out")) == (1, before)
    assert done.codes <= {"empty-static-params", "invalid-static-params", "handler-error"}
    assert len(done.codes) == 1


def test_an_outage_that_was_allowed_is_held_up_by_the_shrink_guard(root: Path) -> None:
    assert export(root).code == 0
    before = tree(root / "out")
    (root / "app/p/[n]/page.py").write_text(
        "allow_empty = True\ndef generate_static_params():\n    return []\n"
    )
    done = export(root)
    assert (done.code, done.codes, tree(root / "out")) == (1, {"site-shrunk"}, before)
    assert export(root, "--allow-shrink").code == 0
    assert not (root / "out/p").exists()
