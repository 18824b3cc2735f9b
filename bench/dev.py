"""Dev servers side by side: the first page after the start, a saved document, a saved layout, memory after edits.

    python bench/dev.py --pages 10 1000 10000 --write

Each server starts on its own copy of the same pages (see `peers/`), one at a time, and is asked for one page every few
milliseconds. "Start" ends with the first answer that has the page's text; "document" and "layout" begin with the write
of the file and end with the first answer that has the new text. A browser is not part of it: what it adds is the same
for all. Memory is the sum of the proportional sizes of all processes, after the first page and after all edits.
`--write` puts the tables in bench/DEV.md. Linux only: proc(5).
"""

from __future__ import annotations

import argparse
import http.client
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import corpus as pages
import measure
import report
from peers import astro, eleventy, hugo
from peers import pybuild as own
from peers.base import Peer

import run

PAUSE = 0.005  # seconds between two questions
EDITS = ("document", "layout")
Words = Callable[[Path, int], Sequence[str]]  # (tools, port) → the command, run in the site

SERVERS: dict[str, tuple[Peer, Words]] = {
    "pybuild dev": (
        own.PEERS[0],
        lambda tools, port: [sys.executable, "-m", "pybuild", "dev", "--port", str(port)],
    ),
    "hugo server": (
        hugo.PEER,
        lambda tools, port: [hugo.command(tools)[0], "server", "--port", str(port), "--renderToMemory"],
    ),
    "eleventy --serve": (
        eleventy.PEER,
        lambda tools, port: [*eleventy.command(tools), "--serve", "--incremental", "--port", str(port)],
    ),
    "astro dev": (
        astro.PEER,
        lambda tools, port: [*astro.command(tools)[:2], "dev", "--port", str(port), "--host", "127.0.0.1"],
    ),
}


@dataclass
class Result:
    """Seconds of each case, and MB; None where an answer did not come in time."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    first: float = 0.0
    last: float = 0.0


class Late(Exception):
    """An answer that did not come within the limit."""


def serve(name: str, tools: Path, site: Path, rounds: int, limit: int) -> Result:
    """One server from its start to its end, with `rounds` edits of each kind."""
    peer, words = SERVERS[name]
    document = sorted((site / peer.content).rglob("*.md"))[0]
    address = f"/docs/{document.relative_to(site / peer.content).with_suffix('').as_posix()}"
    result, port, begin = Result(), free_port(), time.perf_counter()
    with running(words(tools, port), site) as process:
        ask = Asking(port, address if peer in own.PEERS else f"{address}/", limit, process)
        ask.until("</html>")
        result.seconds["start"] = [time.perf_counter() - begin]
        time.sleep(1)  # watchers are ready soon after the first page, in all of them
        result.first = size(process.pid)
        for number in range(rounds):
            for kind in EDITS:
                file, before = (document, "") if kind == "document" else (site / peer.layout, "</body>")
                run.change(file, f"\nedited {kind} {number} {{}}\n", before=before)
                begin = time.perf_counter()
                ask.until(f"edited {kind} {number} ")
                result.seconds.setdefault(kind, []).append(time.perf_counter() - begin)
                time.sleep(0.5)
        result.last = size(process.pid)
    return result


@dataclass
class Asking:
    """One page of one server, asked again and again."""

    port: int
    address: str
    limit: int
    process: subprocess.Popen[bytes]

    def until(self, text: str) -> None:
        """Ask until the answer has `text`. Raises Late after the limit, or when the server has ended."""
        end = time.perf_counter() + self.limit
        while time.perf_counter() < end and self.process.poll() is None:
            if text.encode() in self.answer():
                return
            time.sleep(PAUSE)
        raise Late(f"{self.address} without {text!r}")

    def answer(self) -> bytes:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.limit)
        try:
            connection.request("GET", self.address, headers={"Accept": "text/html"})
            answer = connection.getresponse()
            return answer.read() if answer.status == 200 else b""
        except (OSError, http.client.HTTPException):
            return b""
        finally:
            connection.close()


@contextmanager
def running(words: Sequence[str], site: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, **run.QUIET}
    null = subprocess.DEVNULL
    process = subprocess.Popen(
        words, cwd=site, env=environment, stdin=null, stdout=null, stderr=null, start_new_session=True
    )
    try:
        yield process
    finally:
        for one in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, one)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


def size(pid: int) -> float:
    """MB of all processes of a server."""
    return sum(measure.kilobytes(f"/proc/{one}/smaps_rollup", "Pss:") for one in measure.family(pid)) / 1024


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def compared(count: int, options: argparse.Namespace, top: Path) -> list[list[str]]:
    """The rows of one size."""
    source = top / f"corpus-{count}"
    pages.write(count, source)
    rows = []
    for name in options.servers:
        peer, site = SERVERS[name][0], top / f"{count}-{name.split()[0]}"
        peer.install(options.tools)
        peer.prepare(options.tools, site, source)
        states = ("", ", kept index") if peer in own.PEERS else ("",)
        for state in states:
            if state:
                subprocess.run(own.command(options.tools), cwd=site, check=True)
            rows.append([name + state, *measured(name, site, options)])
    return rows


def measured(name: str, site: Path, options: argparse.Namespace) -> list[str]:
    os.sync()
    try:
        result = serve(name, options.tools, site, options.rounds, options.limit)
    except Late as late:
        run.say(f"{name}: {late}")
        return [f"no answer in {options.limit} s", *[""] * 4]
    medians = [statistics.median(result.seconds[case]) for case in ("start", *EDITS)]
    run.say(f"{name}: " + " ".join(f"{one:.3f}" for one in medians))
    return [*(f"{one:.2f}" for one in medians), f"{result.first:.0f}", f"{result.last:.0f}"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pages", type=int, nargs="+", default=[10, 1000])
    parser.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    parser.add_argument("--rounds", type=int, default=5, help="edits of each kind")
    parser.add_argument("--limit", type=int, default=300, help="seconds an answer may take")
    parser.add_argument("--tools", type=Path, default=HERE.parent / ".tools/bench")
    parser.add_argument("--write", action="store_true", help="make bench/DEV.md")
    options = parser.parse_args()
    options.tools = options.tools.resolve()
    names = ["server", "start s", "document s", "layout s", "first MB", "last MB"]
    parts = [f"# Dev servers\n\n{(__doc__ or '').partition('`--write`')[0].strip()}\n"]
    parts.append(f"Python {platform.python_version()}, {len(os.sched_getaffinity(0))} processors.\n")
    with tempfile.TemporaryDirectory(prefix="pybuild-dev-") as top:
        for count in options.pages:
            rows = compared(count, options, Path(top))
            parts.append(f"## {count:,} pages\n\n{report.table(names, rows, left=1)}\n")
            print(parts[-1])
    if options.write:
        (HERE / "DEV.md").write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
