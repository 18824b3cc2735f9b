"""The kill matrix over whole exports: SIGKILL at every named step, then the next plain command."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from faultlab import LONG, STEPS, Steps, chosen, draw, export, gone, kill_self, leftovers, steps_of, tree
from harness import SETTINGS, environment

HANDLER = (
    "from pybuild import JSONResponse\ndynamic = 'force-static'\ndef generate_static_params():\n"
    "    return [{'n': str(n)} for n in range(%d)]\ndef GET(request, ctx):\n    return JSONResponse(%r)\n"
)
OLD = {
    "pybuild.toml": SETTINGS + '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n',
    "app/page.md": "# Home, old\n",
    "app/same/page.md": "# Same\n",
    "app/gone/page.md": "# Gone\n",
    "app/api/[n]/route.py": HANDLER % (3, "old"),
    "content/docs/a.md": "# A\n",
    "public/deep/in/file.txt": "old\n",
}
NEW = {
    **OLD,
    "app/page.md": "# Home, new\n",
    "app/fresh/page.md": "# Fresh\n",
    "app/api/[n]/route.py": HANDLER % (4, "new"),
    "public/deep": "a file now\n",
}
NEW = {
    path: text for path, text in NEW.items() if path not in {"app/gone/page.md", "public/deep/in/file.txt"}
}


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Make the sources of a site these files and no others; its output and its state stay."""
    for name in ("app", "content", "public"):
        shutil.rmtree(root / name, ignore_errors=True)
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    return root


@pytest.fixture
def copies(scratch: Path) -> Callable[[bool], Path]:
    """Each call is a site that was exported as OLD and is about to be exported as NEW."""
    model = write(scratch / "model", OLD)
    assert export(model).code == 0
    numbers = itertools.count()

    def copy(foreign: bool) -> Path:
        root = scratch / str(next(numbers))
        subprocess.run(["cp", "-a", str(model), str(root)], check=True)
        write(root, OLD)
        assert export(root).code == 0  # the manifest knows the inodes of this copy
        if foreign:
            (root / "out/CNAME").write_text("example.com\n")
        return write(root, NEW)

    return copy


def assert_whole_files(out: Mapping[str, bytes], old: Mapping[str, bytes], new: Mapping[str, bytes]) -> None:
    for path, body in out.items():
        assert body in (old.get(path), new.get(path)), path


@pytest.mark.parametrize("foreign", [False, True], ids=["swap", "files"])
def test_sigkill_at_every_named_step(copies: Callable[[bool], Path], foreign: bool) -> None:
    clean = copies(foreign)
    old = tree(clean / "out")
    steps = steps_of(clean)
    new = tree(clean / "out")
    assert set(steps) == STEPS - {"exchange" if foreign else "per-file"}
    points, ended_before = chosen(steps, each=40), 0
    for point in points:
        root = copies(foreign)
        killed = export(
            root, before=lambda root=root, point=point: sys.addaudithook(Steps(root, point, kill_self))
        )
        if killed.code == 0:  # files of the last seconds are read again, so runs differ by some steps
            ended_before += 1
        else:
            assert killed.code == -signal.SIGKILL, (point, steps[point], killed.said)
        if foreign:
            assert_whole_files(tree(root / "out"), old, new)
        else:
            assert tree(root / "out") in (old, new), (point, steps[point])
        again = export(root)
        assert again.code == 0, (point, steps[point], again.said)
        assert (tree(root / "out"), leftovers(root)) == (new, []), (point, steps[point])
        shutil.rmtree(root)
    assert ended_before < len(points) / 10


def test_a_killed_recovery_is_recovered_too(copies: Callable[[bool], Path]) -> None:
    clean = copies(False)
    steps = steps_of(clean)
    new = tree(clean / "out")
    journal = len(steps) - 1 - steps[::-1].index("journal")
    for point in range(2, 30, 9):
        root = copies(False)
        for at in (journal, point):
            ended = export(root, before=lambda root=root, at=at: sys.addaudithook(Steps(root, at, kill_self)))
        assert ended.code == -signal.SIGKILL
        assert export(root).code == 0
        assert (tree(root / "out"), leftovers(root)) == (new, []), point


def test_sigkill_of_the_real_command_with_its_workers(copies: Callable[[bool], Path]) -> None:
    """At random moments, most of them while workers render; no worker outlives the command."""
    clean, numbers = copies(False), draw("kill")
    old = tree(clean / "out")
    assert export(clean).code == 0
    new = tree(clean / "out")
    root = copies(False)
    for number in range(12 if LONG else 5):
        delay = numbers.uniform(0.3, 1.1)
        mark = f"PYBUILD_FAULT_{os.getpid()}_{number}"
        words = [sys.executable, "-m", "pybuild", "export", str(root), "--jobs", "2", "-q"]
        command = subprocess.Popen(words, env={**environment(), mark: "1"})
        time.sleep(delay)
        command.kill()
        command.wait()
        assert tree(root / "out") in (old, new), delay
        assert gone(mark), delay
    assert export(root).code == 0
    assert (tree(root / "out"), leftovers(root)) == (new, [])
