"""Dates: the one reader of what authors write, and the spellings that outputs need.

Owns parsing and formatting of moments. Reads no clock and no `TZ`; a date without a zone is in the zone
it is given. Knows no page.
Sources: RFC 3339 §5.6; RFC 5322 §3.3 (RSS 2.0 names its ancestor, RFC 822); W3C NOTE-datetime (sitemaps).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_MOMENT = re.compile(
    r"""([0-9]{4})(?:-([0-9]{2})-|/([0-9]{1,2})/)([0-9]{1,2})
        (?:(?:[Tt]|[ \t]+)([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?
        [ \t]*(?:([Zz]|UTC|GMT)|([+-])([0-9]{2}):?([0-9]{2})?)?)?""",
    re.X,
)
_YEAR_FIRST = re.compile(r"([0-9]{4})([-./ ]?)([0-9]{1,2})\2([0-9]{1,2})(?![0-9])")
_DAY_AND_MONTH = re.compile(r"([0-9]{1,2})([-./])([0-9]{1,2})\2([0-9]{4})(?![0-9])")
_NAMED = re.compile(
    r"""(?:[A-Za-z]+\.?,?[ ])?(?:([0-9]{1,2})(?:st|nd|rd|th)?[ -])?([A-Z][a-z]{2})[a-z]*\.?
        [ -](?:([0-9]{1,2})(?:st|nd|rd|th)?)?,?[ ]?([0-9]{4})\b""",
    re.X,
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def parse_date(value: object, zone: ZoneInfo) -> datetime | None:
    """Read a date or a moment as an aware datetime with a fixed offset; None where it is neither.

    Takes a `date`, a `datetime` or text: `2024-01-05`, `2024-01-05 23:30`, `2024-01-05T23:30:00.5+01:00`,
    `2024/1/5`,    `2024-01-05 23:30 -0500`. A date is its midnight; what has no zone is in `zone`.
    """
    try:
        if isinstance(value, datetime):
            return _fixed(value, zone)
        if isinstance(value, date):
            return _fixed(datetime(value.year, value.month, value.day), zone)
        return _fixed(_read(value.strip()), zone) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def probable_date(written: str) -> str:
    """The date that another spelling means: `17.12.2021`, `20211217`, `2021-2-3`, `Dec 17, 2021` → `2021-12-17`.

    "" where two dates may be meant, such as by `1/2/2021`.
    """
    text, year, month, day = written.strip(), 0, 0, 0
    if found := _YEAR_FIRST.match(text):
        year, month, day = int(found[1]), int(found[3]), int(found[4])
    elif found := _DAY_AND_MONTH.match(text):
        day, month, year = int(found[1]), int(found[3]), int(found[4])
        if found[2] != "." and day <= 12:
            day, month = (month, day) if month > 12 or month == day else (0, 0)
    elif (found := _NAMED.match(text)) and found[2] in _MONTHS and bool(found[1]) != bool(found[3]):
        year, month, day = int(found[4]), _MONTHS.index(found[2]) + 1, int(found[1] or found[3])
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return ""


def _read(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    if not found or (found[2] and len(found[4]) != 2):
        raise ValueError(text)
    year, dashed, slashed, day, hour, minute, second, fraction, utc, sign, hours, minutes = found.groups()
    micros = int((fraction or "0")[:6].ljust(6, "0"))
    offset: tzinfo | None = UTC if utc else None
    if sign:
        if int(minutes or 0) > 59:
            raise ValueError(text)
        east = timedelta(hours=int(hours), minutes=int(minutes or 0))
        offset = timezone(east if sign == "+" else -east)
    return datetime(
        int(year),
        int(dashed or slashed),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        micros,
        offset,
    )


def _fixed(moment: datetime, zone: ZoneInfo) -> datetime:
    """Give a moment its offset; an hour that a clock change skips moves on, seconds of an offset are dropped."""
    if moment.utcoffset() is None:
        moment = moment.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    offset = moment.utcoffset() or timedelta()
    return moment.replace(tzinfo=timezone(offset - offset % timedelta(minutes=1)))


def rfc3339(moment: datetime) -> str:
    """Write an aware moment to the second: `2024-01-05T23:30:00-05:00`."""
    return moment.isoformat(timespec="seconds")


def w3c(moment: datetime) -> str:
    """Write an aware moment for a sitemap; of what W3C allows, the spelling of RFC 3339."""
    return rfc3339(moment)


def rfc822(moment: datetime) -> str:
    """Write an aware moment for RSS, in English whatever the locale: `Fri, 05 Jan 2024 23:30:00 -0500`."""
    day, month = _DAYS[moment.weekday()], _MONTHS[moment.month - 1]
    offset = moment.isoformat(timespec="seconds")[-6:].replace(":", "")
    return (
        f"{day}, {moment.day:02} {month} {moment.year:04} "
        f"{moment.hour:02}:{moment.minute:02}:{moment.second:02} {offset}"
    )
