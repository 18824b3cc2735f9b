"""What supervised processes promise beyond what every engine does; most tasks here are hostile."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import itertools
import multiprocessing
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import pybuild
from pybuild.engines import Done, Failed, open_engine
from pybuild.engines.supervisor import ProcessEngine

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(pybuild.__file__).parents[1])}
INNOCENT = [Done(n, n) for n in range(12) if n != 5]


@pytest.fixture
def blamed(toy, run_on):
    """Run twelve tasks, of which number 5 does `harm`; expect the other eleven, return that one."""

    def run(harm, *, timeout=20.0, jobs=2):
        outcomes = run_on(
            "processes", toy(lambda n: harm() if n == 5 else n), range(12), jobs=jobs, timeout=timeout
        )
        culprit = outcomes.pop(5)
        assert outcomes == INNOCENT
        return culprit

    return run


def is_running(pid):
    """Tell whether a process exists and is not merely waiting to be reaped."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone_within(pids, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until and any(map(is_running, pids)):
        time.sleep(0.01)
    return not any(map(is_running, pids))


def swallow_everything():
    while True:
        with contextlib.suppress(BaseException):
            time.sleep(0.01)


@pytest.mark.parametrize(
    "harm",
    [
        lambda: time.sleep(60),
        lambda: re.match(r"(a+)+$", "a" * 60 + "b"),
        swallow_everything,
        lambda: sum(itertools.repeat(0)),
    ],
    ids=["sleep", "regex", "swallow", "endless C loop"],
)
def test_a_hang_is_killed_at_its_deadline(blamed, harm):
    culprit = blamed(harm, timeout=1)
    assert (culprit.index, culprit.reason, culprit.detail) == (5, "timeout", "1 second")
    assert (culprit.frames[0].file, culprit.frames[0].name) == (__file__, "<lambda>")


def test_a_late_task_that_the_look_at_its_stack_wakes_up_is_late_all_the_same(blamed):
    culprit = blamed(lambda: ctypes.PyDLL(None).usleep(60_000_000), timeout=1)
    assert (culprit.index, culprit.reason, culprit.detail) == (5, "timeout", "1 second")


@pytest.mark.parametrize(
    "harm, reason, detail",
    [
        (lambda: os._exit(3), "exit", "exit status 3"),
        (lambda: os._exit(0), "exit", "exit status 0"),
        (lambda: ctypes.string_at(0), "signal", "SIGSEGV"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "signal", "SIGKILL"),
        (os.abort, "signal", "SIGABRT"),
        (lambda: os.kill(os.getpid(), signal.SIGINT), "signal", "SIGINT"),
        (lambda: os.kill(os.getpid(), signal.SIGRTMIN + 3), "signal", f"signal {signal.SIGRTMIN + 3}"),
    ],
    ids=lambda value: value if isinstance(value, str) else "harm",
)
def test_a_death_is_blamed_on_the_task_that_ran(blamed, harm, reason, detail):
    culprit = blamed(harm)
    assert (culprit.index, culprit.reason, culprit.detail) == (5, reason, detail)


def test_a_crash_shows_what_was_printed_and_where_it_was(blamed):
    def harm():
        print("before")
        ctypes.string_at(0)

    culprit = blamed(harm)
    assert culprit.output.startswith("before\nFatal Python error: Segmentation fault\n")
    assert [frame.name for frame in culprit.frames][-2:] == ["harm", "string_at"]


