"""What is in the output folder, whose it is, and what is in the way.

Owns the listing of an output and every judgement on it: ours, foreign, stale, in the way, in which order.
Reads only names and sizes; decides, and changes nothing.

`ours` is what the manifest lists or the new site wants; all else is foreign and stays. A symlink or a special
file is never ours.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

from pybuild.urls import collision_key


class Stamp(NamedTuple):
    """What the disk says of a file, as far as a change of it shows; a quarter of `os.stat_result`."""

    st_mode: int
    st_size: int
    st_mtime_ns: int
    st_ctime_ns: int
    st_ino: int

    @staticmethod
    def of(seen: os.stat_result) -> Stamp:
        return Stamp(seen.st_mode, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns, seen.st_ino)


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything below a folder, by POSIX path relative to it. Symlinks are named, not followed."""

    files: Mapping[str, Stamp] = field(default_factory=dict)  # regular files
    folders: Set[str] = frozenset()
    others: Set[str] = frozenset()  # symlinks, special files, other disks, closed folders

    def foreign(self, ours: Set[str]) -> list[str]:
        """What is not ours, sorted; a folder counts when no path of ours leads through it."""
        strange = (self.files.keys() - ours) | self.others | (self.folders - parents_of(ours))
        return sorted(strange)


_UNSEEN = Stamp(0, 0, 0, 0, 0)


def list_tree(folder: Path, *, skip: str = "", seen: bool = True) -> Listing:
    """List a folder; one that is absent is empty. `skip` and `seen` as for `scan`."""
    files: dict[str, Stamp] = {}
    folders: set[str] = set()
    others: set[str] = set()
    for path, kind, found in scan(folder, skip=skip, seen=seen):
        if kind == "file":
            files[path] = found
        else:
            (folders if kind == "folder" else others).add(path)
    return Listing(files, folders, others)


Kind = Literal["file", "folder", "other"]


def scan(folder: Path, *, skip: str = "", seen: bool = True) -> Iterator[tuple[str, Kind, Stamp]]:
    """Yield what is below a folder, one file in memory at a time. `skip` is a folder at its top that is left out.

    Without `seen` no file is looked at: the folder tells what is one.
    """
    if not os.path.lexists(folder):
        return
    device = os.lstat(folder).st_dev
    waiting = [("", str(folder))]
    while waiting:
        prefix, at = waiting.pop()
        try:
            entries = os.scandir(at)
        except PermissionError:  # such as lost+found
            if not prefix:
                raise
            yield prefix[:-1], "other", _UNSEEN
            continue
        if prefix:
            yield prefix[:-1], "folder", _UNSEEN
        with entries:
            for entry in entries:
                path = prefix + entry.name
                kind, found = _kind(entry, device, seen=seen)
                if kind == "folder" and path != skip:
                    waiting.append((path + "/", entry.path))
                elif kind and kind != "folder":
                    yield path, kind, found


def _kind(entry: os.DirEntry[str], device: int, *, seen: bool) -> tuple[Kind | None, Stamp]:
    """What an entry is; None where it went away meanwhile."""
    if not seen and entry.is_file(follow_symlinks=False):
        return "file", _UNSEEN
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None, _UNSEEN
    if stat.S_ISREG(found.st_mode):
        return "file", Stamp.of(found)
    return "folder" if stat.S_ISDIR(found.st_mode) and found.st_dev == device else "other", _UNSEEN


@dataclass(frozen=True, slots=True)
class TreeStamps:
    """What the disk says of all that lies in some folders of a tree, held as little as it can be."""

    folders: Mapping[str, str] = field(default_factory=dict)  # a digest of what lies in each; "" is the top
    times: Mapping[str, int] = field(default_factory=dict)  # when names in each changed last, in nanoseconds
    count: int = 0  # of all that lies in them


