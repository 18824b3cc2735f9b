"""The host: a process beside a Dask worker that runs one program with the engine for processes.

Owns the frames on its standard streams. A Dask worker cannot have children of its own: under a nanny it is
daemonic, and a fork beside its threads is not safe. Knows no cluster; started by pybuild/engines/remote.py.
Frames are 8 bytes of length and a pickle. The first one in is the program, each later one a batch.
Source of truth: Python's documentation of `multiprocessing`, "daemonic processes", and of `os.fork`.
"""

from __future__ import annotations

import hashlib
import io
import os
import pickle
import queue
import struct
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any, BinaryIO

from pybuild.engines.base import Failed, Outcome
from pybuild.engines.bundle import unpack_folder
from pybuild.engines.child import die_with
from pybuild.engines.supervisor import ProcessEngine, open_processes
from pybuild.engines.tracebacks import described
from pybuild.objects import Objects

_LENGTH = struct.Struct("!Q")
_WRITERS = 16  # requests to the store at a time
_SEVERAL = 64  # batches that are run together, when so many wait

Private = Mapping[str, Any]
Places = Mapping[str, Path]


@dataclass(frozen=True, slots=True)
class Order:
    """What a host is sent first: which program to run, and how."""

    digest: str  # of the pickle
    private: Private
    jobs: int
    timeout: float  # seconds
    file: str = ""  # where the pickle lies, or
    store: str = ""  # the address of objects, among them the pickle
    bundle: str = ""  # the digest of the site in the store
    places: Places = field(default_factory=dict)  # on the machine of the command
    folder: Path = Path()  # where the same places lie here

    @property
    def here(self) -> Places:
        return {place: self.folder / place for place in self.places}

    def load(self) -> Any:
        """Fetch the program. It is code: no other bytes than those that were announced are ever loaded."""
        if not self.store:
            program = Path(self.file).read_bytes()
            _require(program, self.digest)
            return ProgramUnpickler(program, self.private, self.here).load()
        objects = Objects(self.store)
        program = objects.get(f"_programs/{self.digest}")
        site = objects.get(f"_bundles/{self.bundle}")
        _require(program, self.digest)
        _require(site, self.bundle)
        for folder in self.here.values():
            folder.mkdir(parents=True, exist_ok=True)
        unpack_folder(site, self.here["site"])
        return ProgramUnpickler(program, self.private, self.here).load()


def _require(body: bytes, digest: str) -> None:
    if hashlib.sha256(body).hexdigest() != digest:
        raise ValueError("the program is not the one that was announced")


class ProgramPickler(pickle.Pickler):
    """Pickles a program without its private parts, of which only the name is written, and with paths that can move."""

    def __init__(self, stream: BinaryIO, private: Private, places: Places) -> None:
        super().__init__(stream, pickle.HIGHEST_PROTOCOL)
        self._names = {id(part): name for name, part in private.items()}
        # The stage lies in the site: what is deeper comes first.
        self._places = sorted(places.items(), key=lambda item: -len(item[1].parts))

    def persistent_id(self, obj: object) -> tuple[str, str] | None:
        if self._places and isinstance(obj, Path):
            for place, base in self._places:
                if obj.is_relative_to(base):
                    return place, obj.relative_to(base).as_posix()
        name = self._names.get(id(obj))
        return None if name is None else ("", name)


class ProgramUnpickler(pickle.Unpickler):
    """Puts the private parts back that travelled by another way, and paths below the folders of this machine."""

    def __init__(self, program: bytes, private: Private, places: Places) -> None:
        super().__init__(io.BytesIO(program))
        self._private = private
        self._places = places

    def persistent_load(self, pid: tuple[str, str]) -> Any:
        place, name = pid
        return self._places[place] / name if place else self._private[name]


def write_frame(stream: IO[bytes], value: object) -> None:
    """Send one value. Raises `OSError` where nobody reads any more."""
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    stream.write(_LENGTH.pack(len(body)) + body)
    stream.flush()


