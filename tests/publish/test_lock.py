"""One export at a time, and no stale lock."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from pybuild.publish import exclusive


def in_child(work: Callable[[], object]) -> int:
    """Start `work` in a child; the child ends with it."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    return child


def hold(desk: Any, ready: int) -> None:
    with exclusive(desk.root) as findings:
        os.write(ready, b"x" if findings == () else b"-")
        time.sleep(30)


def holder(desk: Any, work: Callable[[Any, int], None] = hold) -> int:
    """Start a child that holds the lock, and wait until it does."""
    reading, writing = os.pipe()
    child = in_child(lambda: work(desk, writing))
    assert os.read(reading, 1) == b"x"
    os.close(reading)
    os.close(writing)
    return child


def end(child: int) -> None:
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def test_a_second_export_names_the_first(desk: Any) -> None:
    child = holder(desk)
    with exclusive(desk.root, wait=0.1) as (finding,):
        pattern = rf"another export of this site is running: process {child}, since \d{{4}}(-\d\d){{2}} [\d:]{{8}} UTC"
        assert (finding.code, finding.hint) == (
            "locked",
            f"wait for it to end, or stop it with: kill {child}, then export again",
        )
        assert re.fullmatch(pattern, finding.message)
    end(child)


def test_a_holder_on_another_host_is_not_to_be_killed_here(desk: Any) -> None:
    child = holder(desk)
    lock = desk.root / ".pybuild/lock"
    lock.write_text(lock.read_text().replace(socket.gethostname(), "elsewhere", 1))
    with exclusive(desk.root, wait=0) as (finding,):
        assert f"process {child} on elsewhere, since " in finding.message
        assert finding.hint == "wait for it to end, or stop it, then export again"
    end(child)


def test_a_killed_holder_leaves_no_lock(desk: Any) -> None:
    end(holder(desk))
    with exclusive(desk.root, wait=0) as findings:
        assert findings == ()


def hold_with_worker(desk: Any, ready: int) -> None:
    with exclusive(desk.root):
        in_child(lambda: (os.write(ready, b"x"), time.sleep(3)))
        time.sleep(30)


def test_a_worker_that_outlives_its_killed_parent_does_not_hold_the_lock(desk: Any) -> None:
    end(holder(desk, hold_with_worker))
    with exclusive(desk.root, wait=0) as findings:
        assert findings == ()


def test_the_second_waits_for_the_first(desk: Any) -> None:
    def hold_shortly(desk: Any, ready: int) -> None:
        with exclusive(desk.root):
            os.write(ready, b"x")
            time.sleep(0.3)

    child = holder(desk, hold_shortly)
    with exclusive(desk.root, wait=10) as findings:
        assert findings == ()
    os.waitpid(child, 0)


def test_a_lock_whose_file_was_deleted_does_not_block(desk: Any) -> None:
    child = holder(desk)
    shutil.rmtree(desk.root / ".pybuild")
    with exclusive(desk.root, wait=0) as findings:
        assert findings == ()
    end(child)


def test_a_site_without_room_for_a_lock_is_a_finding(desk: Any) -> None:
    (desk.root / ".pybuild").write_bytes(b"a file")
    with exclusive(desk.root) as (finding,):
        assert (finding.code, finding.message.split(":")[0]) == ("publish-error", "could not lock the site")


def test_two_exports_at_once_never_mix(desk: Any) -> None:
    sites = [{f"{n}.html": bytes([65 + who]) * 500 for n in range(20 + who)} for who in (0, 1)]

    def export_often(who: int) -> None:
        for _ in range(10):
            published, findings = desk.export(sites[who])
            assert published is not None and findings == ()
            with exclusive(desk.root) as findings:
                assert findings == () and desk.tree() in sites

    children = [in_child(lambda who=who: export_often(who)) for who in (0, 1)]
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert desk.tree() in sites and desk.leftovers() == []


def test_a_reader_never_misses_a_file_nor_sees_a_torn_one(desk: Any) -> None:
    old, new = ({"index.html": body * 5000, "a/b.html": body} for body in (b"o", b"n"))
    desk.export(old)
    child = in_child(lambda: [desk.export(site) for _ in range(40) for site in (new, old)])
    reads = 0
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        body = (desk.out / "index.html").read_bytes()
        assert body in (old["index.html"], new["index.html"])
        reads += 1
    assert reads > 100
