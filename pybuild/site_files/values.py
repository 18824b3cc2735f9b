"""Loose values of authors, read by the shape that is expected.

Owns the sentences for wrong types and unknown keys. Knows no format: the caller names the key, the code
and the place. Takes text, numbers, dates, lists and mappings as Python, TOML and YAML give them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from math import isfinite
from typing import Any
from urllib.parse import quote, urljoin, urlsplit
from zoneinfo import ZoneInfo

from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.language_tags import is_language_tag, language_hint
from pybuild.site_files.xml_text import one_line
from pybuild.source.dates import parse_date

_NAMES = {
    bool: "a truth value",
    str: "text",
    int: "a number",
    float: "a number",
    dict: "a mapping",
    list: "a list",
    tuple: "a list",
    type(None): "None",
}


def absolute_address(text: str, site_url: str, href: str) -> str:
    """Make an author's URL absolute and encoded; what is percent-encoded stays.

    `/a` is below the site's address, `./a` and `a` are next to the page. Raises ValueError for what is no
    address of the web: another scheme than http or https, or none that can be parsed.
    """
    if text.startswith("/") and not text.startswith("//"):
        text = site_url + text
    given = urlsplit(text)
    if given.scheme and not given.netloc:
        raise ValueError(text)
    parts = urlsplit(urljoin(href or site_url + "/", text))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(text)
    path, query, fragment = (
        quote(part, safe="%/:@!$&'()*+,;=~?[]") for part in (parts.path, parts.query, parts.fragment)
    )
    return parts._replace(
        netloc=_ascii_host(parts.netloc), path=path, query=query, fragment=fragment
    ).geturl()


def _ascii_host(netloc: str) -> str:
    """A host as a URL carries it (RFC 3986 §3.2.2): `münchen.example` → `xn--mnchen-3ya.example`."""
    if netloc.isascii():
        return netloc
    user, at, host = netloc.rpartition("@")
    return quote(user, safe="%:!$&'()*+,;=~") + at + host.encode("idna").decode("ascii")


_NO_LINES: Mapping[str, int] = {}
_SWITCHES = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class Reader:
    """Reads values and collects what does not fit as findings; a value that does not fit reads as empty."""

    def __init__(
        self, code: str, location: Location, subject: str, lines: Mapping[str, int] = _NO_LINES
    ) -> None:
        """`subject` opens each message: `metadata`, `the sitemap`. `lines` are those of keys, where they are known."""
        self.code = code
        self.location = location
        self.subject = subject
        self.lines = lines
        self.findings: list[Diagnostic] = []

    def fault(self, message: str, hint: str, key: str = "") -> None:
        """Record what is wrong, at the line of `key` or of the key around it."""
        place = self.location
        while key and place is self.location:
            place = Location(place.file, self.lines[key]) if key in self.lines else place
            key = key.rpartition(".")[0]
        self.findings.append(Diagnostic(self.code, f"{self.subject}: {message}", place, hint))

    def wrong(self, key: str, wanted: str, value: object) -> None:
        """Record that `key` has the wrong type."""
        found = _NAMES.get(type(value), f"a {type(value).__name__}")
        hint = f"write {wanted}"
        if isinstance(value, bool) and wanted == "text":
            hint = f'put it in quotes: "{str(value).lower()}"'
        if isinstance(value, str) and value.lower() in _SWITCHES and wanted == "true or false":
            hint = f'write {_SWITCHES[value.lower()]}: "{value}" is text here'
        self.fault(f'"{key}" must be {wanted}, not {found}', hint, key)

    def table(self, value: object, key: str, known: Collection[str]) -> dict[str, Any]:
        """Read a mapping; keys that are not known are findings, and None is no value."""
        if not isinstance(value, Mapping):
            self.wrong(key, "a mapping", value)
            return {}
        for name in value:
            if name not in known:
                self.unknown(str(name), known, inside=key)
        return {name: value[name] for name in value if name in known and value[name] is not None}

    def unknown(self, name: str, known: Collection[str], *, inside: str = "") -> None:
        """Record a key that nobody reads."""
        place = f' in "{inside}"' if inside else ""
        hint = did_you_mean(name, known) or f"use one of {', '.join(sorted(known))}"
        self.fault(
            f'unknown key "{name}"{place}',
            hint,
            f"{inside}.{name}" if f"{inside}.{name}" in self.lines else name,
        )

    def text(self, value: object, key: str) -> str:
        """Read text or a number as one line."""
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            return one_line(str(value))
        self.wrong(key, "text", value)
        return ""

    def texts(self, value: object, key: str) -> tuple[str, ...]:
        """Read one text or a list of them; empty ones are left out."""
        return tuple(text for item in self.items(value) if (text := self.text(item, key)))

    def address(self, value: object, key: str, *, site_url: str, href: str = "") -> str:
        """Read a URL as an absolute one, relative ones from `href`; `""` for what is no URL."""
        text = self.text(value, key)
        try:
            return absolute_address(text, site_url, href) if text else ""
        except ValueError:
            hint = 'write a path such as "/about", or an address that starts with https://'
            self.fault(f'"{key}" is not an address of the web: "{text}"', hint, key)
            return ""

    def language(self, code: object, key: str) -> str:
        """Read the tag of a translation: BCP 47, or `x-default`; `""` for what is none."""
        text = self.text(code, key)
        if text and text != "x-default" and not is_language_tag(text):
            self.fault(f'"{key}" holds "{text}", which is no language tag', language_hint(text), key)
            return ""
        return text

    def items(self, value: object) -> list[Any]:
        """The members of a list, or the value itself as the only one."""
        return list(value) if isinstance(value, (list, tuple)) else [value]

    def number(self, value: object, key: str) -> float | None:
        if isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value):
            return value
        self.wrong(key, "a finite number" if isinstance(value, float) else "a number", value)
        return None

    def flag(self, value: object, key: str) -> bool | None:
        if isinstance(value, bool):
            return value
        self.wrong(key, "true or false", value)
        return None

    def choice(self, value: object, key: str, allowed: Collection[str]) -> str:
        """Read one word of a fixed set."""
        text = self.text(value, key)
        if text and text not in allowed:
            hint = did_you_mean(text, allowed) or f"write one of {', '.join(sorted(allowed))}"
            self.fault(f'"{key}" cannot be "{text}"', hint, key)
            return ""
        return text

    def moment(self, value: object, key: str, zone: ZoneInfo) -> str:
        """Read a date or a moment; a date alone stays one: `2024-01-05`, `2024-01-05T10:00:00+00:00`."""
        if type(value) is date:
            return value.isoformat()
        read = parse_date(value, zone) if isinstance(value, (str, datetime)) else None
        if read is None:
            self.fault(f'"{key}" is not a date: {value!r}', "write a date such as 2024-01-05", key)
            return ""
        alone = isinstance(value, str) and len(value.strip()) == len("2024-01-05")
        return read.date().isoformat() if alone else read.isoformat(timespec="seconds")
