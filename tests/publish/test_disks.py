"""Other disks: full ones, mounted ones, layered ones, and one whose power is cut."""

from __future__ import annotations

import fcntl
import os
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pybuild.publish import Published

OLD = {f"{n}.html": b"o" * 3000 for n in range(20)}
NEW = {f"{n}.html": b"n" * 3000 if n % 2 else b"o" * 3000 for n in range(2, 24)} | {"deep/a/b.html": b"new"}
FOREIGN = {"CNAME": b"example.com"}
Mount = Callable[..., Any]


def desk_at(desk: Any, root: Path, out: Path | None = None) -> Any:
    root.mkdir(exist_ok=True, parents=True)
    return type(desk)(root, out or root / "out")


@pytest.mark.parametrize("foreign", [False, True], ids=["swap", "files"])
@pytest.mark.parametrize("pages", range(4, 24))
def test_a_full_disk_leaves_the_old_site_and_says_how_much_is_needed(
    desk: Any, tmp_path: Path, mount: Mount, pages: int, foreign: bool
) -> None:
    """From a disk that holds the old site only, page by page, to one that holds both."""
    place, kept = tmp_path / "disk", FOREIGN if foreign else {}
    with mount(place, "-t", "tmpfs", "-o", f"size={(20 + pages) * 4}k", "tmpfs"):
        here = desk_at(desk, place / "site")
        assert here.export(OLD)[1] == ()
        for path, body in kept.items():
            (here.out / path).write_bytes(body)
        try:
            published, findings = here.export(NEW)
        except OSError as fault:  # a worker's write; its caller tells it with publish_error
            published, findings = None, ()
            assert fault.filename.startswith(str(place))
        assert here.tree() in ({**OLD, **kept}, {**NEW, **kept})
        if published is None:
            assert here.tree() == {**OLD, **kept}
        assert all("No space left on device" in f.message and "bytes free" in f.message for f in findings)
        subprocess.run(["mount", "-o", "remount,size=4m", str(place)], check=True)
        assert here.export(NEW)[1] == ()
        assert (here.tree(), here.leftovers()) == ({**NEW, **kept}, [])


def test_an_output_that_is_a_mount(desk: Any, tmp_path: Path, mount: Mount, crash: Any) -> None:
    for point in range(0, 140, 7):
        here = desk_at(desk, tmp_path / str(point))
        with mount(here.out, "-t", "tmpfs", "tmpfs"):
            assert here.export(OLD) == (Published(20, 20, 0, 0, 0), ())
            crash(point, lambda here=here: here.export(NEW))
            assert here.export(NEW)[1] == ()
            assert (here.tree(), here.leftovers()) == (NEW, [])


def test_an_output_bound_from_the_same_disk(desk: Any, tmp_path: Path, mount_bind: Mount) -> None:
    here = desk_at(desk, tmp_path / "site")
    (tmp_path / "www").mkdir()
    with mount_bind(tmp_path / "www", here.out):
        assert here.export(OLD) == (Published(20, 20, 0, 0, 0), ())
        assert here.export(NEW)[1] == ()
        assert (here.tree(), here.leftovers()) == (NEW, [])


def test_an_output_from_a_lower_image_layer(desk: Any, tmp_path: Path, mount: Mount) -> None:
    lower = desk_at(desk, tmp_path / "disk/lower/site")
    with mount(tmp_path / "disk", "-t", "tmpfs", "tmpfs"):
        lower = desk_at(desk, tmp_path / "disk/lower/site")
        lower.export(OLD)
        shutil.rmtree(lower.root / ".pybuild")
        for name in ("upper", "work"):
            (tmp_path / "disk" / name).mkdir()
        layers = [f"{name}dir={tmp_path}/disk/{name}" for name in ("lower", "upper", "work")]
        with mount(tmp_path / "both", "-t", "overlay", "-o", ",".join(layers), "overlay"):
            here = desk_at(desk, tmp_path / "both/site")
            assert here.export(OLD) == (Published(20, 20, 0, 0, 0), ())
            assert here.export(NEW)[1] == ()
            assert (here.tree(), here.leftovers()) == (NEW, [])
        assert lower.tree() == OLD


def test_a_mount_inside_the_output_is_foreign(desk: Any, tmp_path: Path, mount: Mount) -> None:
    here = desk_at(desk, tmp_path / "site")
    here.export(OLD)
    with mount(here.out / "inner", "-t", "tmpfs", "tmpfs"):
        (here.out / "inner/mine").write_bytes(b"mine")
        assert here.export(NEW)[1] == ()
        assert here.tree() == {**NEW, "inner/mine": b"mine"}


EXT4_SHUTDOWN = 0x8004587D
NO_LOG_FLUSH = 2


@pytest.mark.parametrize("foreign", [False, True], ids=["swap", "files"])
def test_what_was_published_survives_a_power_cut_right_after(
    desk: Any, tmp_path: Path, mount: Mount, foreign: bool
) -> None:
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("there is no mkfs.ext4")
    kept = FOREIGN if foreign else {}
    image = tmp_path / "image"
    with image.open("wb") as stream:
        stream.truncate(16 << 20)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    here = type(desk)(tmp_path / "disk/site", tmp_path / "disk/site/out")
    with mount(tmp_path / "disk", "-o", "loop", str(image)):
        here = desk_at(desk, here.root)
        here.export(OLD)
        for path, body in kept.items():
            (here.out / path).write_bytes(body)
        assert here.export(NEW)[1] == ()
        descriptor = os.open(tmp_path / "disk", os.O_RDONLY)
        fcntl.ioctl(descriptor, EXT4_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        os.close(descriptor)
    with mount(tmp_path / "disk", "-o", "loop", str(image)):
        assert here.tree() == {**NEW, **kept}
        assert here.export(NEW) == (Published(23, 0, 23, 0, len(kept)), ())


def test_a_file_that_cannot_be_linked_stays_where_it_is(desk: Any, tmp_path: Path) -> None:
    here = desk_at(desk, tmp_path / "site")
    here.export(OLD)
    if subprocess.run(
        ["chattr", "+i", str(here.out / "2.html")], capture_output=True, check=False
    ).returncode:
        pytest.skip("cannot make a file immutable")
    try:
        assert here.export(NEW)[1] == ()
        assert (here.tree(), here.leftovers()) == (NEW, [])
    finally:
        subprocess.run(["chattr", "-i", str(here.out / "2.html")], check=True)
