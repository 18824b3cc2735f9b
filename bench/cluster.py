"""What the engine `dask` costs beside `processes` on this machine: processor time, bytes and memory, not wall time.

    python bench/cluster.py 1000 10000 --tries 3 --write

exports a corpus of each size with both engines by turns, without a cache, and compares the outputs byte for byte. Of several
tries the one with the least processor time counts. It is that of the command and all its processes; who spent it is
looked up in /proc while they run: the command (with dask also client, scheduler and worker, which are threads of it), the
host, and the children that render. On one machine a cluster can only cost; where it pays is calculated from the serial
part S (the command outside of rendering) and the parallel part P (the rest): with n cores an export takes S + P / n, and
no number of cores makes it faster than (S + P) / S times one core. `--write` keeps the figures in bench/cluster.json, where
those of other sizes stay, and makes bench/CLUSTER.md of all. Sizes below 10,000 pages say little of a million.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import corpus
from measure import family, read

HERE = Path(__file__).resolve().parent
KEPT, PAGE = HERE / "cluster.json", HERE / "CLUSTER.md"
ENGINES = ("processes", "dask")
SETTINGS = """[site]
url = "https://example.com"
title = "Benchmark"
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
"""
TEMPLATE = "{{ document.html }}"
COMMAND = """import json, resource, sys
from pybuild.cli.main import main
try:
    main()
finally:
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = [usage.ru_utime + usage.ru_stime for usage in (own, others)]
    print("USED", json.dumps({"own": cpu[0], "cpu": sum(cpu), "peak": own.ru_maxrss / 1024}), file=sys.stderr)
"""
EVERY = 0.5  # seconds between two looks at /proc
TICKS = os.sysconf("SC_CLK_TCK")
Figures = dict[str, Any]
HEAD = """# The cost of a cluster

Made by `python bench/cluster.py`, on the pages of `bench/corpus.py`. Both engines make the same site on the same machine, by
turns, without a cache; the outputs were compared byte for byte. Seconds are of processors, the least of several tries; wall
time says nothing here, for the machine was shared.
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=int, nargs="*", default=[1000])
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--tries", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    made = {str(pages): compared(pages, options.jobs, options.tries) for pages in options.pages}
    kept = {**(json.loads(KEPT.read_text()) if KEPT.exists() else {}), **made}
    if options.write:
        KEPT.write_text(
            json.dumps(dict(sorted(kept.items(), key=lambda item: int(item[0]))), indent=1) + "\n"
        )
        PAGE.write_text(report(json.loads(KEPT.read_text())))
    print(report(made))


def compared(pages: int, jobs: int, tries: int) -> dict[str, Figures]:
    """Export with each engine by turns; end where a file differs."""
    found: dict[str, list[Figures]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory(prefix="pybuild-cluster-") as folder:
        site = make_site(Path(folder) / "site", pages)
        for _ in range(tries):
            for engine in ENGINES:
                found[engine].append(export(site, engine, jobs))
                print(pages, engine, round(found[engine][-1]["cpu"], 1), "s", file=sys.stderr, flush=True)
        if differing := differences(*(site / f"out-{engine}" for engine in ENGINES)):
            sys.exit(f"{len(differing)} files differ: {differing[:5]}")
    return {engine: min(figures, key=lambda figures: figures["cpu"]) for engine, figures in found.items()}


def make_site(site: Path, pages: int) -> Path:
    corpus.write(pages, site / "content/docs")
    for path, text in {"pybuild.toml": SETTINGS, "app/docs/[...slug]/page.html": TEMPLATE}.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    return site


def export(site: Path, engine: str, jobs: int) -> Figures:
    """Export without a cache; return seconds of processor time by who spent them, and the peak of the command's memory."""
    shutil.rmtree(site / ".pybuild", ignore_errors=True)
    out = site / f"out-{engine}"
    words = ("export", str(site), "--engine", engine, "--jobs", str(jobs), "--out", str(out))
    with (site.parent / "said").open("w+") as said, (site.parent / "found").open("w+") as found:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *words, "--no-cache", "--timings", "--format", "json"],
            stdout=found,
            stderr=said,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
        )
        spent = watched(process)
        for stream in (said, found):
            stream.seek(0)
        summary, used = json.load(found), json.loads(said.read().rpartition("USED ")[2])
    assert summary["ok"], summary["diagnostics"]
    return {**used, **spent, "timings": summary["timings"], "cluster": summary["cluster"]}


