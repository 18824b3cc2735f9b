"""What the fault suite works with: the command in a forked process, steps to be cut off at, mounts, the world.

A step is a touch of the disk below the state or the output of a site, told by Python's audit events, and named
after what the export is doing then. `SEED` varies what is drawn at random; it is printed when a test fails.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from harness import LONG
from zygote import load

from pybuild.cli import main as cli

load()
SEED = int(os.environ.get("PYBUILD_SEED", "20260101"))
STEPS = {"read", "cache", "stage", "sync", "journal", "exchange", "per-file", "manifest", "delete"}
_EVENTS = {"open", *(f"os.{n}" for n in ("rename", "link", "mkdir", "remove", "rmdir", "chmod", "scandir"))}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def draw(name: str) -> random.Random:
    """A source of numbers of a test's own; say its name in the test's messages."""
    return random.Random(f"{SEED} {name}")


@dataclass(frozen=True)
class Ended:
    """How a forked command ended."""

    code: int  # negative: the signal
    said: str  # both streams

    @property
    def summary(self) -> dict[str, Any]:
        lines = [line for line in self.said.splitlines() if line.startswith('{"version"')]
        return dict(json.loads(lines[-1])) if lines else {}

    @property
    def codes(self) -> set[str]:
        return {d["code"] for d in self.summary["diagnostics"]} - {"rules-lost"}


def fork_command(*words: str, before: Callable[[], None] = lambda: None) -> Ended:
    """Run the command line in a fork of this process; `before` runs first, in the child."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if child == 0:
            _become(said.fileno(), before, words)
        _, status = os.waitpid(child, 0)
        said.seek(0)
        code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
        return Ended(code, said.read().decode("utf-8", "replace"))


def _become(said: int, before: Callable[[], None], words: Sequence[str]) -> None:
    code: Any = 70
    try:
        os.environ["SOURCE_DATE_EPOCH"] = "1767225600"
        for name in ("CI", "PYTEST_CURRENT_TEST"):
            os.environ.pop(name, None)
        os.dup2(said, 1)
        os.dup2(said, 2)
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), "utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(io.FileIO(2, "w", closefd=False), "utf-8", write_through=True)
        sys.argv = ["pybuild", *words]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        before()
        cli.main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        os._exit(code)


def export(root: Path, *words: str, before: Callable[[], None] = lambda: None) -> Ended:
    """Export a site in a fork, all in one process, so that every step is seen."""
    return fork_command("export", str(root), "--engine", "serial", "--format", "json", *words, before=before)


class Steps:
    """An audit hook that names the steps of an export and acts at one of them."""

    def __init__(self, root: Path, at: int = -1, act: Callable[[], object] = lambda: None) -> None:
        self.seen: list[str] = []
        self._root = f"{root}/"
        self._at = at
        self._act = act

    def __call__(self, event: str, args: Any) -> None:
        if event in _EVENTS and (step := self._name(event, args)):
            if len(self.seen) == self._at:
                self._at = -1
                self._act()
            self.seen.append(step)

    def _name(self, event: str, args: Any) -> str:
        path = os.fspath(args[0]) if isinstance(args[0], str | os.PathLike) else ""
        if not isinstance(path, str) or not path.startswith(self._root):
            return ""
        inside = path.removeprefix(self._root)
        if inside.startswith(("app/", "content/")):
            return "read" if event == "open" else ""
        if event == "open" and not args[2] & (_WRITING | os.O_DIRECTORY):
            return ""
        return self._of_publishing(event, inside, args)

    def _of_publishing(self, event: str, inside: str, args: Any) -> str:
        if inside.startswith(".pybuild/cache"):
            return "cache"
        if "manifest" in inside:
            return "manifest"
        if "journal" in inside:
            return "delete" if event == "os.remove" else "journal"
        if event == "open" and args[2] & os.O_DIRECTORY:
            return "sync"
        if event in {"os.remove", "os.rmdir"}:
            return "delete"
        if event == "os.rename":  # of a file out of a tree after the journal; else of trees, and into one
            return (
                "per-file" if "journal" in self.seen and re.search("/tree-[0-9a-f]{8}/", inside) else "stage"
            )
        if (
            event == "os.scandir"
        ):  # after the journal a swap looks at the old tree first, renames at the output
            is_swap = (
                inside.startswith(".pybuild/outputs") and "/tree-" in inside and "per-file" not in self.seen
            )
            if "journal" not in self.seen or (not is_swap and "exchange" in self.seen):
                return ""
            return "exchange" if is_swap else "per-file"
        return "stage" if "stage" in inside or inside.startswith(".pybuild") else ""


