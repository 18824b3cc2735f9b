"""Lists: which documents the pages of a list show, in which order, and the terms they are sorted by.

Owns the order of a list, its pages, and tags and authors as terms with slugs. Pure; knows no template.
Source: docs/lists.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.markdown.heading_ids import slug
from pybuild.source.document import Entry
from pybuild.source.navigation import natural
from pybuild.urls import segment_fault

T = TypeVar("T")
_ADDRESS = re.compile(r"\s*<[^<>]*>\s*$")  # of "Jo Reuel <jo@example.com>"


@dataclass(frozen=True, slots=True)
class Pagination(Generic[T]):
    """One page of a list."""

    number: int  # from 1
    items: Sequence[T]
    prev: int | None  # number of the page before
    next: int | None
    total: int  # pages


def paginate(items: Iterable[T], per_page: int) -> list[Pagination[T]]:
    """Cut items into pages; no items make one empty page. Raises `ValueError` where `per_page` is below 1."""
    if per_page < 1:
        raise ValueError(f"per_page must be at least 1, not {per_page}")
    every = list(items)
    total = max(1, -(-len(every) // per_page))
    return [
        Pagination(
            number,
            every[(number - 1) * per_page : number * per_page],
            number - 1 if number > 1 else None,
            number + 1 if number < total else None,
            total,
        )
        for number in range(1, total + 1)
    ]


def linked_numbers(number: int, total: int) -> list[int]:
    """The pages that one of them links to: first, last, neighbours and every tenth; in long lists those of its ten.

    `linked_numbers(15, 30)` → `[1, 10, 11, …, 19, 20, 30]`.
    """
    step = 10 if total <= 1000 else 100
    wanted = {1, total, number - 1, number, number + 1, *range(step, total, step)}
    start = number - number % 10
    if total > 20:
        wanted |= set(range(start, start + 10))
    if step == 100:
        wanted |= set(range(number - number % 100, number - number % 100 + 100, 10))
    return sorted(n for n in wanted if 1 <= n <= total)


@dataclass(frozen=True, slots=True)
class Term:
    """A tag or an author with the documents that name it."""

    name: str  # as the first document spells it
    slug: str
    entries: tuple[int, ...]  # in the order of the list


def list_order(entries: Sequence[Entry], collection: Collection) -> list[int]:
    """The documents of a list, sorted; that of the collection's own address is above the list, not in it."""
    sort = collection.sort or ("-date" if collection.list else "path")
    numbers = [number for number, entry in enumerate(entries) if entry.slug and not entry.is_fallback]
    name = sort.removeprefix("-")
    if name == "path":
        return numbers[::-1] if sort.startswith("-") else numbers
    found = {number: _sort_value(entries[number], name) for number in numbers}
    known = [number for number in numbers if found[number] is not None]
    ordered = sorted(known, key=lambda number: _comparable(found[number]), reverse=sort.startswith("-"))
    return [*ordered, *(number for number in numbers if found[number] is None)]


def _sort_value(entry: Entry, name: str) -> object:
    if name in ("date", "updated", "title"):
        return getattr(entry, name) or None
    return entry.meta.get(name)


def _comparable(value: object) -> tuple[Any, ...]:
    if isinstance(value, datetime):
        return (1, value)
    if isinstance(value, int | float):
        return (0, value)
    return (2, natural(str(value)))


def terms_of(entry: Entry, kind: str) -> tuple[str, ...]:
    """The tags or the authors of a document."""
    if kind == "tags":
        return entry.tags
    names = (_ADDRESS.sub("", text).strip() for text in people_of(entry.meta))
    return tuple(dict.fromkeys(name for name in names if name))


def people_of(meta: Mapping[str, Any]) -> tuple[str, ...]:
    """What front matter says of its authors: names, or names with an address of mail."""
    given = meta.get("authors", meta.get("author"))
    listed = given if isinstance(given, list) else [given]
    said = (name.get("name") if isinstance(name, Mapping) else name for name in listed)
    texts = (str(name).strip() for name in said if name)
    return tuple(dict.fromkeys(text for text in texts if text))


