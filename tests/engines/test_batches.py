from __future__ import annotations

import pickle

from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.engines.batches import Batches


def indices(batch):
    return [index for index, _ in batch[1]]


@given(st.integers(0, 2000), st.integers(1, 8), st.floats(0, 2), st.sets(st.integers(0, 2000)))
@settings(derandomize=True, max_examples=60, deadline=None)
def test_every_task_is_given_once_and_again_when_it_comes_back(count, jobs, cost, dropped):
    batches, seen, waiting = Batches(range(count), jobs), [], set(dropped)
    while batch := batches.take():
        lost = [task for task in batch[1] if task[0] in waiting]
        waiting -= {index for index, _ in lost}
        seen += [pickle.loads(payload) for task in batch[1] if task not in lost for payload in task[1:]]
        batches.learn(len(batch[1]), cost * len(batch[1]))
        batches.give_back(lost)
    assert sorted(seen) == list(range(count))
    assert not batches


def test_cheap_tasks_travel_by_hundreds_and_evenly_at_the_end():
    batches, sizes = Batches(range(2000), 2), []
    while batch := batches.take():
        sizes.append(len(batch[1]))
        batches.learn(sizes[-1], 1e-6)
    assert sizes[:3] == [8, 256, 256]
    assert sizes[-4:] == [1, 1, 1, 1]
    assert sizes[1:] == sorted(sizes[1:], reverse=True)


def test_dear_tasks_travel_alone():
    batches = Batches(range(100), 2)
    batches.learn(1, 3.0)
    assert batches.take() == (False, [(0, pickle.dumps(0, pickle.HIGHEST_PROTOCOL))])


def test_large_tasks_make_small_batches():
    batches = Batches([bytes(700_000)] * 100, 1)
    assert indices(batches.take()) == [0, 1]


def test_what_came_back_goes_first_and_is_answered_at_once():
    batches = Batches(range(3), 1)
    first = batches.take()
    batches.give_back(first[1])
    assert batches.take() == (True, first[1])
    assert indices(batches.take()) == [1]


def test_what_cannot_be_pickled_is_refused_and_the_rest_goes_on():
    batches = Batches([1, lambda: 0, 2], 1)
    assert [indices(batches.take()) for _ in range(2)] == [[0], [2]]
    (refused,) = batches.refused
    assert (refused.index, refused.reason) == (1, "lost")
    assert refused.detail.startswith("the task cannot be sent: ")
    assert batches.take() is None


def test_giving_up_names_every_task_left():
    batches = Batches(range(6), 1)
    batches.give_back(batches.take()[1])
    assert list(batches.rest()) == [0, 1, 2, 3, 4, 5]
    assert batches.take() is None
