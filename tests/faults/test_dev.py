"""`pybuild dev` where what is around it fails: a full disk, code that floods, a machine that sleeps, a tree that is another one at once."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from developing import Server, developed
from faultlab import mounted
from incremental import put, write_site

FILES = {
    "pybuild.toml": '[site]\nurl = "https://a.example"\ntitle = "A"\n[build]\ngit_dates = false\ntimeout = 10\n',
    "app/page.md": "# Home\n",
    "app/code/page.py": "def load(ctx):\n    return {'n': 1}\n",
    "app/code/page.html": "<h1>{{ n }}</h1>",
}


def fill(place: Path) -> Path:
    """Write a file as large as there is room."""
    file = place / "filler"
    with file.open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(b"x" * 4096):
            pass
    return file


def shows(server: Server, target: str, text: bytes) -> None:
    server.until(target, lambda seen: seen.status == 200 and text in seen.body)


def test_a_full_disk(scratch: Path) -> None:
    place = scratch / "disk"
    write_site(scratch / "site", FILES)
    with (
        mounted(place, "-t", "tmpfs", "-o", "size=4m", "tmpfs"),
        developed(scratch / "site", TMPDIR=str(place)) as server,
    ):
        shows(server, "/", b"Home")
        filler = fill(place)
        put(server.root, "app/page.md", "# Second\n" + "Text.\n\n" * 9000)
        server.until("/", lambda seen: seen.status != 200)
        filler.unlink()
        put(server.root, "app/page.md", "# Third\n")
        shows(server, "/", b"Third")


def test_code_that_floods(tmp_path: Path) -> None:
    write_site(tmp_path / "site", FILES)
    flood = "import os\ndef load(ctx):\n    for _ in range(200): print('x' * 100_000)\n    os.write(2, b'y' * 1_000_000)\n    return {'n': 2}\n"
    with developed(tmp_path / "site") as server:
        shows(server, "/code", b"<h1>1</h1>")
        put(server.root, "app/code/page.py", flood)
        shows(server, "/code", b"<h1>2</h1>")
        shows(server, "/", b"Home")
        put(server.root, "app/code/page.py", FILES["app/code/page.py"])
        shows(server, "/code", b"<h1>1</h1>")
    assert (tmp_path / "dev.log").stat().st_size < 1_000_000


def test_a_checkout_of_a_thousand_files(tmp_path: Path) -> None:
    root = tmp_path / "site"
    write_site(root, FILES)

    def git(*words: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@a.example")
        subprocess.run(["git", "-C", root, *identity, *words], check=True, capture_output=True)

    def commit(word: str) -> None:
        for number in range(1000):
            put(root, f"app/n{number}/page.md", f"# {word} {number}\n")
        git("add", "-A")
        git("commit", "-qm", word)

    git("init", "-q", "-b", "first")
    commit("First")
    git("checkout", "-qb", "second")
    commit("Second")
    with developed(root) as server:
        shows(server, "/n999", b"Second 999")
        git("checkout", "-q", "first")
        for number in (0, 500, 999):
            shows(server, f"/n{number}", f"First {number}".encode())
        git("checkout", "-q", "second")
        shows(server, "/n1", b"Second 1")


def family(pid: int) -> list[int]:
    """A process and all that came of it."""
    own = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text("ascii").split()]
    return [pid, *(one for child in own for one in family(child))]


def test_a_machine_that_sleeps(tmp_path: Path) -> None:
    write_site(tmp_path / "site", FILES)
    with developed(tmp_path / "site") as server:
        shows(server, "/code", b"<h1>1</h1>")
        asleep = family(server.process.pid)
        for pid in asleep:
            os.kill(pid, signal.SIGSTOP)
        put(server.root, "app/page.md", "# Morning\n")
        put(server.root, "app/code/page.py", FILES["app/code/page.py"].replace("1", "2"))
        for pid in reversed(asleep):
            os.kill(pid, signal.SIGCONT)
        shows(server, "/", b"Morning")
        shows(server, "/code", b"<h1>2</h1>")
