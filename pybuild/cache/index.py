"""The index: one SQLite file of checked rows, JSON values by their names, in several sets.

Owns the file and its distrust. SQLite does not see a flipped byte in a row, so each row carries a check over its
set, the header of the set, its name and its value, and is read through it; a row whose check fails is not there.
What is damaged, foreign, older or being written by another counts as absent. Nothing in it is run: its schema must be
the one below, word for word. It is a rollback journal (`DELETE`, as network disks have no WAL) that is not synced: a
killed export leaves the rows of the last, and after a power cut the checks show what was lost. Knows no page.
Sources: sqlite.org, "PRAGMA Statements" and "Defense Against The Dark Arts"; RFC 8259 for JSON.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pybuild.publish.state import make_folders, open_file

SCHEMA = (
    "CREATE TABLE sets (number INTEGER PRIMARY KEY, name BLOB NOT NULL UNIQUE, header BLOB NOT NULL)",
    "CREATE TABLE rows (number INTEGER NOT NULL, name BLOB NOT NULL, value BLOB NOT NULL, sum BLOB NOT NULL)",
    "CREATE UNIQUE INDEX rows_by_name ON rows (number, name)",
)
FOREIGN = (ValueError, TypeError, LookupError, AttributeError)  # what reading a foreign value may raise
_AHEAD = 128  # rows that are read together where names are asked for in their order
_RETRY = 16  # reads of one row, after which it is seen whether names come in their order again
_WAIT = 5.0  # seconds for another that reads, before writing is given up
_decode: Callable[[str, int], tuple[Any, int]] = vars(json.JSONDecoder())["scan_once"]
_encode = json.JSONEncoder(separators=(",", ":")).encode
_UPSERT = (
    "INSERT INTO rows VALUES (?, ?, ?, ?)"
    " ON CONFLICT (number, name) DO UPDATE SET value = excluded.value, sum = excluded.sum"
)
_FROM = "SELECT name, value, sum FROM rows WHERE number = ? AND name >= ? ORDER BY name LIMIT ?"


@dataclass(slots=True)
class _Run:
    """Names that are asked for one after the other."""

    ahead: dict[bytes, tuple[bytes, bytes]] = field(default_factory=dict)  # read and not yet asked for
    hits: int = 0  # of them that were asked for
    reads: int = 0


class RowSet:
    """The rows of one set, as long as its header is the same."""

    def __init__(self, file: Path, name: str, header: Any) -> None:
        """Nothing is read yet. Rows that were written for another header are not there."""
        self._file = file
        self._name = name.encode()
        self._header = hashlib.sha256(_encode(header).encode()).digest()
        self._database: sqlite3.Connection | None = None
        self._number = 0  # in the file; 0 where it has none
        self._is_open = False
        self._runs: dict[bytes, _Run] = {}  # by the first byte of the names
        self._added: set[bytes] = set()  # names that were written

    def again(self) -> RowSet:
        """The same set, to be opened in another process."""
        made = RowSet.__new__(RowSet)
        made._file, made._name, made._header, made._database = self._file, self._name, self._header, None
        made.close()
        return made

    def get(self, name: str) -> Any:
        """The value of that name; None where there is none that can be trusted. Raises nothing."""
        if not self.is_there:
            return None
        try:
            value, found = self._row(name.encode("utf-8", "surrogateescape"))
            return _decode(value.decode("ascii"), 0)[0] if found else None
        except (sqlite3.Error, StopIteration, ValueError, TypeError, AttributeError, RecursionError):
            return None

    @property
    def is_there(self) -> bool:
        """Whether there is a set with this header, which may hold rows; opens the file."""
        if not self._is_open:
            self._is_open = True
            with contextlib.suppress(OSError, sqlite3.Error):
                os.close(open_file(self._file))
                self._database = _connect(self._file, wait=0)
                self._number = self._number_in(self._database)
        return self._database is not None and bool(self._number)

    def _row(self, name: bytes) -> tuple[bytes, bool]:
        """A row, and whether its check holds. Names in order are read ahead, others one by one."""
        assert self._database is not None, "a row is read from an open file"
        run = self._runs.setdefault(name[:1], _Run())
        if name in run.ahead:
            run.hits += 1
        else:
            many = _AHEAD if run.hits or run.reads % _RETRY == 0 else 1
            found = self._database.execute(_FROM, (self._number, name, many))
            run.ahead = {key: (value, check) for key, value, check in found}
            run.hits, run.reads = 0, run.reads + 1
        if name not in run.ahead:
            return b"", False
        value, check = run.ahead.pop(name)
        return value, check == self._check(name, value)

    def _check(self, name: bytes, value: bytes) -> bytes:
        text = b"%b\0%b\0%b" % (self._name, name, value)
        return hashlib.blake2b(text, key=self._header, digest_size=8).digest()

    def _number_in(self, database: sqlite3.Connection) -> int:
        row = database.execute("SELECT number, header FROM sets WHERE name = ?", (self._name,)).fetchone()
        return int(row[0]) if row and row[1] == self._header else 0

    def write(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Make the set these rows; `keep` or `drop` decide about it. A value of None leaves a row as it is.

        Raises `OSError`. Precondition: the site is locked.
        """
        self.begin()
        self.add(rows)
        self.remove_others()

    def update(self, rows: Iterable[tuple[str, Any]]) -> None:
        """As `write`, but rows that are not named stay."""
        self.begin()
        self.add(rows)

    def begin(self) -> None:
        """Open the file to `add` rows. Raises `OSError`. Precondition: the site is locked."""
        self.close()
        with _as_os_error(self._file):
            self._database = _writable(self._file)
            self._is_open = True
            self._database.execute("BEGIN IMMEDIATE")
            self._number = self._number_in(self._database) or self._renewed(self._database)

    def add(self, rows: Iterable[tuple[str, Any]]) -> None:
        """Write rows, as `write`. Raises `OSError`; nothing is written then, now and later. Precondition: `begin`."""

        def written() -> Iterator[tuple[int, bytes, bytes, bytes]]:
            for name, value in rows:
                key = name.encode("utf-8", "surrogateescape")
                self._added.add(key)
                if value is not None:
                    text = _encode(value).encode("ascii")
                    yield self._number, key, text, self._check(key, text)

        if not self.is_writing:
            raise OSError("the index was given up")
        assert self._database is not None, "what is written to is open"
        try:
            with _as_os_error(self._file):
                self._database.executemany(_UPSERT, written())
        except OSError:
            self.close()  # else what follows would be kept row by row
            raise

    def remove_others(self) -> None:
        """Remove the rows of the set that were not added since `begin`. Raises `OSError`."""
        assert self._database is not None, "what is written to is open"
        with _as_os_error(self._file):
            number = (self._number,)
            (count,) = self._database.execute("SELECT count(*) FROM rows WHERE number = ?", number).fetchone()
            if count > len(self._added):
                found = self._database.execute("SELECT name FROM rows WHERE number = ?", number).fetchall()
                gone = ((self._number, name) for (name,) in found if name not in self._added)
                self._database.executemany("DELETE FROM rows WHERE number = ? AND name = ?", gone)

    @property
    def is_writing(self) -> bool:
        """Whether rows can be added: `begin` was called, and nothing failed since."""
        return self._database is not None and self._database.in_transaction

    def _renewed(self, database: sqlite3.Connection) -> int:
        """The number of the set, which has no rows any more."""
        old = database.execute("SELECT number FROM sets WHERE name = ?", (self._name,)).fetchone()
        if old:
            database.execute("DELETE FROM rows WHERE number = ?", old)
            database.execute("DELETE FROM sets WHERE number = ?", old)
        made = database.execute("INSERT INTO sets (name, header) VALUES (?, ?)", (self._name, self._header))
        number = made.lastrowid
        assert number is not None, "an insertion has a number"
        database.execute("DELETE FROM rows WHERE number = ?", (number,))  # of nobody
        return number

    def keep(self) -> None:
        """Let the written rows count; nothing where none were written. Raises `OSError`."""
        if self._database is not None and self.is_writing:
            with _as_os_error(self._file):
                self._database.execute("COMMIT")
        self.close()

    def drop(self) -> None:
        """Leave the set as it was before `write`. Raises nothing."""
        self.close()

    def close(self) -> None:
        """Let go of the file, and of what was written and not kept. A fork must not share an open one."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error):
                self._database.close()  # rolls back
        self._database, self._is_open, self._number = None, False, 0
        self._runs, self._added = {}, set()


def _connect(file: Path, *, wait: float = _WAIT, empty: bool = False) -> sqlite3.Connection:
    """Open the file as it is, which may be `empty`. Raises `sqlite3.Error`, also where its schema is another one."""
    place = file.absolute().as_uri()
    database = sqlite3.connect(f"{place}?mode=rw", uri=True, timeout=wait, isolation_level=None)
    try:
        database.execute("PRAGMA trusted_schema = OFF")
        database.execute("PRAGMA synchronous = OFF")
        found = database.execute(
            "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid"
        ).fetchall()
        if tuple(sql for (sql,) in found) not in ((SCHEMA, ()) if empty else (SCHEMA,)):
            raise sqlite3.DatabaseError("another schema")
    except BaseException:
        database.close()
        raise
    return database


def _writable(file: Path) -> sqlite3.Connection:
    """Open the file for writing; one that is damaged, foreign or absent is made anew. Raises `OSError`, `sqlite3.Error`."""
    make_folders(file.parent)
    try:
        os.close(open_file(file, os.O_RDWR | os.O_CREAT))
        database = _connect(file, empty=True)
    except (sqlite3.DatabaseError, OSError) as fault:
        if isinstance(fault, sqlite3.OperationalError):
            raise
        _remove(file)
        os.close(open_file(file, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        database = _connect(file, empty=True)
    database.execute("PRAGMA journal_mode = DELETE")
    if database.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,):
        for statement in SCHEMA:
            database.execute(statement)
    return database


def _remove(file: Path) -> None:
    for name in ("", "-journal", "-wal", "-shm"):
        file.with_name(file.name + name).unlink(missing_ok=True)


@contextlib.contextmanager
def _as_os_error(file: Path) -> Iterator[None]:
    """Turn what SQLite says into an `OSError`. A damaged file is removed: the next export makes it anew."""
    try:
        yield
    except sqlite3.Error as fault:
        if isinstance(fault, sqlite3.DatabaseError) and not isinstance(fault, sqlite3.OperationalError):
            _remove(file)
        raise OSError(f"the index cannot be written: {fault}") from fault