def read_terms(
    entries: Sequence[Entry], collection: Collection, kind: str
) -> tuple[tuple[Term, ...], tuple[Diagnostic, ...]]:
    """The terms of a collection, sorted by name. Findings: `front-matter-error` for slugs that collide or are none."""
    names: dict[str, str] = {}
    held: dict[str, list[int]] = {}
    for number, entry in enumerate(entries):
        for name in terms_of(entry, kind) if not entry.is_fallback else ():
            names.setdefault(name.casefold(), name)
            held.setdefault(name.casefold(), []).append(number)
    ranks = {number: rank for rank, number in enumerate(list_order(entries, collection))}
    slugs = {name.casefold(): given for name, given in collection.tag_slugs.items()}
    terms: dict[str, Term] = {}
    findings: list[Diagnostic] = []
    for key in sorted(names, key=lambda key: (natural(names[key]), names[key])):
        numbers = sorted((n for n in held[key] if n in ranks), key=ranks.__getitem__)
        term = Term(names[key], slugs.get(key) or slug(names[key]), tuple(numbers))
        if fault := _slug_fault(term, terms.get(term.slug), entries, held, key, kind):
            findings.append(fault)
        elif numbers:
            terms[term.slug] = term
    return tuple(terms.values()), tuple(findings)


_TAKEN = {
    "index": "hosts serve its file for the folder around it",
    "page": "it is the word for further pages",
}


def _slug_fault(
    term: Term,
    other: Term | None,
    entries: Sequence[Entry],
    held: Mapping[str, list[int]],
    key: str,
    kind: str,
) -> Diagnostic | None:
    fault = segment_fault(term.slug) or _TAKEN.get(term.slug)
    if not other and not fault:
        return None
    entry = entries[held[key][0]]
    location = _line_of(entry, kind)
    word = {"tags": "tag", "authors": "author"}[kind]
    hint = f'write tag_slugs = {{ "{term.name}" = "…" }} below [collections.{entry.collection}]'
    if not other:
        message = f'the {word} "{term.name}" has no slug: "{term.slug}" cannot be part of a URL, {fault}'
        return Diagnostic("front-matter-error", message, location, hint)
    message = f'the {word} "{term.name}" and the {word} "{other.name}" have one slug, "{term.slug}"'
    first = Note("the other one", _line_of(entries[held[other.name.casefold()][0]], kind))
    return Diagnostic("front-matter-error", message, location, hint, (first,))


def _line_of(entry: Entry, kind: str) -> Location:
    keys = ("tags",) if kind == "tags" else ("authors", "author")
    line = next((entry.lines[key] for key in keys if key in entry.lines), None)
    return Location(entry.file, line)


class Tagged:
    """The documents of a collection by their tags.

    Those of a tag are the bits of one number, the newest lowest, so that finding the nearest of a document costs
    little where thousands share a tag.
    """

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        numbers = [n for n, entry in enumerate(entries) if entry.tags and not entry.is_fallback]
        self._ranked = sorted(numbers, key=self._rank)
        self._held: dict[str, list[int]] = {}
        for rank, number in enumerate(self._ranked):
            for tag in _keys_of(entries[number]):
                self._held.setdefault(tag, []).append(rank)
        self._bits = lru_cache(maxsize=256)(self._bits_of)

    def _rank(self, number: int) -> tuple[float, str]:
        entry = self._entries[number]
        return -entry.date.timestamp() if entry.date else 0.0, entry.slug

    def _bits_of(self, tag: str) -> int:
        bits = bytearray(len(self._ranked) // 8 + 1)
        for rank in self._held.get(tag, ()):
            bits[rank // 8] |= 1 << rank % 8
        return int.from_bytes(bits, "little")

    def related(self, number: int, limit: int = 3) -> list[int]:
        """The documents that share the most tags with one, newest first among equals."""
        sharing: list[int] = []  # at least one tag, at least two, …
        for tag in _keys_of(self._entries[number]):
            more = self._bits(tag)
            for place, bits in enumerate(sharing):
                sharing[place], more = bits | more, bits & more
            sharing.append(more)
        found: list[int] = []
        seen = 0
        for bits in reversed(sharing):
            left = bits & ~seen
            while left and len(found) < limit:
                first = left & -left
                seen, left = seen | first, left ^ first
                other = self._ranked[first.bit_length() - 1]
                found += [other] if other != number else []
        return found


def _keys_of(entry: Entry) -> Iterable[str]:
    return dict.fromkeys(tag.casefold() for tag in entry.tags)


def newest(collections: Mapping[str, Sequence[Entry]], limit: int) -> list[tuple[str, int]]:
    """The newest dated documents of all collections: the collection and the index of each."""
    dated: Iterator[tuple[datetime, str, int]] = (
        (entry.date, name, number)
        for name, entries in collections.items()
        for number, entry in enumerate(entries)
        if entry.date and not entry.is_fallback
    )
    ordered = sorted(dated, key=lambda item: (-item[0].timestamp(), item[1], item[2]))
    return [(name, number) for _, name, number in ordered[:limit]]
