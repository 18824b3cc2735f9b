"""What every engine of the table promises."""

from __future__ import annotations

import sys
import time

import pytest

from pybuild.engines import ENGINES, Done, Failed, UnknownEngine, open_engine


@pytest.fixture(params=sorted(ENGINES))
def name(request):
    return request.param


def double(number):
    return 2 * number


def test_every_task_has_one_outcome(name, toy, run_on):
    assert run_on(name, toy(double), range(1000)) == [Done(n, 2 * n) for n in range(1000)]


def test_no_tasks_start_nothing(name, toy, run_on):
    assert run_on(name, toy(double, lambda: sys.exit(1)), []) == []


def test_several_runs_share_one_start(name, toy):
    started = []
    with open_engine(
        name, toy(lambda _: len(started), lambda: started.append(1)), jobs=1, timeout=20
    ) as engine:
        counts = [outcome.value for _ in range(3) for outcome in engine.run([0, 1])]
    assert counts == [1] * 6


def test_an_abandoned_run_leaves_nothing_to_the_next(name, toy):
    with open_engine(name, toy(double), jobs=2, timeout=20) as engine:
        next(iter(engine.run(range(500))))
        assert sorted(done.value for done in engine.run([100, 200, 300])) == [200, 400, 600]


def test_printed_text_belongs_to_its_task(name, toy, run_on):
    def work(text):
        print(text)
        print("oops", file=sys.stderr, end="")
        return text

    assert run_on(name, toy(work), ["é", "\udcff"]) == [
        Done(0, "é", "é\noops"),
        Done(1, "\udcff", "\\udcff\noops"),
    ]


def test_binary_writes_to_standard_output_are_captured(name, toy, run_on):
    work = lambda text: sys.stdout.buffer.write(text) and None  # noqa: E731
    assert run_on(name, toy(work), [b"a\xffb"]) == [Done(0, None, "a\ufffdb")]


def test_a_flood_keeps_its_head_and_tail(name, toy, run_on):
    def work(count):
        print("first")
        for _ in range(count):
            print("x" * 999)
        print("last")

    (outcome,) = run_on(name, toy(work), [1000])
    head, tail = outcome.output.split("\n[... output left out ...]\n")
    assert (head[:8], tail[-7:], len(head), len(tail)) == ("first\nxx", "x\nlast\n", 32768, 32768)


@pytest.mark.parametrize(
    "code, detail, output",
    [
        (None, "exit status 0", ""),
        (0, "exit status 0", ""),
        (3, "exit status 3", ""),
        ("why", "exit status 1", "why\n"),
    ],
)
def test_sys_exit_is_a_failure_of_its_task(name, toy, run_on, code, detail, output):
    def work(task):
        return sys.exit(code) if task == 1 else task

    zero, one, two = run_on(name, toy(work), [0, 1, 2])
    assert (zero, two) == (Done(0, 0), Done(2, 2))
    assert (one.reason, one.detail, one.output) == ("exit", detail, output)
    assert [frame.name for frame in one.frames] == ["work"]


def test_an_exception_that_escapes_is_a_failure_of_its_task(name, toy, run_on):
    def work(task):
        return 1 // task

    zero, one = run_on(name, toy(work), [0, 1])
    assert (zero.reason, zero.detail) == ("raised", "ZeroDivisionError: integer division or modulo by zero")
    file = "<dynamic-code>" if name == "dask" else __file__  # there the function came by value
    assert [(frame.file, frame.name) for frame in zero.frames] == [(file, "work")]
    assert one == Done(1, 1)


def test_a_sleeper_is_stopped_at_its_deadline(name, toy, run_on):
    def work(task):
        if task == 1:
            print("going to sleep")
            nap()
        return task

    def nap():
        time.sleep(60)

    outcomes = run_on(name, toy(work), range(6), timeout=0.5)
    late = outcomes.pop(1)
    assert outcomes == [Done(n, n) for n in (0, 2, 3, 4, 5)]
    assert (late.reason, late.detail, late.output) == ("timeout", "0.5 seconds", "going to sleep\n")
    assert [frame.name for frame in late.frames] == ["work", "nap"]


def test_a_task_may_have_a_deadline_of_its_own(name, toy):
    with open_engine(name, toy(time.sleep), jobs=2, timeout=1) as engine:
        outcomes = sorted(engine.run([1.3, 5], timeouts=[20, 0.5]), key=lambda outcome: outcome.index)
    assert outcomes[0] == Done(0, None)
    assert (outcomes[1].reason, outcomes[1].detail) == ("timeout", "0.5 seconds")


@pytest.mark.parametrize("begin", [lambda: sys.exit(1), lambda: 1 // 0])
def test_a_program_that_does_not_start_fails_every_task(name, toy, run_on, begin):
    def start():
        print("starting")
        begin()

    outcomes = run_on(name, toy(double, start), range(40))
    assert [outcome.index for outcome in outcomes] == list(range(40))
    assert all(isinstance(outcome, Failed) and outcome.reason == "lost" for outcome in outcomes)
    assert all(outcome.detail.startswith("the worker did not start: ") for outcome in outcomes)
    assert all(outcome.output.startswith("starting\n") for outcome in outcomes)


def test_what_a_start_prints_belongs_to_no_task(name, toy, run_on):
    assert run_on(name, toy(double, lambda: print("hello")), [1]) == [Done(0, 2)]


def test_streams_and_signals_are_as_before(name, toy, run_on):
    import signal

    watched = [signal.SIGINT, signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1]
    before = sys.stdout, sys.stderr, [signal.getsignal(number) for number in watched]
    run_on(name, toy(lambda _: sys.exit(1)), [0])
    assert (sys.stdout, sys.stderr, [signal.getsignal(number) for number in watched]) == before


def test_an_unknown_engine_names_the_known_ones():
    with pytest.raises(UnknownEngine) as caught:
        open_engine("dusk", None, jobs=1, timeout=1)
    assert str(caught.value) == 'there is no engine "dusk"; choose one of: dask, processes, serial'
