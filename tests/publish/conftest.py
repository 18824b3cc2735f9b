"""A desk to publish from: a site folder, and exports of given bytes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pybuild.diagnostics import Diagnostic
from pybuild.publish import (
    Published,
    commit,
    discard,
    exclusive,
    load_published,
    open_stage,
    output_at,
    recover,
)
from pybuild.records import File, by_path

NOBODY = 65534
Answer = tuple[Published | None, tuple[Diagnostic, ...]]


@dataclass(frozen=True)
class Desk:
    root: Path
    out: Path

    def export(self, site: Mapping[str, bytes], *, adopt: bool = False) -> Answer:
        """What the export command does around the pages."""
        with exclusive(self.root) as findings:
            output = output_at(self.root, self.out)
            findings += recover(output)
            if findings:
                return None, findings
            stage, findings = open_stage(output, load_published(output))
            if stage is None:
                return None, findings
            try:
                files = [File(path, "[test]", *stage.write(path, body)) for path, body in site.items()]
                return commit(stage, by_path(files), adopt=adopt)
            finally:
                discard(stage)

    def tree(self) -> dict[str, bytes]:
        return read_tree(self.out)

    def leftovers(self) -> list[str]:
        """Everything beside the output that is not the lock, a manifest or the spare tree."""
        state = [p for p in (self.root / ".pybuild").rglob("*") if not p.is_dir() and "spare" not in p.parts]
        beside = [p for p in self.out.parent.iterdir() if p.name.endswith("pybuild-stage")]
        return sorted(
            p.name for p in state + beside if p.name not in {"lock", "manifest.json", "spare.json", "stamps"}
        )


def read_tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder; an empty folder shows as a path that ends with a slash."""
    found = {}
    for at, folders, files in os.walk(folder):
        here = Path(at).relative_to(folder)
        found |= {(here / name).as_posix(): (Path(at) / name).read_bytes() for name in files}
        if not folders and not files and at != str(folder):
            found[f"{here.as_posix()}/"] = b""
    return found


def killed_at(point: int, work: Callable[[], object]) -> bool:
    """Run `work` in a child that kills itself before its `point`-th touch of the disk; False when it got through."""
    child = os.fork()
    if child == 0:
        sys.addaudithook(_Countdown(point))
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


class _Countdown:
    events = frozenset(
        {"open", *(f"os.{name}" for name in ("rename", "link", "mkdir", "remove", "rmdir", "chmod"))}
    )

    def __init__(self, left: int) -> None:
        self.left = left

    def __call__(self, event: str, args: object) -> None:
        if event in self.events:
            self.left -= 1
            if self.left < 0:
                os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def mounted(place: Path, *arguments: str) -> Iterator[None]:
    """Mount something, or skip where that is not allowed."""
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", *arguments, str(place)], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def scratch(tmp_path: Path) -> Iterator[Path]:
    """A folder in memory, where there is one: the tests here sync a lot."""
    if not os.access("/dev/shm", os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture
def desks(scratch: Path) -> Callable[[], Desk]:
    """Makes a new, empty site at each call."""

    def make() -> Desk:
        root = Path(tempfile.mkdtemp(dir=scratch))
        root.chmod(0o755)
        return Desk(root, root / "out")

    return make


@pytest.fixture
def desk(desks: Callable[[], Desk]) -> Desk:
    return desks()


@pytest.fixture
def crash() -> Callable[[int, Callable[[], object]], bool]:
    return killed_at


@pytest.fixture
def mount() -> Callable[..., AbstractContextManager[None]]:
    """Mounts for the time of a `with`: `mount(place, "-t", "tmpfs", "tmpfs")`."""
    return mounted


@pytest.fixture
def mount_bind() -> Callable[[Path, Path], AbstractContextManager[None]]:
    return lambda source, place: mounted(place, "--bind", str(source))


@pytest.fixture
def as_nobody() -> Callable[[Callable[[], bool]], bool]:
    """Asks a question in a process without special permissions; skips where its folders cannot be reached."""

    def ask(question: Callable[[], bool]) -> bool:
        if os.geteuid() != 0:
            return question()
        if not os.access("/dev/shm", os.W_OK):
            pytest.skip("there is no folder that every user can reach")
        child = os.fork()
        if child == 0:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os._exit(0 if question() else 1)
        return os.waitpid(child, 0)[1] == 0

    return ask
