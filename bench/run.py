"""pybuild beside other builders, on the same pages, in one run: times, memory, ratios.

    python3 bench/run.py --pages 1000 --rounds 3

The builders take turns, so that a slow minute of the machine meets all of them. Each figure is the median of the
rounds; ratios are of pybuild's figure to the peer's. `cp -r` of pybuild's output is the floor. Results go to
standard output as Markdown; `--write` puts them into bench/RESULTS.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import corpus as pages
from peers import eleventy, hugo
from peers import pybuild as own
from peers.base import Peer

PEERS: tuple[Peer, ...] = (own.PEER, hugo.PEER, eleventy.PEER)
TOOLS = HERE.parent / ".tools" / "bench"


@dataclass(frozen=True)
class Figure:
    """One run of a command."""

    wall: float  # seconds
    cpu: float  # seconds, with all children that were waited for
    memory: float  # MB, of the largest process


def measure(words: Sequence[str], folder: Path) -> Figure:
    begin = time.perf_counter()
    process = subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{words[0]} failed in {folder}:\n{said.decode(errors='replace')[-2000:]}")
    return Figure(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def cold(peer: Peer, site: Path) -> None:
    for name in (peer.out, *peer.state):
        shutil.rmtree(site / name, ignore_errors=True)


def nothing(peer: Peer, site: Path) -> None:
    """Leave everything as it is."""


def edit_page(peer: Peer, site: Path) -> None:
    file = next((site / peer.content).rglob("page-000007.md"))
    file.write_text(file.read_text("utf-8") + f"\nEdited {time.time_ns()}.\n", "utf-8")


def edit_layout(peer: Peer, site: Path) -> None:
    file = site / peer.layout
    file.write_text(file.read_text("utf-8").replace("</body>", f"<!-- {time.time_ns()} --></body>"), "utf-8")


CASES: dict[str, Callable[[Peer, Path], None]] = {
    "cold": cold,
    "nothing changed": nothing,
    "one page edited": edit_page,
    "layout edited": edit_layout,
}


def run(count: int, rounds: int, folder: Path) -> dict[tuple[str, str], list[Figure]]:
    source = folder / "corpus"
    pages.write(count, source)
    figures: dict[tuple[str, str], list[Figure]] = {}
    for peer in PEERS:
        peer.prepare(folder / peer.name, source)
    for number in range(rounds):
        for case, change in CASES.items():
            for peer in PEERS:
                site = folder / peer.name
                change(peer, site)
                figures.setdefault((case, peer.name), []).append(measure(peer.command(TOOLS, site), site))
        copied = folder / f"copy-{number}"
        figures.setdefault(("cold", "cp -r"), []).append(
            measure(["cp", "-r", str(folder / "pybuild" / own.PEER.out), str(copied)], folder)
        )
        shutil.rmtree(copied)
    return figures


def median(values: Sequence[Figure]) -> Figure:
    return Figure(
        *(statistics.median(getattr(v, name) for v in values) for name in ("wall", "cpu", "memory"))
    )


def table(figures: dict[tuple[str, str], list[Figure]]) -> str:
    lines = [
        "| case | builder | wall s | CPU s | peak MB | pybuild ÷ it, wall |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for case in CASES:
        base = median(figures[case, "pybuild"]).wall
        for (known, name), values in figures.items():
            if known == case:
                m = median(values)
                lines.append(
                    f"| {case} | {name} | {m.wall:.2f} | {m.cpu:.2f} | {m.memory:.0f} | {base / m.wall:.2f} |"
                )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    TOOLS.mkdir(parents=True, exist_ok=True)
    versions = ", ".join(f"{peer.name} {peer.install(TOOLS)}" for peer in PEERS)
    with tempfile.TemporaryDirectory(prefix="pybuild-bench-") as folder:
        figures = run(options.pages, options.rounds, Path(folder))
    title = f"## {options.pages} pages, medians of {options.rounds}\n\n"
    machine = f"{versions}; Python {platform.python_version()}, {os.cpu_count()} processors.\n\n"
    text = title + machine + table(figures) + "\n"
    print(text)
    if options.write:
        with (HERE / "RESULTS.md").open("a", encoding="utf-8") as results:
            results.write("\n" + text)


if __name__ == "__main__":
    main()
