"""The stage: where a new site is written before anyone can see it.

Owns the staging folder, what goes into it and its removal. Knows no route and never writes to the output.
A file that is already published with the same bytes is not written again; `commit` links it.

A stage is a folder of its own name below a container, because the output itself takes its place in the swap.
The container lies where a rename into the output works: in the state folder, beside the output, or in it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

import pybuild.publish.state as state
from pybuild.diagnostics import Diagnostic
from pybuild.publish.listing import Listing, Stamp, list_tree, parents_of
from pybuild.publish.manifest import FILE_MODE, FOLDER_MODE, Output, PublishedState, is_inside
from pybuild.publish.os_errors import publish_error
from pybuild.publish.syscalls import mount_of
from pybuild.records import File

_WAITS = (0.1, 0.4, 1.5)  # seconds
_INNER_NAME = ".pybuild-stage"  # of a container inside the output
MARKER = "made-by-pybuild"
_TREE = "tree-"
_IS_TREE = re.compile(_TREE + "[0-9a-f]{8}").fullmatch
_CHUNK = 1 << 20  # bytes; files up to this size are read at once
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stage:
    """Where workers write. Paths are POSIX, relative to the output; the last write of a path wins.

    It pickles with the rows of the last publication: share it with workers by fork, or send it once a worker.
    """

    output: Output
    tree: Path
    previous: PublishedState  # the last publication
    compare: bool = False  # whether published files are compared by their bytes, whatever their stamps say
    # Stamps of published files whose bytes were compared; folders known to be in `tree`.
    _compared: dict[str, Stamp] = field(default_factory=dict, compare=False, repr=False)
    _made: set[str] = field(default_factory=set, compare=False, repr=False)

    def write(self, path: str, body: bytes) -> tuple[str, int]:
        """Stage one file; return its sha256 and size in bytes. Raises `OSError`; see `publish_error`."""
        digest = hashlib.sha256(body).hexdigest()
        if not self.keep(path, digest):
            with self._create(path) as descriptor:
                left = memoryview(body)
                while left:
                    left = left[os.write(descriptor, left) :]
        return digest, len(body)

    def copy(self, path: str, source: Path) -> tuple[str, int]:
        """Stage the bytes of `source`; return their sha256 and size. Its mode, time and owner stay behind."""
        with source.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size <= _CHUNK:
                return self.write(path, stream.read())
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if self.keep(path, digest):
                return digest, self.previous.rows[path].size
            stream.seek(0)
            with self._create(path) as descriptor, os.fdopen(descriptor, "wb", closefd=False) as copied:
                copied.writelines(iter(lambda: stream.read(_CHUNK), b""))
        # read back: the source may have changed between reading and copying
        with (self.tree / path).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size

    def keep(self, path: str, digest: str) -> bool:
        """Whether the published file has these bytes; then nothing is to be staged."""
        if not self.holds(path, digest):
            return False
        if os.path.lexists(f"{self.tree}/{path}"):
            # An earlier write of the same path in this export; another writer may be removing it too.
            (self.tree / path).unlink(missing_ok=True)
        return True

    def holds(self, path: str, digest: str) -> bool:
        """Whether the output has this file with these bytes, as it was published. Changes nothing.

        A stamp that is the one of the last publication says so; with another one the bytes do.
        """
        file = self.previous.rows.get(path)
        if file is None or file.digest != digest:
            return False
        try:
            stamp = Stamp.of(os.lstat(f"{self.output.out}/{path}"))
        except OSError:
            return False
        return self.is_sound(file, stamp, trust=not self.compare)

    def is_sound(self, file: File, stamp: Stamp, *, trust: bool = True) -> bool:
        """Whether a file of the output, which the disk stamps so, has the bytes of its row."""
        if stamp.st_mode != stat.S_IFREG | FILE_MODE or stamp.st_size != file.size:
            return False
        if self._compared.get(file.path) == stamp or (trust and self.previous.stamps.get(file.path) == stamp):
            return True
        found = _published(f"{self.output.out}/{file.path}")
        if found != (file.digest, stamp):
            return False
        self._compared[file.path] = stamp
        return True

    @property
    def was_read(self) -> bool:
        """Whether published files were compared by their bytes in this process."""
        return bool(self._compared)

    def look(self, path: str) -> os.stat_result:
        """What the disk says of a staged file. Raises `OSError`."""
        return os.lstat(f"{self.tree}/{path}")

    @contextlib.contextmanager
    def _create(self, path: str) -> Iterator[int]:
        """Open a new file for writing and give it the name `path` once it is whole.

        An existing file is never opened: it could be a link to a published one. Nor is it removed before it is
        replaced: two writers of one path, on two machines, each leave a whole file there.
        """
        if not is_inside(path):
            raise ValueError(f"an output path must stay in the output: {path!r}")
        file = f"{self.tree}/{path}"
        folder = path.rpartition("/")[0]
        part = f"{self.tree}/{folder}/.{os.urandom(8).hex()}.part"
        try:
            if folder and folder not in self._made:
                make_folders(self.tree, parents_of([f"{folder}/"]) - self._made)
                self._made.add(folder)
            descriptor = os.open(part, _FRESH, FILE_MODE)
            with contextlib.suppress(PermissionError):  # a file system without permissions
                os.fchmod(descriptor, FILE_MODE)
            try:
                yield descriptor
            finally:
                os.close(descriptor)
            os.replace(part, file)  # noqa: PTH105 - the paths of a site are many
        except OSError as fault:
            with contextlib.suppress(OSError):
                os.unlink(part)  # noqa: PTH108
            if fault.filename in (None, part):  # a failed write does not say where
                fault.filename = file
            raise


def _published(file: str) -> tuple[str, Stamp] | None:
    """The digest of a file of the output, and its stamp; None where it is none or changes meanwhile."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as stream:
            before = os.fstat(descriptor)
            digest = hashlib.file_digest(stream, "sha256").hexdigest() if stat.S_ISREG(before.st_mode) else ""
            return (digest, Stamp.of(before)) if Stamp.of(os.fstat(descriptor)) == Stamp.of(before) else None
    except OSError:
        return None