def test_a_worker_killed_from_outside_is_replaced(toy, tmp_path):
    def work(task):
        (tmp_path / f"{task}").write_text(str(os.getpid()))
        if task == 3 and not (tmp_path / "go").exists():
            time.sleep(60)
        return task

    def kill():
        while not (tmp_path / "3").exists():
            time.sleep(0.01)
        time.sleep(0.05)
        os.kill(int((tmp_path / "3").read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    with open_engine("processes", toy(work), jobs=2, timeout=20) as engine:
        outcomes = sorted(engine.run(range(12)), key=lambda outcome: outcome.index)
    killer.join()
    assert outcomes[3].detail == "SIGKILL"
    assert [outcome.value for outcome in outcomes if isinstance(outcome, Done)] == [0, 1, 2, *range(4, 12)]


def test_many_culprits_among_many_innocents(toy, run_on):
    def work(task):
        return os._exit(1) if task % 50 == 7 else task

    outcomes = run_on("processes", toy(work), range(500))
    assert [outcome.index for outcome in outcomes if isinstance(outcome, Failed)] == list(range(7, 500, 50))
    assert all(outcome.value == outcome.index for outcome in outcomes if isinstance(outcome, Done))


def test_no_task_runs_more_than_twice_and_a_culprit_once(toy, run_on, tmp_path):
    def work(task):
        with (tmp_path / f"{task}").open("a") as file:
            file.write("x")
        return os._exit(1) if task % 10 == 9 else task

    run_on("processes", toy(work), range(200))
    runs = [(tmp_path / f"{task}").stat().st_size for task in range(200)]
    assert max(runs) <= 2
    assert runs[9::10] == [1] * 20


def test_writes_below_python_are_captured_and_cannot_forge_an_answer(blamed):
    def harm():
        os.write(1, b"low ")
        subprocess.run(["sh", "-c", "echo child; cat; echo err >&2"], check=True)
        return "fine"

    assert blamed(harm) == Done(5, "fine", "low child\nerr\n")


def test_a_flood_stays_small(blamed):
    def harm():
        for _ in range(100):
            os.write(1, b"x" * (1 << 20))
        time.sleep(0.5)  # the parent may still cut what was written until now
        os.write(2, b"end")

    outcome = blamed(harm)
    assert len(outcome.output) < 66_000
    assert outcome.output.endswith("xxend")


def test_streams_closed_or_replaced_by_a_task_harm_nobody(blamed):
    def harm():
        sys.stdout.close()
        sys.stderr = None
        return "fine"

    assert blamed(harm) == Done(5, "fine")


def test_a_task_that_closes_every_file_is_blamed_alone(blamed):
    culprit = blamed(lambda: os.closerange(3, 200))
    assert (culprit.index, culprit.reason, culprit.detail) == (5, "exit", "exit status 1")
    assert culprit.output.endswith("OSError: [Errno 9] Bad file descriptor\n")


@pytest.mark.parametrize(
    "harm, detail",
    [
        (lambda: lambda: 0, "the result cannot be sent: "),
        (lambda: Unreadable(), "the result cannot be read: ValueError: no"),
    ],
)
def test_a_value_that_cannot_travel_fails_alone(blamed, harm, detail):
    culprit = blamed(harm)
    assert culprit.reason == "lost"
    assert culprit.detail.startswith(detail)


class Unreadable:
    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise ValueError("no")


def test_a_task_that_cannot_travel_fails_alone(toy, run_on):
    one, two = run_on("processes", toy(lambda task: 1), [lambda: 0, 2])
    assert (one.index, one.reason) == (0, "lost")
    assert one.detail.startswith("the task cannot be sent: ")
    assert two == Done(1, 1)


def test_large_tasks_and_values_pass(toy, run_on):
    tasks = [bytes([n]) * 3_000_000 for n in range(6)]
    assert run_on("processes", toy(lambda task: task * 2), tasks) == [
        Done(n, task * 2) for n, task in enumerate(tasks)
    ]


def test_workers_are_made_only_for_work(toy, run_on):
    pids = lambda tasks, jobs: {  # noqa: E731
        done.value
        for done in run_on("processes", toy(lambda _: time.sleep(0.02) or os.getpid()), tasks, jobs=jobs)
    }
    assert len(pids([0], 4)) == 1
    assert os.getpid() not in pids([0], 1)
    assert len(pids(range(30), 2)) == 2


def test_a_second_run_uses_the_same_workers(toy):
    with open_engine("processes", toy(lambda _: os.getpid()), jobs=1, timeout=20) as engine:
        assert len({done.value for _ in range(3) for done in engine.run([0, 1])}) == 1


def test_a_start_that_hangs_fails_every_task_once(toy, run_on):
    outcomes = run_on("processes", toy(abs, lambda: time.sleep(60)), range(30), timeout=0.5)
    assert {(outcome.reason, outcome.detail) for outcome in outcomes} == {
        ("lost", "the worker did not start: 0.5 seconds")
    }
    assert [outcome.index for outcome in outcomes] == list(range(30))


def test_a_start_that_dies_once_is_tried_again(toy, run_on, tmp_path):
    def begin():
        if not (tmp_path / "seen").exists():
            (tmp_path / "seen").touch()
            os._exit(9)

    assert run_on("processes", toy(abs, begin), range(5), jobs=1) == [Done(n, n) for n in range(5)]


def test_threads_and_children_left_behind_do_not_outlive_the_engine(toy, run_on):
    def work(_):
        threading.Thread(target=time.sleep, args=(60,)).start()
        child = subprocess.Popen(["sleep", "60"])
        forked = os.fork() or time.sleep(60)
        return os.getpid(), child.pid, forked

    (done,) = run_on("processes", toy(work), [0])
    assert gone_within(done.value, 5)


def test_children_of_a_killed_task_are_killed_with_it(toy, run_on, tmp_path):
    def work(_):
        if not (forked := os.fork()):
            time.sleep(60)
        (tmp_path / "pid").write_text(str(forked))
        time.sleep(60)

    run_on("processes", toy(work), [0], timeout=0.4)
    assert gone_within([int((tmp_path / "pid").read_text())], 1)


def test_a_task_may_use_processes_of_its_own(toy, run_on):
    def work(task):
        with multiprocessing.get_context("fork").Pool(1) as pool:
            return pool.map(abs, [-task])

    assert run_on("processes", toy(work), [7]) == [Done(0, [7])]


def test_descriptors_are_given_back(toy, run_on):
    count = lambda: len(list(Path("/proc/self/fd").iterdir()))  # noqa: E731
    run_on("processes", toy(abs), range(5))
    before = count()
    for _ in range(5):
        run_on("processes", toy(lambda n: os._exit(1) if n % 5 == 0 else n), range(20))
    assert count() <= before


def test_a_slow_reader_is_not_mistaken_for_a_stuck_worker(toy):
    def work(task):
        return bytes(200_000)

    with open_engine("processes", toy(work), jobs=2, timeout=1) as engine:
        outcomes = []
        for outcome in engine.run(range(40)):
            time.sleep(0 if outcomes else 1.5)
            outcomes.append(outcome)
    assert sorted(outcome.index for outcome in outcomes if isinstance(outcome, Done)) == list(range(40))


def test_a_supervisor_beside_the_main_thread_spawns(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(SPAWNED)
    answer = subprocess.run(
        [sys.executable, script], stdout=-1, env=ENVIRONMENT, text=True, timeout=30, check=True
    )
    assert answer.stdout == "[0, 2, 4, 'SIGKILL'] spawn\n"


SPAWNED = """
import os, threading
from dataclasses import dataclass
from pybuild.engines.supervisor import ProcessEngine, open_processes

@dataclass(frozen=True)
class Twice:
    factor: int
    def start(self):
        return lambda n: os.kill(os.getpid(), 9) if n == 3 else n * self.factor

def run():
    with open_processes(Twice(2), jobs=2, timeout=20) as engine:
        outcomes = sorted(engine.run(range(4)), key=lambda outcome: outcome.index)
        print([o.value if hasattr(o, "value") else o.detail for o in outcomes], engine.method)

if __name__ == "__main__":
    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
"""

CLOSED = """
from dataclasses import dataclass
from pathlib import Path
import sys
from pybuild.engines import open_engine

@dataclass(frozen=True)
class Negate:
    def start(self):
        return lambda n: print(n) or -n

with open_engine("processes", Negate(), jobs=2, timeout=20) as engine:
    answer = sorted((done.value, done.output) for done in engine.run([1, 2]))
Path(sys.argv[1]).write_text(repr(answer))
"""


def test_closed_standard_streams_do_not_matter(tmp_path):
    script, answer = tmp_path / "script.py", tmp_path / "answer"
    script.write_text(CLOSED)
    command = 'exec "$@" <&- >&- 2>&-'
    subprocess.run(["sh", "-c", command, "sh", sys.executable, script, answer], env=ENVIRONMENT, timeout=30)
    assert answer.read_text() == r"[(-2, '2\n'), (-1, '1\n')]"


HUNG = """
import os, signal, subprocess, sys, time
from dataclasses import dataclass
from pybuild.engines import open_engine

@dataclass(frozen=True)
class Hang:
    def start(self):
        return self.work
    def work(self, place):
        child = subprocess.Popen(["sleep", "60"])
        with open(place, "w") as file:
            file.write(f"{os.getpid()} {child.pid}\\n")
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass

try:
    with open_engine("processes", Hang(), jobs=2, timeout=60) as engine:
        for outcome in engine.run(sys.argv[1:]):
            print(outcome)
except KeyboardInterrupt:
    print("interrupted", signal.getsignal(signal.SIGTERM) is signal.SIG_DFL)
"""


@pytest.fixture
def hung(tmp_path):
    """A supervisor with two workers that never answer; yields it, their pids, and those of their children."""
    script, places = tmp_path / "script.py", [tmp_path / "a", tmp_path / "b"]
    script.write_text(HUNG)
    command = [sys.executable, script, *places]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=-1, text=True, start_new_session=True
    ) as supervisor:
        until = time.monotonic() + 10
        while time.monotonic() < until and not all(
            p.exists() and p.read_text().endswith("\n") for p in places
        ):
            time.sleep(0.01)
        pids = [tuple(map(int, place.read_text().split())) for place in places]
        yield supervisor, [worker for worker, _ in pids], [child for _, child in pids]
        supervisor.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_everything_at_once(hung, number):
    supervisor, workers, children = hung
    supervisor.send_signal(number)
    assert supervisor.communicate(timeout=30)[0] == "interrupted True\n"
    assert gone_within(workers + children, 5)


def test_an_interrupt_of_the_whole_group_ends_everything(hung):
    supervisor, workers, children = hung
    os.killpg(supervisor.pid, signal.SIGINT)
    assert supervisor.communicate(timeout=30)[0] == "interrupted True\n"
    assert gone_within(workers + children, 5)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a worker looks once a second")
def test_workers_die_with_a_killed_supervisor(hung):
    supervisor, workers, children = hung
    supervisor.kill()
    supervisor.wait()
    assert gone_within(workers, 1)
    for child in children:
        os.kill(child, signal.SIGKILL)


def test_idle_workers_that_died_are_replaced(toy):
    with open_engine("processes", toy(lambda _: os.getpid()), jobs=1, timeout=20) as engine:
        (first,) = engine.run([0])
        os.kill(first.value, signal.SIGKILL)
        (second,) = engine.run([0])
    assert second.value != first.value


def test_an_idle_worker_that_a_thread_left_behind_made_deaf_is_replaced(toy):
    def work(task):
        if task == 0:
            threading.Timer(0.1, lambda: sum(itertools.repeat(0))).start()
        return task

    with open_engine("processes", toy(work), jobs=1, timeout=1) as engine:
        assert list(engine.run([0])) == [Done(0, 0)]
        time.sleep(0.3)
        assert list(engine.run([1, 2])) == [Done(0, 1), Done(1, 2)]


def test_a_task_whose_worker_is_lost_twice_before_it_runs_is_given_up(toy, run_on):
    outcomes = run_on("processes", toy(abs, close_pipes_to_read), [1, 2], jobs=1)
    assert [(outcome.index, outcome.reason, outcome.detail) for outcome in outcomes] == [
        (0, "lost", "its worker was lost twice: exit status 1"),
        (1, "lost", "its worker was lost twice: exit status 1"),
    ]
    assert all("OSError: [Errno 9] Bad file descriptor" in outcome.output for outcome in outcomes)


def close_pipes_to_read():
    for number in range(3, 200):
        with contextlib.suppress(OSError):
            is_read = fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
            if is_read and stat.S_ISFIFO(os.fstat(number).st_mode):
                os.close(number)


def test_the_method_may_be_named(toy):
    assert ProcessEngine(toy(abs), jobs=1, timeout=1).method == "fork"
