"""The host's side of the pipe, without a cluster."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from pybuild.engines.host import Order, read_frame, write_frame


class Touch:
    """Makes a file when it is loaded."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self):
        return os.mkdir, (str(self.file),)


@pytest.mark.parametrize("kind", ["disk", "store", "site"])
def test_nothing_is_loaded_but_what_was_announced(tmp_path: Path, kind: str) -> None:
    """Somebody has put another program, or another site, where it lies."""
    pytest.importorskip("obstore")
    program, mark = pickle.dumps(Touch(tmp_path / "loaded")), tmp_path / "loaded"
    digest = hashlib.sha256(program if kind == "site" else b"what was announced").hexdigest()
    bundle = hashlib.sha256(b"the site").hexdigest()
    for path, body in ((f"_programs/{digest}", program), (f"_bundles/{bundle}", b"another site")):
        (tmp_path / path).parent.mkdir()
        (tmp_path / path).write_bytes(body if kind != "store" or "pro" in path else b"the site")
    where = (
        {"file": str(tmp_path / f"_programs/{digest}")} if kind == "disk" else {"store": f"file://{tmp_path}"}
    )
    places = {} if kind == "disk" else {"site": Path("/site")}
    order = Order(digest, {}, 1, 20.0, **where, bundle=bundle, places=places, folder=tmp_path / "here")
    host = subprocess.Popen(
        [sys.executable, "-m", "pybuild.engines.host", str(os.getpid())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    write_frame(host.stdin, order)
    said = read_frame(host.stdout)
    host.communicate(timeout=20)
    assert "is not the one that was announced" in said
    assert not mark.exists()
