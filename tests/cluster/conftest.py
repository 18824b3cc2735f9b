"""A real scheduler with real workers, on loopback, for one test or for all of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from clusters import Machines, free_port, wait_for
from harness import SAMPLE_TIME, environment, start_command

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


@pytest.fixture(scope="session")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """One scheduler and two workers that no test harms."""
    made = Machines(tmp_path_factory.mktemp("cluster"))
    try:
        made.start_scheduler()
        made.start_worker()
        made.start_worker()
        yield made
    finally:
        made.stop()


@pytest.fixture
def fresh_machines(tmp_path: Path) -> Iterator[Callable[..., Machines]]:
    """A cluster for one test: `fresh_machines(2)` has two workers."""
    made: list[Machines] = []

    def make(workers: int, *options: str) -> Machines:
        folder = tmp_path / f"cluster-{len(made)}"
        folder.mkdir()
        made.append(Machines(folder, options))
        made[-1].start_scheduler()
        for _ in range(workers):
            made[-1].start_worker()
        return made[-1]

    try:
        yield make
    finally:
        for cluster in made:
            cluster.stop()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment for a server that speaks S3 and has the bucket `bucket`."""
    if not find_spec("moto") and os.environ.get("CI"):
        pytest.fail("moto is not installed")
    pytest.importorskip("moto", reason="the server for S3 is not installed")
    port, log = free_port(), tmp_path_factory.mktemp("s3") / "log"
    with log.open("wb") as written:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=written,
            stderr=written,
        )
    address = f"http://127.0.0.1:{port}"

    def is_ready() -> bool:
        try:
            urllib.request.urlopen(urllib.request.Request(f"{address}/bucket", method="PUT"))
        except OSError:
            return False
        return True

    try:
        wait_for(is_ready)
        yield {
            "AWS_ENDPOINT_URL": address,
            "AWS_ALLOW_HTTP": "true",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "a-key-that-opens-nothing",
        }
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def begin(request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Begin an export in a process; `finish(process)` waits for it and gives its summary."""
    begun: list[Any] = []

    def start(root: Path, *arguments: str, env: Mapping[str, str | None] | None = None) -> Any:
        words = ("export", str(root), "--format", "json", *arguments)
        process = start_command(*words, env=environment({**SAMPLE_TIME, **(env or {})}))
        begun.append(process)
        return process

    yield start
    for process in begun:
        process.kill()
        process.wait()


@pytest.fixture
def finish() -> Callable[[Any], Mapping[str, Any]]:
    def end(process: Any) -> Mapping[str, Any]:
        out, said = process.communicate(timeout=400)
        assert out.startswith("{"), said
        summary: Mapping[str, Any] = json.loads(out)
        return summary

    return end
