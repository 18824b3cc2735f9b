"""What one page of a cold build costs: processor time by part of the program, and system calls.

    python bench/parts.py --pages 1000
    python bench/parts.py --pages 1000 --look

The pages are rendered in this process, as a worker does it. A part is the module of pybuild that is at work, or that called
what is: the processor's clock is looked at every few milliseconds, which costs the page next to nothing. Shares are of all
looks, and the time is the least of all rounds, page by page. System calls are those of 200 pages by strace, where it is
installed. `--look` gives the pages the default look in place of the bench's own layout.
"""

from __future__ import annotations

import argparse
import gc
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

import corpus
from peers import pybuild as own

from pybuild import publish
from pybuild.build.pipeline import PhaseGate, discovered
from pybuild.config.loader import load_config
from pybuild.fetching import begin_export
from pybuild.markdown.code import highlight
from pybuild.plan import Job, make_plan
from pybuild.render.result import pack
from pybuild.render.worker import make_context, render
from pybuild.routing.segments import Pattern

LOOKS = 2000  # at the clock
EVERY = 0.001  # seconds of processor time; systems round it up
FEW, MANY = 20, 220  # pages below strace


def site_of(count: int, folder: Path, *, look: bool) -> Path:
    """Write a site of so many generated pages."""
    site = folder / "site"
    corpus.write(count, folder / "corpus")
    own.prepare("")(folder, site, folder / "corpus")
    if look:
        shutil.rmtree(site / "app")
    return site


def renderer(site: Path, out: Path) -> tuple[Callable[[Job], object], Sequence[Job]]:
    """What renders a job of the site into a stage below `out`, and the jobs of its documents."""
    config, _ = load_config(site)
    found, tree = discovered(config, PhaseGate(strict=False))
    plan, _ = make_plan(found, {}, tree.around(Pattern()))
    output = publish.Output(config.root, out / "out", "parts", out / "state")
    stage, findings = publish.open_stage(output, publish.PublishedState())
    assert stage is not None, findings
    begin_export(None)
    context = make_context(found, plan, stage)
    return lambda job: pack(render(context, job)), [job for job in plan.jobs if job.entry >= 0]


class Looks:
    """Which part is at work, looked at while processor time passes."""

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()

    def __enter__(self) -> Looks:
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
        return self

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)

    def _look(self, number: int, frame: FrameType | None) -> None:
        while frame and "/pybuild/" not in frame.f_code.co_filename:
            frame = frame.f_back
        file = frame.f_code.co_filename if frame else "elsewhere.py"
        self.seen[file.rpartition("/pybuild/")[2].removesuffix(".py")] += 1


def cpu(site: Path, folder: Path) -> None:
    """Print the time of a page and its parts."""
    run, jobs = renderer(site, folder)
    least = [sys.maxsize] * len(jobs)
    gc.freeze()
    with Looks() as looks:
        while looks.seen.total() < LOOKS:
            highlight.cache_clear()  # as a cold build begins
            for number, job in enumerate(jobs):
                begin = time.thread_time_ns()
                run(job)
                least[number] = min(least[number], time.thread_time_ns() - begin)
    mean = statistics.mean(least) / 1000
    print(f"{mean:8.0f} µs of processor time a page")
    for part, count in looks.seen.most_common():
        share = count / looks.seen.total()
        print(f"{share * mean:8.1f} µs {share:6.1%}  {part}")


def calls(site: Path, folder: Path) -> None:
    """Print the system calls of a page."""
    counts = [_counted(site, folder, pages) for pages in (FEW, MANY)]
    each = {name: (number - counts[0][name]) / (MANY - FEW) for name, number in counts[1].items()}
    print(f"{sum(each.values()):8.1f} system calls a page")
    for name, number in sorted(each.items(), key=lambda item: -item[1]):
        if number >= 0.05:
            print(f"{number:8.1f}  {name}")


def _counted(site: Path, folder: Path, pages: int) -> Counter[str]:
    log = folder / f"strace-{pages}"
    words = ["strace", "-c", "-U", "calls,name", "-o", str(log), sys.executable, str(HERE / "parts.py")]
    subprocess.run([*words, "--render", str(site), "--pages", str(pages)], check=True)
    rows = (line.split() for line in log.read_text("utf-8").splitlines())
    return Counter(
        {row[1]: int(row[0]) for row in rows if len(row) == 2 and row[0].isdigit() and row[1] != "total"}
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--look", action="store_true", help="with the default look")
    parser.add_argument("--render", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.render:  # below strace; who asked removes what is written
        run, jobs = renderer(options.render, Path(tempfile.mkdtemp(dir=options.render.parent)))
        for job in jobs[: options.pages]:
            run(job)
        return
    with tempfile.TemporaryDirectory(prefix="pybuild-bench-") as top:
        folder = Path(top)
        site = site_of(options.pages, folder, look=options.look)
        cpu(site, folder / "cpu")
        if shutil.which("strace"):
            calls(site, folder)


if __name__ == "__main__":
    main()
