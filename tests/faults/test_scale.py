"""Open files stay few and memory small: up to 100,000 pages with 64 open files."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from faultlab import LONG
from harness import SETTINGS, environment

PAGE = "def generate_static_params():\n    return [{{'id': f'page-{{n}}'}} for n in range({})]\n"


def sources(root: Path, pages: int, kind: str) -> Path:
    (root / "app").mkdir(parents=True)
    (root / "app/page.md").write_text("# Home\n")
    if kind == "params":
        (root / "app/p/[id]").mkdir(parents=True)
        (root / "app/p/[id]/page.py").write_text(PAGE.format(pages))
        (root / "app/p/[id]/page.html").write_text("<h1>Page {{ params.id }}</h1><p>Text.</p>\n")
        (root / "pybuild.toml").write_text(SETTINGS)
        return root
    (root / "pybuild.toml").write_text(
        SETTINGS + "[build]\ngit_dates = false\n"
        '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
    )
    for number in range(pages):
        file = root / f"content/docs/s{number // 500}/page-{number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        matter = f"---\ntitle: Page number {number}\ndescription: What page {number} says\n---\n"
        file.write_text(
            f"{matter}\n## One\n\nText of {number}, see [itself](page-{number}.md#one).\n\n## Two\n\nMore.\n"
        )
    return root


_LAUNCHER = """
import os, resource, sys
child = os.fork()
if child == 0:
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
_, status, used = os.wait4(child, 0)
print(status, used.ru_maxrss, file=sys.stderr)
"""


def peak(root: Path) -> tuple[float, int]:
    """The peak memory of the command itself in MiB, and its pages; at most 64 files may be open.

    A small process starts it: what starts a process lends it the peak of its own memory.
    """
    words = [sys.executable, "-c", _LAUNCHER, "-m", "pybuild", "export", str(root), "--format", "json"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment())
    status, used = done.stderr.splitlines()[-1].split()
    summary = json.loads(done.stdout)
    assert (status, summary["ok"]) == ("0", True), summary
    return int(used) / 1024, summary["pages"]


@pytest.mark.skipif(not LONG, reason="takes three minutes; python3 tests/run.py --long runs it")
@pytest.mark.parametrize("kind", ["documents", "params"])
def test_100_000_pages_with_64_open_files(tmp_path: Path, kind: str) -> None:
    """The command holds a packed record of each page and no body: ten times the pages take less than twice the memory."""
    roots = [sources(tmp_path / str(pages), pages, kind) for pages in (10_000, 100_000)]
    time.sleep(3)  # files that just changed are read once more, and told apart
    (small, _), (large, pages) = map(peak, roots)
    print(f"{kind}: {small:.0f} MiB at 10,000 pages, {large:.0f} MiB at 100,000")
    assert pages >= 100_001  # documents bring pages that list them
    assert large < 2 * small


@pytest.mark.parametrize("kind", ["documents", "params"])
def test_600_pages_with_64_open_files(tmp_path: Path, kind: str) -> None:
    used, pages = peak(sources(tmp_path / "site", 600, kind))
    assert pages >= 601  # documents bring pages that list them
    assert used < 110
