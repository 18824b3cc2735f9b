"""Long tables in a fraction of their memory.

Owns how values are held that come by the hundred thousand: written as plain data, compressed in blocks, and read
again one by one when they are asked for. Up to `MANY` they are held as they are.
"""

from __future__ import annotations

import marshal
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any, TypeVar, overload

from pybuild.plain import Codec

T = TypeVar("T")
MANY = 20_000  # values; more are packed
_BLOCK = 32  # values that are compressed together
_RECENT = 4  # blocks a table keeps as they are


def _same(value: Any) -> Any:
    return value


PLAIN: Codec[Any] = Codec(_same, _same)  # for what is plain data already


class Table(Sequence[T]):
    """Values in the order in which they were added. None is changed or taken away."""

    def __init__(self, shape: Codec[T], values: Iterable[T] = ()) -> None:
        self.sorted_by = ""  # the field, where that is known
        self._shape = shape
        self._blocks: list[bytes | list[T]] = []  # as they are where they cannot be written
        self._open: list[T] = []  # the block that is being filled
        self._recent: dict[int, list[Any]] = {}  # blocks that were read last, as they were written
        self.extend(values)

    def append(self, value: T) -> None:
        self._open.append(value)
        self.sorted_by = ""
        if len(self._open) == _BLOCK:
            self._blocks.append(self._packed(self._open))
            self._open = []

    def extend(self, values: Iterable[T]) -> None:
        for value in values:
            self.append(value)

    def copy(self) -> Table[T]:
        """Another table of the same values."""
        made = Table(self._shape)
        made._blocks, made._open, made.sorted_by = self._blocks.copy(), self._open.copy(), self.sorted_by
        return made

    def ordered(self, field: str) -> Table[T]:
        """The same values sorted by a field; this table where they are."""
        if self.sorted_by == field:
            return self
        keys = [getattr(value, field) for value in self]
        order = sorted(range(len(keys)), key=keys.__getitem__)
        made = self if order == list(range(len(self))) else Table(self._shape, Selection(self, order))
        made.sorted_by = field
        return made

    def _packed(self, block: list[T]) -> bytes | list[T]:
        try:
            return pack([self._shape.write(value) for value in block])
        except ValueError:  # a text of a class of its own
            return block

    def _plain(self, number: int, block: bytes) -> list[Any]:
        """A packed block as it was written."""
        if number not in self._recent:
            if len(self._recent) == _RECENT:
                self._recent.clear()
            self._recent[number] = unpack(block)
        return self._recent[number]

    def __len__(self) -> int:
        return len(self._blocks) * _BLOCK + len(self._open)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        places = range(len(self))[index]
        if not isinstance(places, int):
            return Selection(self, places)
        number, within = divmod(places, _BLOCK)
        if number == len(self._blocks):
            return self._open[within]
        block = self._blocks[number]
        return (
            block[within] if isinstance(block, list) else self._shape.read(self._plain(number, block)[within])
        )

    def __iter__(self) -> Iterator[T]:
        for block in self._blocks:
            yield from block if isinstance(block, list) else map(self._shape.read, unpack(block))
        yield from self._open


class Selection(Sequence[T]):
    """Values of another sequence, by their places in it."""

    def __init__(self, values: Sequence[T], places: Sequence[int]) -> None:
        self._values = values
        self._places = places

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        places = self._places[index]
        return self._values[places] if isinstance(places, int) else Selection(self._values, places)

    def __len__(self) -> int:
        return len(self._places)


class Index(Mapping[str, T]):
    """Values by name, in the order in which they were added, or sorted."""

    def __init__(self, shape: Codec[T]) -> None:
        self._places: dict[str, int] = {}
        self._table = Table(shape)

    @classmethod
    def of(cls, values: Table[T], field: str) -> Index[T]:
        """The values by a field, sorted by it. Of two with one name the last counts."""
        made = cls.__new__(cls)
        names = [getattr(value, field) for value in values]
        made._places = {names[place]: place for place in sorted(range(len(names)), key=names.__getitem__)}
        made._table = values
        return made

    def __setitem__(self, name: str, value: T) -> None:
        """Add a value. Precondition: the name is not there."""
        self._places[name] = len(self._table)
        self._table.append(value)

    def __or__(self, other: Mapping[str, T]) -> Index[T]:
        """Both together; what both name is of the other."""
        made: Index[T] = Index.__new__(Index)
        made._places, made._table = self._places.copy(), self._table.copy()
        for name, value in other.items():
            made[name] = value
        return made

    def __getitem__(self, name: str) -> T:
        return self._table[self._places[name]]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


CompactList = list[T] | Table[T]
CompactDict = dict[str, T] | Index[T]


def table(shape: Codec[T], size: int) -> CompactList[T]:
    """An empty table for about `size` values."""
    return Table(shape) if size > MANY else []


def index(shape: Codec[T], size: int) -> CompactDict[T]:
    """An empty index for about `size` values."""
    return Index(shape) if size > MANY else {}


def indexed(values: Iterable[T], field: str) -> CompactDict[T]:
    """Values by a field, sorted by it. Of two with one name the last counts."""
    if isinstance(values, Table):
        return Index.of(values, field)
    return {getattr(value, field): value for value in ordered(values, field)}


def ordered(values: Iterable[T], field: str) -> Sequence[T]:
    """Values sorted by a field."""
    return values.ordered(field) if isinstance(values, Table) else sorted(values, key=attrgetter(field))


def pack(values: Any) -> bytes:
    """Write plain data in a fraction of its memory. Raises `ValueError` for what is not plain."""
    return zlib.compress(marshal.dumps(values), 1)


def unpack(block: bytes) -> Any:
    """Read what `pack` wrote in the same program."""
    return marshal.loads(zlib.decompress(block))
