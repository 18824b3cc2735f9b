"""pybuild beside other builders, on the same pages, in one run: times, memory, ratios.

    python bench/run.py --pages 1000 10000 --write

The builders take turns, so that a slow minute of the machine meets all of them. First each builds once with its
memory watched (see measure.py), which also fills the caches of files; then come the timed rounds. `cp -r` of
pybuild's output is the floor. A builder that fails is shown with its exit code. Last come the bars; all of them are
measured by `--pages 1000 10000 100000`. `--write` keeps the figures in
bench/results.json, where those of other runs stay, and makes bench/RESULTS.md and bench/chart.svg of all.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import corpus as pages
import report
from peers import astro, eleventy, hugo, mkdocs, nextjs, pelican
from peers import pybuild as own
from peers.base import Peer

PEERS: tuple[Peer, ...] = (
    *own.PEERS,
    hugo.PEER,
    eleventy.PEER,
    nextjs.PEER,
    astro.PEER,
    pelican.PEER,
    mkdocs.PEER,
)
QUIET = {"NEXT_TELEMETRY_DISABLED": "1", "ASTRO_TELEMETRY_DISABLED": "1"}
Measured = dict[str, Any]  # what measure.py prints


def cold(peer: Peer, site: Path) -> None:
    """Take away what the last build left. It is set aside until the run ends: see `report.HEAD`."""
    for name in filter(os.path.lexists, (site / name for name in (peer.out, *peer.state))):
        aside(name)


def aside(folder: Path) -> None:
    """Move a folder out of the way without deleting a file of it."""
    kept = Path(tempfile.mkdtemp(prefix="old-", dir=folder.parent.parent))
    folder.rename(kept / folder.name)


def nothing(peer: Peer, site: Path) -> None:
    """Leave everything as it is."""


def edit_page(peer: Peer, site: Path) -> None:
    files = sorted((site / peer.content).rglob("*.md"))
    change(files[len(files) // 2], "\nEdited {}.\n", before="")


def edit_layout(peer: Peer, site: Path) -> None:
    change(site / peer.layout, "<i>{}</i>", before="</body>")


def edit_index(peer: Peer, site: Path) -> None:
    text = "\nEdited {}.\n" if peer.index.endswith(".md") else "<li>{}</li>"
    change(site / peer.index, text, before="</ul>")


def change(file: Path, text: str, *, before: str) -> None:
    """Put `text`, with a number that is new each time, before the last `before` of `file`, or at its end."""
    old = file.read_text("utf-8")
    at = old.rfind(before) if before and before in old else len(old)
    file.write_text(old[:at] + text.format(time.time_ns()) + old[at:], "utf-8")


CASES: dict[str, Callable[[Peer, Path], None]] = {
    "cold": cold,
    "nothing changed": nothing,
    "one page edited": edit_page,
    "layout edited": edit_layout,
    "collection index edited": edit_index,
}


@dataclass
class Run:
    """One corpus, built by `peers` in turn below `folder`."""

    peers: Sequence[Peer]
    tools: Path
    folder: Path
    limit: int  # seconds a build may take
    figures: dict[str, dict[str, list[Measured]]] = field(
        default_factory=dict
    )  # case → builder → timed builds
    memory: dict[str, dict[str, Measured]] = field(default_factory=dict)  # case → builder → the watched build

    def watch(self, cases: Iterable[str]) -> None:
        for case in cases:
            for peer in self.peers:
                if done := self.build(case, peer, sample=True):
                    self.memory.setdefault(case, {})[peer.name] = done

    def time(self, cases: Iterable[str]) -> None:
        for case in cases:
            for peer in self.peers:
                if done := self.build(case, peer, sample=False):
                    self.figures.setdefault(case, {}).setdefault(peer.name, []).append(done)
            if case == "cold":
                self.copy()

    def build(self, case: str, peer: Peer, *, sample: bool) -> Measured | None:
        """One build; none where the cold build before it failed."""
        site = self.folder / peer.name
        if case != "cold" and not (site / "built").exists():
            return None
        CASES[case](peer, site)
        (site / "built").unlink(missing_ok=True)
        os.sync()  # what the last builder wrote must not be this one's burden
        descriptors = peer.descriptors if sample else 0
        words = peer.command(self.tools)
        done = measure(words, site, sample=sample, limit=self.limit, descriptors=descriptors)
        done["html"] = sum(1 for _ in (site / peer.out).rglob("*.html"))
        if done["exit"] == 0:
            (site / "built").touch()
        say(f"{case}, {peer.name}: {done['wall']:.2f} s, exit {done['exit']}")
        return done

    def copy(self) -> None:
        source, copied = self.folder / "pybuild" / own.PEERS[0].out, self.folder / "copy"
        if source.is_dir():
            words = ["cp", "-r", str(source), str(copied)]
            done = measure(words, self.folder, sample=False, limit=self.limit, descriptors=0)
            self.figures["cold"].setdefault("cp -r", []).append(done)
            aside(copied)


def measure(words: Sequence[str], folder: Path, **options: object) -> Measured:
    """Run `words` in `folder` below measure.py; what they say on standard error is shown if they fail."""
    order = json.dumps({"words": list(words), **options})
    launcher = [sys.executable, "-I", "-S", str(HERE / "measure.py"), order]
    ran = subprocess.run(launcher, cwd=folder, capture_output=True, check=False, env={**os.environ, **QUIET})
    if ran.returncode:
        raise SystemExit(f"measure.py failed:\n{ran.stderr.decode(errors='replace')}")
    done: Measured = json.loads(ran.stdout)
    if done["exit"]:
        say(ran.stderr.decode(errors="replace")[-1500:])
    return done


def run(source: Path, peers: Sequence[Peer], options: argparse.Namespace, folder: Path) -> Run:
    one = Run(peers, options.tools, folder, options.limit)
    for peer in peers:
        peer.prepare(options.tools, folder / peer.name, source)
    one.watch(["cold", "one page edited"])
    for number in range(options.rounds):
        say(f"round {number + 1} of {options.rounds}")
        one.time(options.cases)
    return one


def about(versions: dict[str, str]) -> dict[str, str]:
    """The machine and the builders, by name; `pybuild` carries the commit."""
    words = ["git", "-C", str(HERE), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(words, capture_output=True, text=True, check=False).stdout.strip()
    node = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout.strip()
    names = {
        name: f"{version} ({commit})" if name == "pybuild" else version for name, version in versions.items()
    }
    processors = str(len(os.sched_getaffinity(0)))
    return {**names, "Python": platform.python_version(), "Node.js": node, "processors": processors}


def say(text: str) -> None:
    sys.stderr.write(text + "\n")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, nargs="+", default=[1000], help="sizes of the generated corpus")
    parser.add_argument("--corpus", type=Path, help="build this folder of Markdown instead")
    parser.add_argument("--rounds", type=int, default=3)
    names = [peer.name for peer in PEERS]
    parser.add_argument(
        "--peers", nargs="+", choices=names, help="default: all that the size is not too large for"
    )
    parser.add_argument("--cases", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument(
        "--tools", type=Path, default=HERE.parent / ".tools/bench", help="where builders are put"
    )
    parser.add_argument("--limit", type=int, default=1800, help="seconds a build may take")
    parser.add_argument(
        "--write", action="store_true", help="keep the figures, make RESULTS.md and chart.svg"
    )
    return parser.parse_args()


def corpora(options: argparse.Namespace, folder: Path) -> Iterable[tuple[str, int, Path]]:
    """Each corpus: its kind, its pages, its folder."""
    if options.corpus:
        copied = shutil.copytree(options.corpus, folder / "corpus")
        yield "real", sum(1 for _ in copied.rglob("*.md")), copied
        return
    for count in options.pages:
        pages.write(count, folder / f"corpus-{count}")
        yield "generated", count, folder / f"corpus-{count}"


def chosen(options: argparse.Namespace, count: int) -> list[Peer]:
    wanted = options.peers or [peer.name for peer in PEERS if count <= peer.largest]
    return [peer for peer in PEERS if peer.name in wanted]


def main() -> None:
    options = arguments()
    options.tools = options.tools.resolve()
    options.tools.mkdir(parents=True, exist_ok=True)
    figures: dict[str, report.Corpus] = {}
    with tempfile.TemporaryDirectory(prefix="pybuild-bench-") as top:
        for kind, count, source in corpora(options, Path(top)):
            peers = chosen(options, count)
            machine = about({peer.name: peer.install(options.tools) for peer in peers})
            with tempfile.TemporaryDirectory(dir=top) as folder:
                done = run(source, peers, options, Path(folder))
            new = {"about": machine, "figures": done.figures, "memory": done.memory}
            key = f"{kind} {count}"
            figures[key] = new
            print(report.section(key, new))
            if options.write:
                report.keep(key, new)
    print(report.bars(figures))


if __name__ == "__main__":
    main()
