"""What the engine `dask` costs beside `processes`, on this machine: processor time, bytes and memory, not wall time.

`python3 bench/cluster.py 1000` exports a corpus with both engines and compares the outputs byte for byte. Processor time
is that of the command and all its children. On one machine a cluster can only cost; where it pays is calculated below
from the serial part S (driver) and the parallel part P (rendering): with n cores an export takes S + P / n, and no number
of cores makes it faster than (S + P) / S times one core. S and P grow with the pages; both are taken as linear.
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import corpus

SETTINGS = """[site]
url = "https://example.com"
title = "Benchmark"
[collections.docs]
source = "content/docs"
route = "/docs/[...slug]"
"""
PAGE = "{{ document.html }}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=int, nargs="?", default=1000)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pybuild-cluster-") as folder:
        site = make_site(Path(folder) / "site", options.pages)
        found = {engine: export(site, engine, options.jobs) for engine in ("processes", "dask")}
        outs = [Path(folder) / f"site/out-{engine}" for engine in found]
        differing = differences(*outs)
    show(options.pages, found, differing)
    sys.exit(1 if differing else 0)


def make_site(site: Path, pages: int) -> Path:
    corpus.write(pages, site / "content/docs")
    for path, text in {"pybuild.toml": SETTINGS, "app/docs/[...slug]/page.html": PAGE}.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    return site


def export(site: Path, engine: str, jobs: int) -> dict[str, float]:
    """Export without a cache; return seconds of processor time, the timings and the peak of the command's memory."""
    shutil.rmtree(site / ".pybuild", ignore_errors=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    code = (
        "import resource, sys\nfrom pybuild.cli.main import main\ntry:\n    main()\nfinally:\n"
        "    print('PEAK', resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
    )
    options = (
        "export",
        str(site),
        "--engine",
        engine,
        "--jobs",
        str(jobs),
        "--out",
        str(site / f"out-{engine}"),
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *options, "--no-cache", "--timings", "--format", "json"],
        capture_output=True,
        text=True,
        env={**os.environ, "SOURCE_DATE_EPOCH": "1767225600"},
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    summary = json.loads(done.stdout)
    assert summary["ok"], summary["diagnostics"]
    return {
        "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime,
        "serial": sum(s for phase, s in summary["timings"].items() if phase != "render"),
        "render": summary["timings"]["render"],
        "peak": int(done.stderr.rpartition("PEAK ")[2].split()[0]) / 1024,
        **{f"cluster: {name}": number for name, number in summary["cluster"].items()},
    }


def differences(one: Path, other: Path) -> list[str]:
    files = sorted(p.relative_to(one).as_posix() for p in one.rglob("*") if p.is_file())
    _, mismatch, errors = filecmp.cmpfiles(one, other, files, shallow=False)
    more = {p.relative_to(other).as_posix() for p in other.rglob("*") if p.is_file()} - set(files)
    return [*mismatch, *errors, *sorted(more)]


def show(pages: int, found: dict[str, dict[str, float]], differing: list[str]) -> None:
    here, there = found["processes"], found["dask"]
    print(f"{pages} pages; files that differ: {len(differing)}")
    for engine, figures in found.items():
        print(engine, {name: round(number, 3) for name, number in figures.items()})
    print(f"processor time of dask / processes: {there['cpu'] / here['cpu']:.2f}")
    print(
        f"bytes up a page: {there['cluster: bytes up'] / pages:.0f}, program bytes a page: {there['cluster: program bytes'] / pages:.0f}"
    )
    serial, parallel = here["serial"], here["cpu"] - here["serial"]
    print(
        f"S = {serial:.1f} s, P = {parallel:.1f} s, never faster than {(serial + parallel) / serial:.1f} times one core"
    )
    for more in (1_000_000, 100_000_000):
        factor = more / pages
        print(
            f"{more} pages on 64 cores: S + P / 64 = {(serial + parallel / 64) * factor / 60:.1f} min; rows up {there['cluster: bytes up'] * factor / 2**30:.1f} GiB"
        )


if __name__ == "__main__":
    main()
