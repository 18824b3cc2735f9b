"""What dies while pages are made: the bytes of one machine or one finding, and nothing changes afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from clusters import Machines, errors, on, stored, tree, wait_for
from harness import SAMPLE_TIME, Files, run_command

PAGES = 80
SLOW = f"""import time
from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{{"n": str(n)}} for n in range({PAGES})]


def GET(request, ctx):
    time.sleep(0.05)
    return PlainTextResponse("page " + ctx.params["n"])
"""
SITE: Files = {"app/slow/[n]/route.py": SLOW, "app/page.md": "# Home\n"}
THIRD = 24  # pages of three batches
MakeSite = Callable[..., Path]


def kill(pids: Iterable[int], number: signal.Signals = signal.SIGKILL) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def made(root: Path) -> dict[str, bytes]:
    return {path: body for path, body in tree(root / "out").items() if path.startswith("slow/")}


WHOLE = {f"slow/{n}": f"page {n}".encode() for n in range(PAGES)}


@pytest.fixture
def under_way() -> Callable[[Path], None]:
    """Wait until the pages of three batches are staged, and others are not."""

    def wait(root: Path) -> None:
        stage = root / ".pybuild/outputs"
        wait_for(lambda: len([p for p in stage.rglob("slow/*") if not p.name.startswith(".")]) >= THIRD)

    return wait


VICTIMS: dict[str, Callable[[Machines], object]] = {
    "worker": lambda machines: kill([machines.workers[0].pid]),
    "worker and nanny": lambda machines: kill(machines.family(machines.workers[0])[:2]),
    "hosts": lambda machines: kill(machines.hosts()),
}


@pytest.mark.parametrize("victim", VICTIMS)
def test_a_lost_worker_costs_nothing(
    victim: str, fresh_machines: Any, site: MakeSite, begin: Any, finish: Any, under_way: Any
) -> None:
    machines, root = fresh_machines(1), site(SITE)
    machines.workers.insert(0, machines.start_worker(*(["--nanny"] if "nanny" in victim else [])))
    machines.workers.pop()
    process = begin(root, "--jobs", "1", *on(machines))
    under_way(root)
    VICTIMS[victim](machines)
    summary = finish(process)
    assert (summary["ok"], errors(summary)) == (True, [])
    assert made(root) == WHOLE


def test_a_killed_child_is_blamed_as_on_one_machine(
    fresh_machines: Any, site: MakeSite, begin: Any, finish: Any, under_way: Any
) -> None:
    machines, root = fresh_machines(1), site(SITE)
    process = begin(root, *on(machines))
    under_way(root)
    kill(machines.children())
    (error,) = errors(finish(process))
    assert (error[0], error[1]) == ("handler-error", "app/slow/[n]/route.py")
    assert error[3].endswith("crashed its process with SIGKILL")
    assert not (root / "out").exists()


def test_a_machine_that_hangs_and_wakes_up_later_changes_nothing(
    fresh_machines: Any, site: MakeSite, begin: Any, finish: Any, under_way: Any
) -> None:
    """It is stopped for longer than the scheduler waits, in the middle of a page, and goes on after the publication."""
    machines, root = fresh_machines(2), site(SITE)
    process = begin(root, *on(machines))
    under_way(root)
    stopped = machines.family(machines.workers[0])
    assert len(stopped) == 3  # with the host and its child
    kill(stopped, signal.SIGSTOP)
    summary = finish(process)
    assert (summary["ok"], errors(summary)) == (True, [])
    before = tree(root)
    assert made(root) == WHOLE
    kill(stopped, signal.SIGCONT)
    wait_for(lambda: machines.workers[0].poll() is not None and not machines.hosts(machines.workers[0]))
    wait_for(lambda: not any(Path(f"/proc/{pid}/stat").exists() for pid in stopped[1:]))
    assert tree(root) == before


def test_a_lost_scheduler_is_one_finding_and_nothing_is_published(
    fresh_machines: Any, site: MakeSite, begin: Any, finish: Any, under_way: Any
) -> None:
    machines, root = fresh_machines(1), site(SITE)
    (root / "out").mkdir()
    process = begin(root, *on(machines))
    under_way(root)
    kill([machines.scheduler.pid])
    message = "the scheduler of the cluster was lost; nothing was published"
    assert errors(finish(process)) == [("engine-error", "", None, message)]
    assert tree(root / "out") == {}


def test_a_lost_driver_leaves_the_old_output_and_the_next_export_succeeds(
    machines: Machines, site: MakeSite, begin: Any, under_way: Any
) -> None:
    root = site(SITE)
    process = begin(root, *on(machines))
    under_way(root)
    process.kill()
    process.wait()
    assert not (root / "out").exists()
    done = run_command(root, "export", str(root), "--format", "json", *on(machines), env=SAMPLE_TIME)
    assert done.code == 0 and made(root) == WHOLE
    assert not list((root / ".pybuild").rglob("*.program"))


# Mounts that only one worker sees.
APART = (
    "unshare",
    "--map-root-user",
    "--mount",
    "sh",
    "-c",
    'mount -t tmpfs -o "$1" tmpfs "$2"; shift 2; exec "$@"',
    "sh",
)


def apart(place: Path, options: str) -> tuple[str, ...]:
    """The words before a worker's command that mount an empty disk at a place that exists."""
    words = (*APART, options, str(place))
    try:
        done = subprocess.run([*words, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if done.returncode:
        pytest.skip(f"mounting is refused here: {done.stderr.strip()}")
    return words


def test_a_worker_without_the_mount_is_named_before_the_first_page(
    fresh_machines: Any, site: MakeSite
) -> None:
    machines, root = fresh_machines(1), site(SITE)
    machines.start_worker(before=apart(root, "size=64k"))
    (root / "pybuild.toml").open("a").write("[cluster]\nworkers = 2\n")
    done = run_command(root, "export", str(root), "--format", "json", *on(machines))
    ((code, _, _, message),) = errors(done.summary)
    place = f" cannot use {root}/.pybuild/cluster: FileNotFoundError: [Errno 2] No such file or directory"
    assert code == "engine-error" and message.startswith("the worker tcp://127.0.0.1:") and place in message
    assert not (root / "out").exists()


def test_a_worker_whose_disk_is_full_is_put_aside(
    fresh_machines: Any, site: MakeSite, tmp_path: Path
) -> None:
    """With a store the site must be unpacked there."""
    machines, root, full = fresh_machines(1), site({**SITE, "data.bin": bytes(200_000)}), tmp_path / "full"
    full.mkdir()
    machines.start_worker(before=apart(full, "size=64k"), env={"TMPDIR": str(full)})
    stored(root, f"file://{tmp_path}/store")
    (root / "pybuild.toml").open("a").write("[cluster]\nworkers = 2\n")
    done = run_command(root, "export", str(root), "--format", "json", *on(machines))
    assert (done.code, errors(done.summary)) == (0, [])
    (warned,) = [d["message"] for d in done.summary["diagnostics"] if d["code"] == "engine-error"]
    assert warned.startswith("the worker tcp://127.0.0.1:") and "No space left on device" in warned
    assert made(root) == WHOLE


def test_a_disk_that_fills_while_pages_are_made_publishes_nothing(
    fresh_machines: Any, site: MakeSite, tmp_path: Path
) -> None:
    code = SLOW.replace('"page " +', '"page " * 20_000 +')
    machines, root, full = fresh_machines(0), site({"app/slow/[n]/route.py": code}), tmp_path / "full"
    full.mkdir()
    machines.start_worker(before=apart(full, "size=256k"), env={"TMPDIR": str(full)})
    stored(root, f"file://{tmp_path}/store")
    done = run_command(root, "export", str(root), "--format", "json", *on(machines))
    found = errors(done.summary)
    assert done.code == 1 and len(found) == 1 and "No space left on device" in found[0][3]
    assert not (root / "out").exists()