def make_folders(base: Path, folders: Iterable[str]) -> None:
    """Make folders below `base`, all of them named. A symlink or a file in the way is an error."""
    for folder in sorted(folders):
        made = base / folder
        try:
            made.mkdir(FOLDER_MODE)
        except FileExistsError:
            if not stat.S_ISDIR(os.lstat(made).st_mode):
                raise
        else:
            open_to_all(made)


def open_to_all(folder: Path) -> None:
    """Let a web server read a folder that we made, whatever the umask."""
    with contextlib.suppress(PermissionError):  # a file system without permissions
        folder.chmod(FOLDER_MODE)


def open_stage(
    output: Output, previous: PublishedState, *, compare: bool = False
) -> tuple[Stage | None, tuple[Diagnostic, ...]]:
    """Make an empty stage where files can be renamed into the output. Findings: `publish-error`.

    `compare` as in `Stage`. Precondition: the lock is held and `recover` has run.
    """
    try:
        state.make_folders(output.state)
        container = _choose_container(output)
        make_container(container)
        tree = fresh_tree(container)
        make_folders(container, [tree.name])
    except OSError as fault:
        return None, (publish_error(fault, "make a folder to stage the site in"),)
    return Stage(output, tree, previous, compare), ()


def containers(output: Output) -> tuple[Path, Path, Path]:
    """The places where a stage may stand, the best one first."""
    out = output.out
    return output.state / "stage", out.with_name(f".{out.name}.pybuild-stage"), out / _INNER_NAME


def is_unfinished(output: Output) -> bool:
    """Whether an export of this output was cut off and left something that the next one clears away."""
    return any(map(os.path.lexists, (output.journal, *containers(output))))


def is_inner(output: Output, tree: Path) -> bool:
    """Whether the stage `tree` lies inside the output, which then cannot be swapped."""
    return tree.parent == containers(output)[2]


def list_output(output: Output, tree: Path) -> Listing:
    """List the output without the stage `tree`."""
    return list_tree(output.out, skip=_INNER_NAME if is_inner(output, tree) else "")


def _choose_container(output: Output) -> Path:
    """Take the first place that lies on one mount with the output."""
    ours, beside, inside = containers(output)
    base = next(p for p in (output.out, *output.out.parents) if p.is_dir())
    if mount_of(output.state) == mount_of(base):
        return ours
    if base != output.out:
        output.out.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        return beside
    parent = output.out.parent
    return beside if mount_of(parent) == mount_of(base) and os.access(parent, os.W_OK | os.X_OK) else inside


def make_container(container: Path, text: str = "") -> None:
    """Make a folder for trees, with the mark that it is ours, in which `text` may be written."""
    container.mkdir(0o700)
    (container / MARKER).write_text(text, "ascii")


def fresh_tree(container: Path) -> Path:
    """A name for a tree in a container, never that of another export."""
    return container / f"{_TREE}{os.urandom(4).hex()}"


def trees_in(container: Path) -> list[Path]:
    """The trees in a container that bears our mark; none where it is a link."""
    if container.is_symlink() or not (container / MARKER).is_file():
        return []
    return sorted(found for found in container.iterdir() if _IS_TREE(found.name) and not found.is_symlink())


def tree_in(container: Path, name: str) -> Path | None:
    """The tree of that name in a container; None where pybuild makes no such name, or the container is a link."""
    if not _IS_TREE(name) or container.is_symlink():
        return None
    return container / name


def drop_container(container: Path) -> None:
    """Remove a container and the trees in it; leave alone what is absent, a link, or does not bear our mark."""
    if not os.path.lexists(container) or not stat.S_ISDIR(os.lstat(container).st_mode):
        return
    names = {entry.name for entry in container.iterdir()}
    if names and MARKER not in names:
        return
    trees = {name for name in names if _IS_TREE(name)}
    for name in sorted(trees):
        _remove_again(container / name)
    if names - trees - {MARKER}:
        return  # somebody else lives here
    (container / MARKER).unlink(missing_ok=True)  # last: what is half removed must still be known as ours
    container.rmdir()


def _remove_again(folder: Path) -> None:
    """Remove a tree, though workers of an export that was killed may still write into it for a moment."""
    for wait in _WAITS:
        try:
            _remove_tree(folder)
        except OSError as fault:
            if fault.errno != errno.ENOTEMPTY:
                raise
            time.sleep(wait)
        else:
            return
    _remove_tree(folder)


def _remove_tree(folder: Path) -> None:
    """Remove a folder and what is in it, but not what is mounted there."""
    if folder.is_symlink() or not folder.is_dir():
        folder.unlink()
        return
    found = list_tree(folder, seen=False)
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for path in chain(found.files, found.others):
            os.unlink(path, dir_fd=opened)
    finally:
        os.close(opened)
    for path in sorted(found.folders, reverse=True):
        (folder / path).rmdir()
    folder.rmdir()


def discard(stage: Stage) -> None:
    """Drop a stage that was not published; one whose publication has begun is left for `recover`."""
    with contextlib.suppress(OSError):  # the next export drops what is left
        if not stage.output.journal.exists():
            drop_container(stage.tree.parent)
