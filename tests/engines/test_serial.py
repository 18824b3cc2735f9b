"""What only the engine in this process can promise, and what it cannot."""

from __future__ import annotations

import logging
import os
import threading
import time

from pybuild.engines import Done, Failed
from pybuild.engines.serial import SerialEngine


def test_tasks_run_here_in_order(toy):
    engine = SerialEngine(toy(lambda task: (task, os.getpid())), timeout=20)
    assert list(engine.run("abc")) == [Done(n, (letter, os.getpid())) for n, letter in enumerate("abc")]


def test_an_interrupt_a_task_raises_is_a_failure_of_the_task(toy, run_on):
    def work(_):
        raise KeyboardInterrupt

    (outcome,) = run_on("serial", toy(work), [0])
    assert isinstance(outcome, Failed)


def test_values_need_not_be_pickled(toy, run_on):
    value = object()
    assert run_on("serial", toy(lambda _: value), [0]) == [Done(0, value)]


def test_a_logger_made_by_one_task_reaches_the_output_of_the_next(toy, run_on):
    logger = logging.Logger("toy")

    def work(task):
        logger.handlers or logger.addHandler(logging.StreamHandler())
        logger.warning(task)

    assert run_on("serial", toy(work), ["a", "b"]) == [Done(0, None, "a\n"), Done(1, None, "b\n")]


def test_beside_the_main_thread_there_is_no_deadline(toy):
    outcomes = []
    engine = SerialEngine(toy(time.sleep), timeout=0.05)
    thread = threading.Thread(target=lambda: outcomes.extend(engine.run([0.1])))
    thread.start()
    thread.join()
    assert outcomes == [Done(0, None)]


def test_a_deadline_that_passed_does_not_hit_the_next_task(toy, run_on):
    outcomes = run_on("serial", toy(time.sleep), [0.3, 0.05, 0.3], timeout=0.2)
    assert [type(outcome).__name__ for outcome in outcomes] == ["Failed", "Done", "Failed"]
