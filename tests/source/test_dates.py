"""Dates: read in any spelling authors use, written as RFCs ask, whatever the machine says."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from email.utils import format_datetime, parsedate_to_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.source.dates import parse_date, probable_date, rfc822, rfc3339, w3c

VIENNA = ZoneInfo("Europe/Vienna")


def read(value: object) -> str | None:
    moment = parse_date(value, VIENNA)
    return moment and rfc3339(moment)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2024-01-05", "2024-01-05T00:00:00+01:00"),
        ("2024-07-05", "2024-07-05T00:00:00+02:00"),
        (" 2024-01-05 ", "2024-01-05T00:00:00+01:00"),
        ("2024-01-05 23:30", "2024-01-05T23:30:00+01:00"),
        ("2024-01-05 23:30:15", "2024-01-05T23:30:15+01:00"),
        ("2024-01-05T23:30:15Z", "2024-01-05T23:30:15+00:00"),
        ("2024-01-05t23:30:15.999z", "2024-01-05T23:30:15+00:00"),
        ("2024-01-05 23:30 -0500", "2024-01-05T23:30:00-05:00"),
        ("2024-01-05 23:30:00 +05:30", "2024-01-05T23:30:00+05:30"),
        ("2024-01-05T23:30+01", "2024-01-05T23:30:00+01:00"),
        ("2024-01-05 23:30 UTC", "2024-01-05T23:30:00+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+01:00"),
        ("2024-03-31 02:30", "2024-03-31T03:30:00+02:00"),  # the clock skips this hour
        ("2024-10-27 02:30", "2024-10-27T02:30:00+02:00"),  # the first of two
        ("1850-01-01", "1850-01-01T00:00:00+01:05"),  # local mean time
        (date(2024, 1, 5), "2024-01-05T00:00:00+01:00"),
        (datetime(2024, 1, 5, 6), "2024-01-05T06:00:00+01:00"),
        (datetime(2024, 1, 5, 6, tzinfo=UTC), "2024-01-05T06:00:00+00:00"),
    ],
)
def test_spellings(written: object, moment: str) -> None:
    assert read(written) == moment


@pytest.mark.parametrize(
    "written",
    [
        "",
        "soon",
        "2024",
        2024,
        None,
        True,
        ["2024-01-05"],
        "2024-1-5",
        "2024-13-01",
        "2023-02-29",
        "2024-01-05 24:00",
    ]
    + [
        "2024-01-05 12:60",
        "2024-01-05T12:00+0160",
        "2024-01-05T12:00+25:00",
        "05.01.2024",
        "2024-01-05x",
        "0000-01-01",
    ]
    + ["0001-01-01", "２０２４-01-05", "2024-01-05\n2024-01-06", "12:30:45"],
)
def test_what_is_no_date(written: object) -> None:
    assert parse_date(written, VIENNA) is None


def test_feeds_get_english_names_and_numeric_offsets() -> None:
    moment = datetime(2002, 10, 2, 15, 0, tzinfo=timezone(timedelta(hours=2)))
    assert rfc822(moment) == "Wed, 02 Oct 2002 15:00:00 +0200"
    assert w3c(moment) == "2002-10-02T15:00:00+02:00"


def test_the_zone_and_locale_of_the_machine_say_nothing() -> None:
    code = (
        "from pybuild.source.dates import *; from zoneinfo import ZoneInfo\n"
        "d = parse_date('2024-01-05 23:30', ZoneInfo('Asia/Tokyo')); print(rfc3339(d), rfc822(d))"
    )
    said = set()
    for zone in ("Pacific/Kiritimati", "America/Los_Angeles", "UTC"):
        env = {**os.environ, "TZ": zone, "LC_ALL": "de_DE.UTF-8"}
        said.add(
            subprocess.run(
                [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
            ).stdout
        )
    assert said == {"2024-01-05T23:30:00+09:00 Fri, 05 Jan 2024 23:30:00 +0900\n"}


moments = st.datetimes(
    datetime(1000, 1, 2),
    datetime(9999, 12, 30),
    timezones=st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))),
).map(lambda moment: moment.replace(microsecond=0))


@settings(derandomize=True, max_examples=150, deadline=None)
@given(moments)
def test_what_is_written_is_read_again(moment: datetime) -> None:
    again = parse_date(rfc3339(moment), VIENNA)
    assert again == moment and again.utcoffset() == moment.utcoffset()
    assert rfc822(moment) == format_datetime(moment)
    assert parsedate_to_datetime(rfc822(moment)) == moment


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2021-2-3", "2021-02-03"),
        ("20211217", "2021-12-17"),
        ("2021.12.17", "2021-12-17"),
        ("17.12.2021", "2021-12-17"),
        ("1.2.2021", "2021-02-01"),
        ("17/12/2021", "2021-12-17"),
        ("12/17/2021 10:00", "2021-12-17"),
        ("1/2/2021", ""),
        ("Dec 17, 2021", "2021-12-17"),
        ("December 17th, 2021", "2021-12-17"),
        ("17 Dec 2021", "2021-12-17"),
        ("Fri, 17 Dec 2021 10:00:00 GMT", "2021-12-17"),
        ("2021-13-01", ""),
        ("soon", ""),
        ("True", ""),
    ],
)
def test_what_another_spelling_means(written: str, meant: str) -> None:
    assert probable_date(written) == meant
