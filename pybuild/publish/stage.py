"""The stage: where a new site is written before anyone can see it.

Owns the staging folder, what goes into it and its removal. Knows no route and never writes to the output.
A file that is already published with the same bytes is not written again; `commit` links it.

A stage is a folder of its own name below a container, because the output itself takes its place in the swap.
The container stands where a rename into the output works: in the state folder, beside the output, or in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from pybuild.diagnostics import Diagnostic
from pybuild.publish.listing import Listing, list_tree, parents_of
from pybuild.publish.manifest import FILE_MODE, FOLDER_MODE, Output, PublishedState, Row, is_inside
from pybuild.publish.os_errors import publish_error
from pybuild.publish.syscalls import mount_of

_INNER_NAME = ".pybuild-stage"  # of a container inside the output
_MARKER = "made-by-pybuild"
_CHUNK = 1 << 20  # bytes; files up to this size are read at once
_FRESH = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stage:
    """Where workers write. Paths are POSIX, relative to the output; the last write of a path wins.

    It pickles with the rows of the last publication: share it with workers by fork, or send it once a worker.
    """

    output: Output
    tree: Path
    rows: Mapping[str, Row]  # of the last publication, by path
    memo: Any = field(default=None, repr=False)  # of the last publication
    _made: set[str] = field(
        default_factory=set, compare=False, repr=False
    )  # folders known to stand in `tree`

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
                return digest, self.rows[path].file.size
            stream.seek(0)
            with self._create(path) as descriptor, os.fdopen(descriptor, "wb", closefd=False) as copied:
                copied.writelines(iter(lambda: stream.read(_CHUNK), b""))
        return _measure(self.tree / path)

    def keep(self, path: str, digest: str) -> bool:
        """Whether the published file has these bytes and nobody touched it; then nothing is to be staged."""
        if not self.holds(path, digest):
            return False
        if os.path.lexists(f"{self.tree}/{path}"):
            # An earlier write of the same path in this export; another writer may be removing it too.
            (self.tree / path).unlink(missing_ok=True)
        return True

    def holds(self, path: str, digest: str) -> bool:
        """Whether the output has this file, as it was published, with these bytes. Changes nothing."""
        row = self.rows.get(path)
        if row is None or row.file.digest != digest:
            return False
        try:
            return row.matches(os.lstat(f"{self.output.out}/{path}"))
        except OSError:
            return False

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
            self._make_folders(folder)
            descriptor = _open_fresh(part)
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

    def _make_folders(self, folder: str) -> None:
        if folder and folder not in self._made:
            make_folders(self.tree, parents_of([f"{folder}/"]) - self._made)
            self._made.add(folder)


def _open_fresh(file: str) -> int:
    descriptor = os.open(file, _FRESH, FILE_MODE)
    with contextlib.suppress(PermissionError):  # a file system without permissions
        os.fchmod(descriptor, FILE_MODE)
    return descriptor


def _measure(file: Path) -> tuple[str, int]:
    """Read a staged copy back: its source may have changed between reading and copying."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), os.fstat(stream.fileno()).st_size


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


def open_stage(output: Output, previous: PublishedState) -> tuple[Stage | None, tuple[Diagnostic, ...]]:
    """Make an empty stage where files can be renamed into the output. Findings: `publish-error`.

    Precondition: the lock is held and `recover` has run.
    """
    try:
        output.state.mkdir(0o700, parents=True, exist_ok=True)
        container = _choose_container(output)
        _make_container(container)
        tree = container / f"tree-{os.urandom(4).hex()}"  # never that of another export
        make_folders(container, [tree.name])
    except OSError as fault:
        return None, (publish_error(fault, "make a folder to stage the site in"),)
    return Stage(output, tree, previous.rows, previous.memo), ()


def containers(output: Output) -> tuple[Path, Path, Path]:
    """The places where a stage may stand, the best one first."""
    out = output.out
    return output.state / "stage", out.with_name(f".{out.name}.pybuild-stage"), out / _INNER_NAME


def is_unfinished(output: Output) -> bool:
    """Whether an export of this output was cut off and left something that the next one clears away."""
    return any(map(os.path.lexists, (output.journal, *containers(output))))


def is_inner(output: Output, tree: Path) -> bool:
    """Whether the stage `tree` stands inside the output, which then cannot be swapped."""
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


def _make_container(container: Path) -> None:
    container.mkdir(0o700)
    (container / _MARKER).touch()


def drop_container(container: Path) -> None:
    """Remove a container and all it holds; leave alone what is absent or does not bear our mark."""
    if not os.path.lexists(container) or not stat.S_ISDIR(os.lstat(container).st_mode):
        return
    names = {entry.name for entry in container.iterdir()}
    if names and _MARKER not in names:
        return
    for name in sorted(names - {_MARKER}):
        _remove_tree(container / name)
    (container / _MARKER).unlink(missing_ok=True)  # last: what is half removed must still be known as ours
    container.rmdir()


def _remove_tree(folder: Path) -> None:
    """Remove a folder and what is in it, but not what is mounted there."""
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
