from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from pybuild.diagnostics import Location
from pybuild.site_files.values import Reader, absolute_address


def fresh() -> Reader:
    return Reader("bad-response", Location("app/x.py"), "x")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2024-01-05", "2024-01-05"),
        (date(2024, 1, 5), "2024-01-05"),
        ("2024-01-05 10:30", "2024-01-05T10:30:00+01:00"),
        (datetime(2024, 7, 5, 10, 30), "2024-07-05T10:30:00+02:00"),
        (datetime(2024, 1, 5, tzinfo=UTC), "2024-01-05T00:00:00+00:00"),
        ("05.01.2024", ""),
        (20240105, ""),
    ],
)
def test_moments(value: object, expected: str) -> None:
    reader = fresh()
    assert reader.moment(value, "k", ZoneInfo("Europe/Vienna")) == expected
    assert bool(reader.findings) == (not expected)


@pytest.mark.parametrize("text", ["mailto:a@b.example", "javascript:x", "https://", "http://[", "data:,x"])
def test_what_is_no_address_of_the_web(text: str) -> None:
    with pytest.raises(ValueError):
        absolute_address(text, "https://a.example", "")


def test_relative_addresses_without_a_page_start_at_the_site() -> None:
    assert absolute_address("a/b", "https://a.example/x", "") == "https://a.example/x/a/b"


@pytest.mark.parametrize("value", [True, "1", None, float("nan"), float("inf")])
def test_what_is_no_number(value: object) -> None:
    reader = fresh()
    assert (reader.number(value, "k"), len(reader.findings)) == (None, 1)


def test_texts_leave_out_what_is_empty() -> None:
    reader = fresh()
    assert (reader.texts(["a", " ", 2], "k"), reader.texts("b", "k"), reader.findings) == (
        ("a", "2"),
        ("b",),
        [],
    )
