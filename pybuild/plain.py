"""Nouns as plain data: the values of their fields in order, for `marshal` and `json` alike.

Owns how each kind of field is written and read, by its annotation. What `json` makes of tuples is read as tuples again.
Knows no noun. Reading what was not written so raises `ValueError`, `TypeError` or `AttributeError`.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_Function = Callable[[Any], Any]
_SHAPES: dict[Any, _Shape] = {}


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """How a value is written as plain data, and read again. Both functions can be pickled."""

    write: Callable[[T], Any]
    read: Callable[[Any], T]


def codec_of(noun: type[T]) -> Codec[T]:
    """The codec of a dataclass of two fields or more, made of texts, numbers, moments, paths, mappings of plain data, other
    dataclasses, and tuples of these."""
    shape: _Shape = _shape(noun)
    return Codec(shape.write, shape.read)


class _Shape:
    """The fields of a noun that are not plain themselves."""

    def __init__(self, noun: Any) -> None:
        self._noun = noun
        self._values = attrgetter(*noun.__match_args__)

    def read_kinds(self) -> None:
        """Learn how each field is written and read. Raises `TypeError` for a kind that is not known."""
        kinds = typing.get_type_hints(self._noun)
        functions = [_functions(kinds[name]) for name in self._noun.__match_args__]
        self._writers = [(place, write) for place, (write, _) in enumerate(functions) if write]
        self._readers = [(place, read) for place, (_, read) in enumerate(functions) if read]

    def __reduce__(self) -> Any:
        return _shape, (self._noun,)

    def write(self, value: Any) -> Any:
        if not self._writers:
            return self._values(value)
        values = list(self._values(value))
        for place, write in self._writers:
            values[place] = write(values[place])
        return values

    def read(self, values: Any) -> Any:
        if self._readers:
            values = list(values)
            for place, read in self._readers:
                values[place] = read(values[place])
        return self._noun(*values)


def _shape(noun: Any) -> _Shape:
    if noun not in _SHAPES:
        _SHAPES[noun] = shape = _Shape(
            noun
        )  # before its fields are looked at: a noun may hold others of its kind
        try:
            shape.read_kinds()
        except TypeError:
            del _SHAPES[noun]
            raise
    return _SHAPES[noun]


def _functions(kind: Any) -> tuple[_Function | None, _Function | None]:
    """What writes and reads values of a kind; None where they are plain data as they are."""
    if dataclasses.is_dataclass(kind):
        shape = _shape(kind)
        return shape.write, shape.read
    if kind in _KINDS:
        return _KINDS[kind]
    inner = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        write, read = _functions(next(one for one in inner if one is not type(None)))
        return write and _unless_none(write), read and _unless_none(read)
    if typing.get_origin(kind) is not tuple:
        return None, None
    if inner[-1] is not Ellipsis and any(_functions(one) != (None, None) for one in inner):
        raise TypeError(f"{kind} is neither a tuple of one kind nor one of plain data")
    write, read = _functions(inner[0])
    return write and (lambda values: [*map(write, values)]), lambda values: tuple(
        map(read, values) if read else values
    )


def _unless_none(function: _Function) -> _Function:
    return lambda value: value if value is None else function(value)


@lru_cache(maxsize=1024)
def shared_numbers(items: tuple[tuple[str, int], ...]) -> Mapping[str, int]:
    """Numbers by name; equal ones are one object, since those of most nouns are equal."""
    return dict(items)


def _read_numbers(items: Iterable[Iterable[Any]]) -> Mapping[str, int]:
    return shared_numbers(tuple(map(tuple, items)))


_KINDS: Mapping[Any, tuple[_Function, _Function]] = {
    bytes: (bytes.hex, bytes.fromhex),
    datetime: (datetime.isoformat, datetime.fromisoformat),
    Path: (Path.as_posix, lru_cache(maxsize=4096)(Path)),
    Mapping[str, int]: (lambda numbers: tuple(numbers.items()), _read_numbers),
}
