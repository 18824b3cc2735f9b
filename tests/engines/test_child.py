"""The conduct of a worker where this kernel would not need it."""

from __future__ import annotations

import os
import signal

from pybuild.engines.child import _watch, die_with


def ended(pid):
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_a_worker_that_finds_its_supervisor_gone_kills_its_own_group():
    if not (pid := os.fork()):
        os.setsid()
        _watch(parent=0)
    assert ended(pid) == -signal.SIGKILL


def test_a_worker_born_after_its_supervisor_died_ends_at_once():
    if not (pid := os.fork()):
        die_with(parent=0)
        os._exit(0)
    assert ended(pid) == 1
