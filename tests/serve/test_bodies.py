"""Reading published files, and nothing else."""

import hashlib
import os
from pathlib import Path

import pytest

from pybuild.records import File
from pybuild.serve.responses import Stale, open_file, read_file


def published(path: str, body: bytes = b"body") -> File:
    return File(path, "test", hashlib.sha256(body).hexdigest(), len(body))


def test_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"body")
    assert read_file(tmp_path, published("a/b")) == b"body"
    with open_file(tmp_path, published("a/b")) as stream:
        assert stream.read() == b"body"


def test_symlinks_are_not_followed(tmp_path: Path) -> None:
    out, other = tmp_path / "out", tmp_path / "other"
    out.mkdir(), other.mkdir()
    (other / "b").write_bytes(b"body")
    (out / "folder").symlink_to(other)
    (out / "b").symlink_to(other / "b")
    for path in ("folder/b", "b"):
        with pytest.raises(Stale):
            read_file(out, published(path))


@pytest.mark.parametrize("body", [b"others", b"ydob", b""])
def test_what_was_changed_is_not_served(tmp_path: Path, body: bytes) -> None:
    (tmp_path / "b").write_bytes(body)
    with pytest.raises(Stale):
        read_file(tmp_path, published("b"))


def test_what_is_no_file_is_not_served(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for path in ("folder", "pipe", "absent", "absent/b", "pipe/b"):
        with pytest.raises(Stale):
            open_file(tmp_path, published(path, b""))


def test_no_descriptor_is_left_open(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(b"body")
    before = len(os.listdir("/proc/self/fd"))
    read_file(tmp_path, published("a/b"))
    for path in ("a/c", "c/b", "a"):
        with pytest.raises(Stale):
            read_file(tmp_path, published(path))
    assert len(os.listdir("/proc/self/fd")) == before