def steps_of(root: Path) -> list[str]:
    """The steps of the next export of a site. The site is exported by that."""
    hook = Steps(root)

    def listen() -> None:
        sys.addaudithook(hook)
        leave = os._exit

        def tell(code: int) -> None:
            names.write_text("\n".join(hook.seen))
            leave(code)

        os._exit = tell  # type: ignore[assignment]

    with tempfile.TemporaryDirectory() as folder:
        names = Path(folder, "steps")
        ended = export(root, before=listen)
        assert ended.code == 0, ended.said
        return names.read_text().split()


def chosen(steps: Sequence[str], *, each: int) -> list[int]:
    """The points to cut off at: all of them in a long run, else the first and every `each`-th of each name."""
    if LONG:
        return list(range(len(steps)))
    points: list[int] = []
    for name in sorted(set(steps)):
        named = [point for point, step in enumerate(steps) if step == name]
        points += named[:: each if name in {"read", "stage"} else 1 + each // 4]
    return sorted(points)


def kill_self() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, by POSIX path."""
    return {
        (Path(at) / name).relative_to(folder).as_posix(): (Path(at) / name).read_bytes()
        for at, _, names in os.walk(folder)
        for name in names
    }


def leftovers(root: Path) -> list[str]:
    """What is in the state and beside the output besides the lock, the manifest and the cache."""
    state = [p for p in (root / ".pybuild").rglob("*") if not p.is_dir()]
    cache = root / ".pybuild" / "cache"  # an unfinished file there is written anew by the next export
    state = [p for p in state if cache not in p.parents and "spare" not in p.parts]
    beside = [p for p in root.iterdir() if p.name.endswith("pybuild-stage")]
    return sorted(
        str(p.relative_to(root))
        for p in state + beside
        if p.name not in {"lock", "manifest.json", "spare.json", "stamps"}
    )


def world(folder: Path, *besides: Path) -> dict[str, str]:
    """A digest of every file, link and folder below `folder`, without what lies in one of `besides`."""
    skipped = {str(path) for path in besides}
    seen: dict[str, str] = {}
    for at, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if str(Path(at, name)) not in skipped]
        for name in (*folders, *names):
            path = Path(at, name)
            seen[str(path)] = (
                f"-> {path.readlink()}" if path.is_symlink() else "folder" if path.is_dir()
                else hashlib.sha256(path.read_bytes()).hexdigest()
            )  # fmt: skip
    return seen


def run(*words: str | Path) -> str:
    """Run a tool; skip the test, naming the tool, where there is none or it is refused."""
    try:
        done = subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip(f"{words[0]} is not installed")
    if done.returncode:
        pytest.skip(f"{words[0]} is refused here: {done.stderr.strip() or done.returncode}")
    return done.stdout


@contextmanager
def mounted(place: Path, *arguments: str | Path) -> Iterator[Path]:
    """`mount … place` for the time of a `with`; skips where mounting is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    run("mount", *arguments, place)
    try:
        yield place
    finally:
        _unmount(place)


@contextmanager
def fused(place: Path, *command: str | Path) -> Iterator[Path]:
    """Mount by a program that ends once it has mounted; the last word it is given is the place."""
    place.mkdir(parents=True, exist_ok=True)
    run(*command, place)
    try:
        yield place
    finally:
        _unmount(place)


def _unmount(place: Path) -> None:
    for _ in range(50):
        if subprocess.run(["umount", str(place)], capture_output=True, check=False).returncode == 0:
            return
        time.sleep(0.1)
    subprocess.run(["umount", "-l", str(place)], check=True)


@contextmanager
def loop_device(image: Path) -> Iterator[str]:
    device = run("losetup", "--find", "--show", image).strip()
    try:
        yield device
    finally:
        subprocess.run(["losetup", "-d", device], check=False)


def marked(mark: str) -> list[int]:
    """The processes whose environment holds a text, without zombies."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if mark.encode() in (entry / "environ").read_bytes():
                    state = (entry / "stat").read_text().rpartition(") ")[2][:1]
                    found += [int(entry.name)] if state != "Z" else []
            except OSError:
                continue
    return found


def gone(mark: str) -> bool:
    """Whether no process is left whose environment holds a text; those that were just killed have time to end."""
    until = time.monotonic() + 10
    while marked(mark):
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True
