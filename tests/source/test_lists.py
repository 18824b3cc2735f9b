"""Lists: pages, the numbers they link to, and terms."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from pybuild import paginate
from pybuild.config.schema import Collection
from pybuild.source.document import Entry
from pybuild.source.lists import Tagged, linked_numbers, list_order
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


PLANTS: dict[str, dict[str, Any]] = {
    "a-thyme": {"title": "thyme 10", "date": datetime(2025, 1, 2, tzinfo=UTC), "meta": {"height": 0.3}},
    "b-oak": {"title": "Oak", "updated": datetime(2025, 3, 1, tzinfo=UTC), "meta": {"height": 40}},
    "c-thyme": {"title": "Thyme 9", "date": datetime(2025, 2, 1, tzinfo=UTC), "meta": {"height": "unknown"}},
}


@pytest.mark.parametrize(
    ("sort", "is_list", "order"),
    [
        ("", False, "abc"),
        ("", True, "cab"),  # newest first; those without a date last
        ("path", True, "abc"),
        ("-path", True, "cba"),
        ("title", True, "bca"),
        ("-title", True, "acb"),
        ("updated", True, "bac"),
        ("height", True, "abc"),
        ("-height", True, "cba"),
        ("nothing", True, "abc"),
    ],
)
def test_the_order_of_a_list(sort: str, is_list: bool, order: str) -> None:
    entries = [Entry(title="Plants", file="content/index.md", collection="p", url="/p")]
    entries += [
        Entry(**said, file=f"content/{slug}.md", collection="p", slug=slug, url=f"/p/{slug}")
        for slug, said in PLANTS.items()
    ]
    found = list_order(
        entries, Collection(name="p", source="content", route="/p/[slug]", sort=sort, list=is_list)
    )
    assert "".join(entries[number].slug[0] for number in found) == order


def test_the_nearest_share_the_most_tags_and_are_the_newest() -> None:
    dice = random.Random(7)
    for _ in range(100):
        entries = [
            Entry(
                slug=f"s{number}",
                tags=tuple(dice.sample(["a", "b", "B", "c", "d"], dice.randint(0, 4))),
                date=datetime(2020, 1, day, tzinfo=UTC) if (day := dice.randint(0, 9)) else None,
                is_fallback=dice.random() < 0.1,
            )
            for number in range(dice.randint(1, 30))
        ]
        tags = [{tag.casefold() for tag in entry.tags} for entry in entries]

        def nearest(own: int, entries: list[Entry] = entries, tags: list[set[str]] = tags) -> list[int]:
            def rank(n: int) -> tuple[float, float, str]:
                date = entries[n].date
                return -len(tags[n] & tags[own]), -date.timestamp() if date else 0.0, entries[n].slug

            others = (n for n, entry in enumerate(entries) if n != own and not entry.is_fallback)
            return sorted((n for n in others if tags[n] & tags[own]), key=rank)[:3]

        tagged = Tagged(entries)
        numbers = [number for number, entry in enumerate(entries) if not entry.is_fallback]
        assert [tagged.related(number) for number in numbers] == [nearest(number) for number in numbers]
