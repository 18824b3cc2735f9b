"""How fast the preview answers, beside http.server and nginx, in one run on one machine.

    python bench/preview.py [--seconds 5]

Needs wrk and nginx. One server at a time runs on one core, wrk on another: 16 connections, an 8 KB page. The
servers take turns three times, so that what else the machine does meets all of them; the median counts.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROUNDS = 3
LEAST = 10_000  # requests a second
LONGEST = 25.0  # milliseconds, of the slowest hundredth
SETTINGS = '[site]\nurl = "https://a.example"\ntitle = "Bench"\n'
PAGE = "<!doctype html><title>Bench</title><p>" + "x" * (8 * 1024 - 38)


@dataclass(frozen=True)
class Result:
    """One run of wrk."""

    rate: float  # requests a second
    slowest: float  # milliseconds, 99th percentile
    memory: int  # KiB of the server after it
    cpu: float  # microseconds of the server for one request


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5)
    seconds = parser.parse_args().seconds
    for program in ("wrk", "nginx", "taskset"):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not installed")
    with tempfile.TemporaryDirectory() as folder:
        site = make_site(Path(folder) / "site")
        servers = {name: command(site, Path(folder)) for name, command in SERVERS.items()}
        rounds = [{name: measure(servers[name], seconds) for name in servers} for _ in range(ROUNDS)]
    medians = {name: median([one[name] for one in rounds]) for name in servers}
    show(medians)
    own = medians["pybuild preview"]
    return 0 if own.rate >= LEAST and own.slowest <= LONGEST else 1


def make_site(site: Path) -> Path:
    """A page of 8 KB, with negotiation and one header rule, exported."""
    (site / "app").mkdir(parents=True)
    (site / "public").mkdir()
    (site / "pybuild.toml").write_text(SETTINGS)
    (site / "app" / "page.md").write_text("# Bench\n")
    (site / "public" / "page.html").write_text(PAGE)
    subprocess.run([sys.executable, "-m", "pybuild", "export", "-q", str(site)], check=True)
    return site


def preview(site: Path, folder: Path) -> Callable[[int], list[str]]:
    return lambda port: [sys.executable, "-m", "pybuild", "preview", str(site), "--port", str(port)]


def http_server(site: Path, folder: Path) -> Callable[[int], list[str]]:
    at = ["--bind", "127.0.0.1", "--directory", str(site / "out")]
    return lambda port: [sys.executable, "-m", "http.server", *at, str(port)]


def nginx(site: Path, folder: Path) -> Callable[[int], list[str]]:
    def command(port: int) -> list[str]:
        user = "user root;" if os.geteuid() == 0 else ""
        (folder / "nginx.conf").write_text(
            f"""{user} daemon off; pid {folder}/pid; worker_processes 1; events {{ }}
            http {{ access_log off; server {{ listen 127.0.0.1:{port}; root {site}/out; }} }}"""
        )
        return ["nginx", "-e", f"{folder}/error.log", "-c", f"{folder}/nginx.conf"]

    return command


SERVERS = {"pybuild preview": preview, "http.server": http_server, "nginx (1 worker)": nginx}


def measure(command: Callable[[int], list[str]], seconds: int) -> Result:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(command(port), port) as process:
        url = f"http://127.0.0.1:{port}/page.html"
        wrk = ["taskset", "-c", cores()[-1], "wrk", "-t1", "-c16", f"-d{seconds}s", "--latency", url]
        before = cpu_seconds(process.pid)
        said = subprocess.run(wrk, capture_output=True, text=True, check=True).stdout
        used = cpu_seconds(process.pid) - before
        memory = max(memory_of(pid) for pid in family(process.pid))
    assert "Non-2xx" not in said, said
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
    slowest = re.search(r"99%\s+([\d.]+)(us|ms|s)", said)
    requests = int(re.search(r"(\d+) requests in", said)[1])
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[slowest[2]]
    return Result(rate, float(slowest[1]) * scale, memory, used / requests * 1e6)


@contextlib.contextmanager
def running(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(["taskset", "-c", cores()[0], *command], stdout=quiet, stderr=quiet)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def cores() -> list[str]:
    return [str(core) for core in sorted(os.sched_getaffinity(0))]


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


def cpu_seconds(pid: int) -> float:
    ticks = 0
    for one in family(pid):
        fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> int:
    return int(re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def median(results: list[Result]) -> Result:
    return sorted(results, key=lambda one: one.rate)[len(results) // 2]


def show(medians: dict[str, Result]) -> None:
    own = medians["pybuild preview"].rate
    rows = [("server", "requests/s", "of preview", "p99 ms", "CPU µs/request", "RSS MB")]
    for name, one in medians.items():
        rows.append(
            (
                name,
                f"{one.rate:,.0f}",
                f"{one.rate / own:.2f}",
                f"{one.slowest:.1f}",
                f"{one.cpu:.0f}",
                f"{one.memory / 1024:.0f}",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (
            cell.ljust(width) if index == 0 else cell.rjust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        sys.stdout.write("  ".join(cells) + "\n")
    load = statistics.fmean(os.getloadavg())
    sys.stdout.write(f"16 connections, one core each for server and wrk, load {load:.1f}\n")


if __name__ == "__main__":
    sys.exit(main())
