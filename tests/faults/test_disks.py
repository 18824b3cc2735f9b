"""Disks that lose power, fill up, answer with errors, or are mounted in odd ways, under whole exports."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faultlab import (
    LONG,
    Ended,
    Steps,
    chosen,
    export,
    fork_command,
    kill_self,
    leftovers,
    mounted,
    run,
    steps_of,
    tree,
    world,
)
from harness import SETTINGS, environment

SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN of ext4 and XFS
NO_LOG_FLUSH = struct.pack("I", 2)
SIZES = {"ext4": 32 << 20, "xfs": 320 << 20}
FOREIGN = {"CNAME": b"example.com\n"}


def make(root: Path, word: str, *, pages: int = 3) -> Path:
    """Write a site whose every page says `word`."""
    sources = {
        "pybuild.toml": SETTINGS,
        "app/page.md": f"# Home, {word}\n",
        "app/same/page.md": "# Same\n",
        f"app/{word}/page.md": "# Comes or goes\n",
        "app/p/[n]/page.html": f"<h1>{word}</h1>" + "<p>text</p>" * 300,
        "app/p/[n]/page.py": f"def generate_static_params():\n    return [{{'n': str(n)}} for n in range({pages})]\n",
    }
    shutil.rmtree(root / "app", ignore_errors=True)
    for path, text in sources.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root


def finished(root: Path, ended: Ended) -> dict[str, bytes]:
    """The output after an export that must have gone through and left nothing behind."""
    assert (ended.code, leftovers(root)) == (0, []), ended.said
    return tree(root / "out")


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """The outputs of both sites, made where nothing goes wrong."""
    root = tmp_path_factory.mktemp("calm") / "site"
    old = finished(root, export(make(root, "old")))
    return old, finished(root, export(make(root, "new")))


@contextmanager
def disk(image: Path, kind: str, place: Path) -> Iterator[Path]:
    """A disk of its own in a file; made at first."""
    if not image.exists():
        with image.open("wb") as stream:
            stream.truncate(SIZES[kind])
        run(f"mkfs.{kind}", "-q", image)
    with mounted(place, "-o", "loop", image):
        yield place


def cut_power(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    fcntl.ioctl(descriptor, SHUTDOWN, NO_LOG_FLUSH)
    os._exit(0)


@pytest.mark.parametrize("foreign", [False, True], ids=["swap", "files"])
@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_power_cut_at_every_named_step(
    scratch: Path, sites: tuple[dict[str, bytes], ...], kind: str, foreign: bool
) -> None:
    old, new = sites
    place, kept = scratch / "disk", FOREIGN if foreign else {}
    root, points, done = place / "site", [0], 0
    with disk(scratch / "image", kind, place):
        finished(root, export(make(root, "old")))
        for path, body in kept.items():
            (root / "out" / path).write_bytes(body)
    while done < len(points):
        with disk(scratch / "image", kind, place):
            export(make(root, "old"))
            make(root, "new")
            if done == 0:
                points = chosen(steps_of(root), each=30)
                points = points if LONG else points[2 :: len(points) // 4]
                export(make(root, "old"))
                make(root, "new")
            os.sync()
            act = Steps(root, points[done], lambda: cut_power(place))
            export(root, before=lambda act=act: sys.addaudithook(act))
        with disk(scratch / "image", kind, place):
            here = tree(root / "out")
            if not foreign:
                assert here in (old, new), points[done]
            for path, body in here.items():
                assert body in (old.get(path), new.get(path), kept.get(path)), (points[done], path)
            assert finished(root, export(make(root, "new"))) == {**new, **kept}, points[done]
        done += 1


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_exit_0_means_it_is_on_the_disk(
    scratch: Path, sites: tuple[dict[str, bytes], ...], kind: str
) -> None:
    place = scratch / "disk"
    with disk(scratch / "image", kind, place):
        finished(place / "site", export(make(place / "site", "old")))
        assert export(make(place / "site", "new")).code == 0
        if os.fork() == 0:
            cut_power(place)
        os.wait()
    with disk(scratch / "image", kind, place):
        assert tree(place / "site/out") == sites[1]


@pytest.mark.parametrize("pages", range(0, 60, 2 if LONG else 14))
def test_full_disk(scratch: Path, sites: tuple[dict[str, bytes], ...], pages: int) -> None:
    """From a disk that holds the old site and no more to one that holds both."""
    place, (old, new) = scratch / "disk", sites
    with mounted(place, "-t", "tmpfs", "-o", "size=4m", "tmpfs"):
        root = place / "site"
        assert finished(root, export(make(root, "old"))) == old
        make(root, "new")
        used = os.statvfs(place)
        size = (used.f_blocks - used.f_bfree + pages) * 4
        subprocess.run(["mount", "-o", f"remount,size={size}k", str(place)], check=True)
        ended = export(root)
        if ended.code:
            assert (ended.code, ended.codes, tree(root / "out")) == (1, {"publish-error"}, old)
            assert "No space left on device" in ended.said
        subprocess.run(["mount", "-o", "remount,size=8m", str(place)], check=True)
        assert finished(root, export(root)) == new


@pytest.mark.parametrize("inodes", range(1, 60, 4 if LONG else 14))
def test_disk_without_room_for_names(scratch: Path, sites: tuple[dict[str, bytes], ...], inodes: int) -> None:
    place, (old, new) = scratch / "disk", sites
    with mounted(place, "-t", "tmpfs", "-o", "nr_inodes=1000", "tmpfs"):
        root = place / "site"
        assert finished(root, export(make(root, "old"))) == old
        make(root, "new")
        used = os.statvfs(place)
        inodes += used.f_files - used.f_ffree
        subprocess.run(["mount", "-o", f"remount,nr_inodes={inodes}", str(place)], check=True)
        ended = export(root)
        if ended.code:
            assert (ended.code, ended.codes, tree(root / "out")) == (1, {"publish-error"}, old), ended.said
        subprocess.run(["mount", "-o", "remount,nr_inodes=2000", str(place)], check=True)
        assert finished(root, export(root)) == new


CALLS = {"fsync": "EIO", "syncfs": "EIO", "rename": "ENOSPC", "renameat2": "EIO", "mkdir": "ENOSPC",
         "link": "EIO", "linkat": "EIO", "unlink": "EIO", "rmdir": "EIO", "write": "ENOSPC", "pwrite64": "EIO",
         "openat": "EMFILE", "ftruncate": "EIO", "flock": "EIO"}  # fmt: skip


def traced(
    root: Path, call: str, *words: str, log: Path = Path("/dev/null")
) -> subprocess.CompletedProcess[str]:
    """Export and watch one system call."""
    words = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", str(log), "-e", f"trace={call}", *words)
    words += ("-P", str(root / "out")) if call == "renameat2" else ()
    words += (sys.executable, "-m", "pybuild", "export", str(root), "--engine", "serial", "--format", "json")
    return subprocess.run(words, capture_output=True, text=True, check=False, env=environment())


def injected(root: Path, call: str, error: str, when: int) -> subprocess.CompletedProcess[str]:
    """Export with the `when`-th call refused."""
    return traced(root, call, "-e", f"inject={call}:error={error}:when={when}")


def moments(root: Path, call: str) -> list[int]:
    """Which of the calls that an export makes are to fail: at most forty, and one more than there are."""
    log = root.with_name("calls")
    assert traced(root, call, log=log).returncode == 0
    count = len(log.read_text().splitlines())
    return [*range(1, count + 1, 1 + count // 40), count + 1]


@pytest.fixture
def traceable() -> None:
    run("strace", "-qq", "-o", "/dev/null", "true")


@pytest.mark.usefixtures("traceable")
@pytest.mark.parametrize("call", CALLS if LONG else ["fsync", "syncfs", "renameat2", "rename", "linkat"])
def test_input_output_errors(scratch: Path, sites: tuple[dict[str, bytes], ...], call: str) -> None:
    """The n-th call of a kind fails, for n from one on to one more than there are."""
    (old, new), root = sites, scratch / "site"
    assert finished(root, export(make(root, "old"))) == old
    for when in moments(make(root, "new"), call) if LONG else (1, 3):
        assert finished(root, export(make(root, "old"))) == old
        done = injected(make(root, "new"), call, CALLS[call], when)
        assert done.returncode in {0, 1, 2} or call in {"openat", "write"}, done.stderr
        if done.stdout and "finish publishing" not in done.stdout:  # else the report itself was refused
            assert tree(root / "out") == (new if done.returncode == 0 else old), (call, when, done.stdout)
        assert finished(root, export(root)) == new, (call, when)


def test_read_only_output_is_refused_before_any_work(scratch: Path) -> None:
    root = make(scratch / "site", "old")
    (root / "app/p/[n]/page.py").write_text(
        "open('ran', 'w')\ndef generate_static_params():\n    return [{'n': '1'}]\n"
    )
    (scratch / "www").mkdir()
    with mounted(root / "out", "--bind", scratch / "www"):
        subprocess.run(["mount", "-o", "remount,ro,bind", str(root / "out")], check=True)
        ended = export(root)
    assert (ended.code, ended.codes, (root / "ran").exists()) == (2, {"unsafe-out"}, False)


def test_output_that_is_a_mount(scratch: Path, sites: tuple[dict[str, bytes], ...]) -> None:
    root = make(scratch / "site", "old")
    with mounted(root / "out", "-t", "tmpfs", "tmpfs"):
        assert finished(root, export(root)) == sites[0]
        points = chosen(steps_of(make(root, "new")), each=40)
        for point in points if LONG else points[:: len(points) // 4]:
            export(make(root, "old"))
            export(make(root, "new"), before=lambda p=point: sys.addaudithook(Steps(root, p, kill_self)))
            assert finished(root, export(root)) == sites[1], point


def test_output_from_a_lower_layer(scratch: Path, sites: tuple[dict[str, bytes], ...]) -> None:
    with mounted(scratch / "disk", "-t", "tmpfs", "tmpfs") as place:
        lower = place / "lower"
        finished(lower / "site", export(make(lower / "site", "old")))
        for name in ("upper", "work"):
            (place / name).mkdir()
        before = world(lower)
        layers = ",".join(f"{name}dir={place / name}" for name in ("lower", "upper", "work"))
        with mounted(scratch / "both", "-t", "overlay", "-o", layers, "overlay") as both:
            assert finished(both / "site", export(make(both / "site", "new"))) == sites[1]
        assert world(lower) == before


def test_foreign_files_stay(scratch: Path, sites: tuple[dict[str, bytes], ...]) -> None:
    root = make(scratch / "site", "old")
    assert export(root).code == 0
    foreign = {
        "CNAME": b"a.example\n",
        ".git": b"gitdir: elsewhere\n",
        "old/notes.txt": b"mine",
        "mine/own/x": b"",
    }
    for path, body in foreign.items():
        (root / "out" / path).parent.mkdir(parents=True, exist_ok=True)
        (root / "out" / path).write_bytes(body)
    assert finished(root, export(make(root, "new"))) == {**sites[1], **foreign}
    assert re.search(r"left \d+ files? of others", fork_command("clean", str(root)).said)
    assert tree(root / "out") == foreign
