"""The word that a wrong one may stand for, found without comparing it with each that is known.

Owns what of two words is nearly the same. Each look-up takes time by the length of what is asked for alone, so that no
finding costs more than what it is about. Knows no finding.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 80  # characters of a word that is looked for by its letters
_SHORTEST = 3  # of one that may have a wrong letter
_COMMON = 100  # words that have a part; a part of more says nothing


class Words:
    """Words to be found by what is nearly one of them."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = sorted(words)
        self._letters: dict[str, str] = {}
        self._near: dict[str, str] = {}
        self._parts: dict[str, list[str]] = {}
        for word in self._words:
            key = letters_of(word)
            self._letters.setdefault(key, word)
            for shorter in _shorter(key):
                self._near.setdefault(shorter, word)
            for part in set(_WORD.findall(word.casefold())):
                self._parts.setdefault(part, []).append(word)

    def nearest(self, word: str) -> str:
        """The word of the same letters, else of one letter more, less or other, else with most parts in common; or ""."""
        key = letters_of(word)
        if found := self._letters.get(key, "") if key else "":
            return found
        named = (self._near[shorter] for shorter in _shorter(key) if shorter in self._near)
        return next(named, "") or self._alike(word)

    def hint(self, word: str) -> str:
        """The sentence of a finding that names the nearest word; "" for none."""
        found = self.nearest(word)
        return f'did you mean "{found}"?' if found else ""

    def _alike(self, word: str) -> str:
        parts = set(_WORD.findall(word.casefold()))
        postings = (self._parts.get(part, ()) for part in sorted(parts))
        counts = Counter(found for some in postings if len(some) <= _COMMON for found in some)
        if not counts:
            return ""
        best, common = min(counts.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
        of_both = len(parts) + len(set(_WORD.findall(best.casefold())))
        return best if common > 1 and 2 * common >= 0.6 * of_both else ""


@lru_cache(maxsize=8)
def words_of(known: tuple[str, ...]) -> Words:
    """The same words, made ready once however often they are asked for."""
    return Words(known)


def letters_of(word: str) -> str:
    """A word without letter case and what is between its parts: `Set-up` → `setup`."""
    return "".join(_WORD.findall(word.casefold()))


def _shorter(key: str) -> list[str]:
    """A word and all that it is without one letter: two words of one mistake have one of them in common."""
    if not _SHORTEST <= len(key) <= _LONGEST:
        return []
    return [key, *(key[:at] + key[at + 1 :] for at in range(len(key)))]
