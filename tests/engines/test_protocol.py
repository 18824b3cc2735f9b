from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.engines.protocol import IDLE, FrameReader, TaskSlot, pack_rows

ROWS = st.lists(st.tuples(st.integers(0, 99), st.binary(max_size=300), st.text(max_size=20)), max_size=4)


@given(st.lists(ROWS, max_size=5), st.integers(1, 400))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_rows_arrive_whole_however_the_pipe_cuts_them(groups, step):
    content = b"".join(pack_rows(group) for group in groups)
    inbox = FrameReader()
    arrived = [row for at in range(0, len(content), step) for row in inbox.feed(content[at : at + step])]
    assert arrived == [row for group in groups for row in group]


def test_a_half_written_group_yields_nothing():
    whole, half = pack_rows([(1, b"x", "")]), pack_rows([(2, b"y", "")])[:-1]
    assert list(FrameReader().feed(whole + half)) == [(1, b"x", "")]


def test_a_slot_tells_what_runs_since_when_and_for_how_long_it_was_busy():
    slot, before = TaskSlot([0.0, 0.0, 0.0]), time.monotonic()
    slot.publish(7)
    index, since = slot.read()
    slot.rest()
    assert (index, slot.read()) == (7, (IDLE, since))
    assert before <= since <= since + slot.busy <= time.monotonic()