def watched(process: subprocess.Popen[bytes]) -> Figures:
    """Wait for an export; return the seconds that its host and the children have spent."""
    seen: dict[int, tuple[str, float]] = {}
    while process.poll() is None:
        for pid in family(process.pid) - {process.pid}:
            fields = read(f"/proc/{pid}/stat").rpartition(")")[2].split()
            if len(fields) > 12:
                is_host = "engines.host" in read(f"/proc/{pid}/cmdline") and int(fields[1]) == process.pid
                seen[pid] = ("host" if is_host else "children", sum(map(int, fields[11:13])) / TICKS)
        time.sleep(EVERY)
    spent: Figures = defaultdict(float)
    for who, seconds in seen.values():
        spent[who] += seconds
    return dict(spent)


def differences(one: Path, other: Path) -> list[str]:
    files = sorted(p.relative_to(one).as_posix() for p in one.rglob("*") if p.is_file())
    _, mismatch, errors = filecmp.cmpfiles(one, other, files, shallow=False)
    more = {p.relative_to(other).as_posix() for p in other.rglob("*") if p.is_file()} - set(files)
    return [*mismatch, *errors, *sorted(more)]


def report(kept: dict[str, dict[str, Figures]]) -> str:
    """All figures as a page."""
    lines = [HEAD, "| pages | engine | CPU | command | host | children | command's peak | dask / processes |", "|---:|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for pages, engines in kept.items():
        for engine, said in engines.items():
            ratio = f"{said['cpu'] / engines['processes']['cpu']:.2f}" if engine == "dask" else ""
            cells = [f"{said['cpu']:.1f} s", f"{said['own']:.1f} s", *(f"{said[who]:.1f} s" if who in said else "" for who in ("host", "children")), f"{said['peak']:.0f} MB", ratio]  # fmt: skip
            lines.append(f"| {int(pages):,} | `{engine}` | {' | '.join(cells)} |")
    return "\n".join(
        [*lines, *_travels(kept), *_serial({int(pages): engines for pages, engines in kept.items()}), ""]
    )


def _travels(kept: dict[str, dict[str, Figures]]) -> list[str]:
    """What goes between the command and the workers."""
    lines = ["", "What travels: the program once to each worker, the answers of all pages to the command.", "", "| pages | program, bytes a page | answers, bytes a page | batches |", "|---:|---:|---:|---:|"]  # fmt: skip
    for pages, engines in kept.items():
        said = engines["dask"]["cluster"]
        each = (said["program bytes"] / int(pages), said["bytes up"] / int(pages))
        lines.append(f"| {int(pages):,} | {each[0]:.0f} | {each[1]:.0f} | {said['batches']:.0f} |")
    return lines


def _serial(kept: dict[int, dict[str, Figures]]) -> list[str]:
    """What more machines cannot shorten, and what comes of it for more pages."""
    small, large = min(kept), max(kept)
    rows = {pages: _parts(engines) for pages, engines in kept.items()}
    if len(kept) > 1:
        each = [(rows[large][part] - rows[small][part]) / (large - small) for part in range(5)]
    else:
        each = [part / large for part in rows[large]]
    serial, parallel = rows[large][:2]
    timings = kept[large]["dask"]["timings"]
    phases = {name: s for name, s in timings.items() if name not in ("render", "up_to_date_result")}
    most = sorted(phases.items(), key=lambda item: -item[1])[:5]
    shares = ", ".join(f"{name} {seconds / sum(phases.values()):.0%}" for name, seconds in most)
    lines = [
        "",
        f"The serial part at {large:,} pages: S = {serial:.1f} s in the command, P = {parallel:.1f} s elsewhere. No number of workers "
        f"is faster than (S + P) / S = {(serial + parallel) / serial:.1f} times one core. Of the time outside of rendering: {shares}.",
        "",
        "Calculated: S + P / n and sizes at the largest number of pages, and for each page more what it grew by "
        f"between {small:,} and {large:,} pages"
        + ("." if len(kept) > 1 else " (one size only: by the rule of three)."),
        "",
        "| pages | S | with 64 cores | with 1,000 cores | command's memory | program | answers |",
        "|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for more in (1_000_000, 100_000_000):
        s, p, *sizes = (
            part + (more - large) * growth for part, growth in zip(rows[large], each, strict=True)
        )
        minutes = " | ".join(f"{seconds / 60:,.1f} min" for seconds in (s, s + p / 64, s + p / 1000))
        lines.append(f"| {more:,} | {minutes} | {' | '.join(f'{size / 1024:,.1f} GB' for size in sizes)} |")
    return lines


def _parts(engines: dict[str, Figures]) -> list[float]:
    """S, P, and the megabytes of the command, the program and the answers."""
    said = engines["dask"]
    sizes = [said["cluster"][name] / 2**20 for name in ("program bytes", "bytes up")]
    return [engines["processes"]["own"], said["cpu"] - said["own"], said["peak"], *sizes]


if __name__ == "__main__":
    main()