def stamps_in(tree: Path, folders: Iterable[str]) -> TreeStamps:
    """The stamps of some folders of a tree. Raises `OSError`, also for one that is a link."""
    digests: dict[str, str] = {}
    times: dict[str, int] = {}
    count = 0
    for folder in folders:
        at = f"{tree}/{folder}"
        times[folder] = names_changed(tree, folder)
        with os.scandir(at) as entries:
            seen = sorted(map(_said, entries))
        digests[folder] = hashlib.blake2b(
            "\0".join(seen).encode("utf-8", "surrogateescape"), digest_size=8
        ).hexdigest()
        count += len(seen)
    return TreeStamps(digests, times, count)


def names_changed(tree: Path, folder: str) -> int:
    """When a name in a folder of a tree came or went last, in nanoseconds. Raises `OSError` where it is none."""
    seen = os.lstat(f"{tree}/{folder}" if folder else tree)
    if not stat.S_ISDIR(seen.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), f"{tree}/{folder}")
    return seen.st_mtime_ns


def _said(entry: os.DirEntry[str]) -> str:
    """An entry of a folder with what of it shows that it changed."""
    if entry.is_dir(follow_symlinks=False):
        return f"{entry.name}/"
    seen = entry.stat(follow_symlinks=False)
    return f"{entry.name}/{seen.st_mode} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}"


def parents_of(paths: Iterable[str]) -> set[str]:
    """All folders that lead to the paths, without the top: `a/b/c.html` → `a`, `a/b`."""
    found: set[str] = set()
    for path in paths:
        end = path.rfind("/")
        while end > 0 and path[:end] not in found:
            found.add(path[:end])
            end = path.rfind("/", 0, end)
    return found


def obstacles(listing: Listing, old: Set[str], wanted: Set[str]) -> list[str]:
    """Foreign things that a wanted path cannot replace, sorted: symlinks, files and folders in the way."""
    parents = parents_of(wanted)
    blocked = (wanted | parents) & listing.others
    blocked |= (parents & listing.files.keys()) - old
    replaced = wanted & listing.folders
    blocked |= replaced - parents_of(old)
    strange = listing.foreign(old | wanted) if replaced else []
    blocked |= {path for path in strange if any(parent in replaced for parent in parents_of([path]))}
    return sorted(blocked)


def aliases(out: Path, listing: Listing, old: Set[str], wanted: Set[str]) -> list[str]:
    """ExportFlags paths that the folder answers under a foreign name, as where letter case does not count."""
    if listing == Listing():
        return []
    unlisted = wanted - listing.files.keys() - listing.folders - listing.others
    found = sorted(path for path in unlisted if os.path.lexists(out / path))
    known = {collision_key(path) for path in old} if found else set()
    return [path for path in found if collision_key(path) not in known]


def split_stale(listing: Listing, old: Set[str], wanted: Set[str]) -> tuple[list[str], list[str]]:
    """Part what the old site leaves behind: what must go before the new files come, and what can go after.

    First goes what is in the way, and what some file system would take for a wanted path.
    """
    stale = sorted((old - wanted) & listing.files.keys())
    parents, keys = parents_of(wanted), {collision_key(path) for path in wanted} if stale else set()

    def in_the_way(path: str) -> bool:
        return path in parents or collision_key(path) in keys or not wanted.isdisjoint(parents_of([path]))

    first = [path for path in stale if in_the_way(path)]
    return first, sorted(set(stale) - set(first))


_LATE_NAMES = ("sitemap", "rss.", "atom.", "feed", "llms")


def place_order(paths: Collection[str]) -> list[str]:
    """Order per-file publishing so that nothing is announced before it is there.

    Assets, pages, index pages, sitemaps, feeds, llms.txt, and the hosts' rules (`_headers`, `_redirects`).
    """

    def rank(path: str) -> tuple[int, str]:
        name = path[path.rfind("/") + 1 :]
        if name == path and name.startswith("_"):
            return 9, path
        late = next((n for n, start in enumerate(_LATE_NAMES, 3) if name.startswith(start)), 0)
        if late and not name.endswith((".html", ".md")):
            return late, path
        if name.startswith("index."):
            return 2, path
        return (1 if name.endswith((".html", ".md")) else 0), path

    return sorted(paths, key=rank)
