"""Lists: pages, the numbers they link to, and terms."""

from __future__ import annotations

import pytest

from pybuild import paginate
from pybuild.source.lists import linked_numbers
from pybuild.source.site_lists import EVERY_PAGE


def test_items_are_cut_into_pages() -> None:
    pages = paginate("abcde", 2)
    assert [(p.number, list(p.items), p.prev, p.next, p.total) for p in pages] == [
        (1, ["a", "b"], None, 2, 3),
        (2, ["c", "d"], 1, 3, 3),
        (3, ["e"], 2, None, 3),
    ]


def test_no_items_are_one_empty_page() -> None:
    assert [(p.number, list(p.items), p.total) for p in paginate([], 10)] == [(1, [], 1)]


def test_a_page_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="per_page must be at least 1, not 0"):
        paginate([1], 0)


@pytest.mark.parametrize(
    ("number", "total", "linked"),
    [
        (1, 1, [1]),
        (2, 12, [1, 2, 3, 10, 12]),
        (15, 30, [1, *range(10, 21), 30]),
    ],
)
def test_first_last_neighbours_and_every_tenth_are_linked(number: int, total: int, linked: list[int]) -> None:
    assert linked_numbers(number, total) == linked


@pytest.mark.parametrize("total", [EVERY_PAGE + 1, 1500, 5000])
def test_each_page_of_a_list_is_near_the_first_where_that_does_not_name_them_all(total: int) -> None:
    reached, new = {1}, {1}
    for _ in range(4):
        new = {n for number in new for n in linked_numbers(number, total)} - reached
        reached |= new
    assert reached == set(range(1, total + 1))