def read_frame(stream: IO[bytes]) -> Any:
    """Return the next value. Raises `EOFError` at the end, also where it comes in the middle of a frame."""
    head = stream.read(_LENGTH.size)
    body = stream.read(_LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    if len(head) < _LENGTH.size or len(body) < _LENGTH.unpack(head)[0]:
        raise EOFError("the other side has closed its end")
    return pickle.loads(body)


def main() -> None:
    """Run batches until the worker closes its end, or dies."""
    die_with(int(sys.argv[1]))
    requests, answers = _take_streams()
    order: Order = read_frame(requests)
    try:
        loaded = order.load()
        outbox = Outbox(order) if order.store else None
    except Exception as error:
        write_frame(answers, described(error))
        return
    write_frame(answers, None)
    batches: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(requests, batches), daemon=True).start()
    with open_processes(loaded, jobs=order.jobs, timeout=order.timeout) as engine:
        while waiting := _waiting(batches):
            _answer(engine, waiting, answers, outbox)


class Outbox:
    """Sends what was staged here to the store, and speaks of this machine's folders as if they were the command's."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._stage = order.here.get("stage")
        self._objects = Objects(order.store)
        self._pool = ThreadPoolExecutor(_WRITERS)

    def send(self) -> None:
        """Write every staged file under its digest, where it is not, and remove it here. Raises `StoreFault`."""
        if self._stage is not None:
            files = (Path(folder, name) for folder, _, names in os.walk(self._stage) for name in names)
            list(self._pool.map(self._send, (file for file in files if not file.name.endswith(".part"))))

    def moved(self, outcome: Outcome) -> Outcome:
        """The same outcome with the paths of the command."""
        output = self._renamed(outcome.output)
        if not isinstance(outcome, Failed):
            return replace(outcome, output=output)
        frames = tuple(replace(frame, file=self._renamed(frame.file)) for frame in outcome.frames)
        return replace(outcome, output=output, detail=self._renamed(outcome.detail), frames=frames)

    def _send(self, file: Path) -> None:
        body = file.read_bytes()
        self._objects.create(f"_bodies/{hashlib.sha256(body).hexdigest()}", body)
        file.unlink()

    def _renamed(self, text: str) -> str:
        for place, folder in self._order.here.items():
            text = text.replace(str(folder), str(self._order.places[place]))
        return text


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep both pipes for frames: what anybody prints goes to standard error, what anybody reads is empty."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.dup2(2, 1)
    os.close(empty)
    return requests, answers


def _receive(requests: BinaryIO, batches: queue.SimpleQueue[Any]) -> None:
    try:
        while True:
            batches.put(read_frame(requests))
    except (EOFError, OSError):
        batches.put(None)


def _waiting(batches: queue.SimpleQueue[Any]) -> list[Any]:
    """Wait for a batch; return it with those behind it. None of them at the end."""
    waiting = [batches.get()]
    while waiting[-1] is not None and len(waiting) < _SEVERAL and not batches.empty():
        waiting.append(batches.get())
    return [] if waiting[-1] is None else waiting


def _answer(
    engine: ProcessEngine[Any, Any], waiting: list[Any], answers: BinaryIO, outbox: Outbox | None
) -> None:
    """Run several batches as one, and answer each as soon as it is complete."""
    before = engine.busy
    places = [(number, place) for number, (_, entries) in enumerate(waiting) for place in range(len(entries))]
    tasks = [task for _, entries in waiting for _, _, task in entries]
    timeouts = [timeout for _, entries in waiting for _, timeout, _ in entries]
    done: list[list[Outcome]] = [[] for _ in waiting]
    for outcome in engine.run([pickle.loads(task) for task in tasks], timeouts=timeouts):
        number, place = places[outcome.index]
        key, entries = waiting[number]
        moved = outbox.moved(outcome) if outbox else outcome
        done[number].append(replace(moved, index=entries[place][0]))
        if len(done[number]) == len(entries):
            if outbox:
                outbox.send()
            packed = pickle.dumps(done[number], pickle.HIGHEST_PROTOCOL)
            write_frame(answers, (key, packed, max(0.0, engine.busy - before)))
            done[number], before = [], engine.busy


if __name__ == "__main__":
    main()
