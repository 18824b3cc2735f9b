"""Answers on disk: one file an answer, one lock a key, a few places a host.

Owns the files and locks that the workers of an export share. Decides nothing about age. Every file is written
under another name and renamed, and read with its digest: a damaged one is none.
Source: flock(2): a lock ends with the process that holds it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

HOST_PLACES = 6  # requests to one host at a time, over all workers
_VERSION = 2
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


Came = Literal["kept", "unchanged", "sent"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it is kept."""

    url: str  # where redirects ended
    status: int
    headers: tuple[tuple[str, str], ...]  # sorted as they came; none that sets a cookie or frames the body
    body: bytes
    asked_at: float  # seconds since 1970 when the source last said so
    run: str  # the export that used it last: in that export it is the answer
    is_kept: bool = True  # False: for that export only
    age: float | None = (
        None  # seconds for which another export may use it unasked; infinite; None: it must ask
    )
    # The request: URL, headers, timeout, retries, greatest size.
    asked: tuple[str, tuple[tuple[str, str], ...], float, int, int] = ("", (), 0, 0, 0)
    failure: tuple[str, str, int] | None = None  # message, hint and status where there was no answer
    came: Came = "sent"  # in the export that used it last: kept, unchanged as the source said, or sent anew
    seconds: float = 0.0  # that the source took then

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Store:
    """A folder of answers."""

    def __init__(self, folder: Path) -> None:
        """Raises `OSError` where the folder, or that of the state around it, is a link."""
        self._folder = folder
        folder.mkdir(0o700, parents=True, exist_ok=True)
        for part in (folder.parent, folder):
            if part.is_symlink():
                raise OSError(errno.ELOOP, "a folder of the state is a link", str(part))

    def load(self, key: str) -> Kept | None:
        """The answer of a key; None where there is none, or none that is whole."""
        try:
            head, _, body = _read(self._folder / key).partition(b"\n")
            plain = json.loads(head)
            if plain.pop("version") != _VERSION or plain.pop("digest") != hashlib.sha256(body).hexdigest():
                return None
            url, sent, *limits = plain.pop("asked")
            failure = plain.pop("failure")
            headers = _pairs(plain.pop("headers"))
            return Kept(
                **plain,
                headers=headers,
                body=body,
                asked=(url, _pairs(sent), *limits),
                failure=tuple(failure) if failure else None,
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None

    def every(self) -> Iterator[Kept]:
        """All answers that are whole."""
        names = sorted(file.name for file in self._folder.iterdir() if "." not in file.name)
        return (kept for name in names if (kept := self.load(name)))

    def save(self, key: str, kept: Kept) -> None:
        """Keep an answer. A disk that takes none costs only the next request."""
        plain = asdict(kept) | {"version": _VERSION, "digest": kept.digest}
        del plain["body"]
        new = self._folder / f"{key}.{os.getpid()}"
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, _FRESH, 0o600), "wb") as stream:
                stream.write(json.dumps(plain).encode() + b"\n" + kept.body)
            new.replace(self._folder / key)

    @contextlib.contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold the only right to ask for a key."""
        with _held(self._folder / f"{key}.lock", fcntl.LOCK_EX):
            yield

    @contextlib.contextmanager
    def place_at(self, host: str) -> Iterator[None]:
        """Hold one of the places for requests to a host."""
        name = hashlib.sha256(host.encode()).hexdigest()[:16]
        with contextlib.ExitStack() as stack:
            for number in range(HOST_PLACES):
                with contextlib.suppress(BlockingIOError):
                    stack.enter_context(
                        _held(self._folder / f"host-{name}-{number}.lock", fcntl.LOCK_EX | fcntl.LOCK_NB)
                    )
                    break
            else:
                waiting = self._folder / f"host-{name}-{os.getpid() % HOST_PLACES}.lock"
                stack.enter_context(_held(waiting, fcntl.LOCK_EX))
            yield


def _pairs(plain: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in plain)


def _read(file: Path) -> bytes:
    """The bytes of a regular file; a link is none. Raises `OSError`."""
    with os.fdopen(os.open(file, _READ), "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(stream.fileno()).st_mode) else b""


@contextlib.contextmanager
def _held(file: Path, kind: int) -> Iterator[None]:
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, kind)
        yield
    finally:
        os.close(descriptor)
