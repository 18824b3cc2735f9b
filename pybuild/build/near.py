"""The address that a wrong one may stand for, found without comparing it with each that is known.

Owns what counts as the same but for its spelling. Each look-up takes time by the length of what is asked for alone, so
that no finding costs more than the page it is about. Knows no finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable
from functools import cached_property
from urllib.parse import unquote

from pybuild.near_words import Words, letters_of
from pybuild.urls import nfc

_SUFFIX = re.compile(r"(?:\.(?:md|markdown|html?))+$")
_INDEX = re.compile(r"/(?:index|readme)$")
_LONG = 6  # characters of a name that is also looked for in other folders
_MANY = 2000  # pages of a site, or of a folder, beyond which no wrong letters are looked for


class Addresses:
    """The pages and files of a site, to be found by an address that leads nowhere."""

    def __init__(self, pages: Collection[str], paths: Collection[str]) -> None:
        """`pages` are decoded URLs, `paths` all output files. Nothing is read before it is asked for."""
        self._pages, self._paths = pages, paths
        self._in_folder: dict[str, Words] = {}

    @cached_property
    def _folded(self) -> dict[str, str]:
        """Pages, then other files, by their address without what authors spell in several ways."""
        found: dict[str, str] = {}
        for url in sorted(self._pages):
            found.setdefault(_folded(url), url)
        for path in sorted(self._paths):
            found.setdefault(_folded("/" + path), "/" + path)
        return found

    @cached_property
    def _tops(self) -> frozenset[str]:
        """The first segments of all addresses."""
        return frozenset(url.strip("/").partition("/")[0] for url in (*self._pages, *self._paths))

    @cached_property
    def _by_letters(self) -> dict[Hashable, list[str]]:
        return self._grouped(_segments)

    @cached_property
    def _by_name(self) -> dict[Hashable, list[str]]:
        return self._grouped(lambda url: _folded(url).rpartition("/")[2])

    @cached_property
    def _by_end(self) -> dict[str, str]:
        """Pages by what their addresses end with, from two segments on; "" where several pages end so."""
        found: dict[str, str] = {}
        for url in sorted(self._pages):
            for end in _ends(_folded(url)):
                found[end] = "" if end in found else url
        return found

    @cached_property
    def _by_folder(self) -> dict[Hashable, list[str]]:
        return self._grouped(lambda url: _folded(url).rpartition("/")[0])

    def _grouped(self, key: Callable[[str], Hashable]) -> dict[Hashable, list[str]]:
        found: dict[Hashable, list[str]] = {}
        for url in sorted(self._pages):
            found.setdefault(key(url), []).append(url)
        return found

    def same(self, target: str) -> str:
        """The page or file that a decoded address names in another spelling, or ""."""
        return self._folded.get(_folded(target), "")

    def has_below(self, folder: str) -> bool:
        """Whether anything of the site answers below the first segment of addresses: `/docs/`."""
        return folder.strip("/") in self._tops

    def nearest(self, target: str) -> str:
        """The page or file that a decoded address may have meant, or ""."""
        asked = _folded(target)
        if found := self._folded.get(asked):
            return found
        if len(same := self._by_letters.get(_segments(asked), [])) == 1:
            return same[0]
        end = next((end for end in _ends(asked) if end in self._by_end), "")
        if found := self._by_end.get(end, ""):
            return found
        folder, _, name = asked.rpartition("/")
        known = self._by_name.get(name, [])
        beside = [url for url in known if _folded(url).rpartition("/")[0] == folder] or known
        if not name or known:
            return beside[0] if len(beside) == 1 and name else ""
        # the page of the same folder, else of a small site, whose name has a wrong letter
        alike = self._alike(folder, self._by_folder.get(folder, ()), name)
        return alike or (self._alike("*", self._pages, name) if len(name) >= _LONG else "")

    def _alike(self, key: str, urls: Collection[str], name: str) -> str:
        if key not in self._in_folder:
            names = {_folded(url).rpartition("/")[2] for url in urls} if len(urls) <= _MANY else set[str]()
            self._in_folder[key] = Words(names - {""})
        found = self._in_folder[key].nearest(name)
        named = [url for url in urls if _folded(url).rpartition("/")[2] == found] if found else []
        return named[0] if len(named) == 1 else ""


def _folded(url: str) -> str:
    """An address without its spelling: `/Docs/A%20b.html`, `/docs/a b/index.md` and `/docs/a b/` → `/docs/a b`."""
    plain = nfc(unquote(url)).casefold().rstrip("/")
    return _INDEX.sub("", _SUFFIX.sub("", plain))


def _ends(url: str) -> list[str]:
    """What an address ends with, the longest first: `/a/b/c` → `/a/b/c`, `/b/c`."""
    parts = url.split("/")[1:]
    return ["/" + "/".join(parts[at:]) for at in range(len(parts) - 1)]


def _segments(url: str) -> str:
    """The letters of each segment: `/docs/about_it` → `/docs/aboutit`."""
    return "/".join(map(letters_of, _folded(url).split("/")))
