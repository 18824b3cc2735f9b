"""What stands in the output folder, whose it is, and what is in the way.

Owns the listing of an output and every judgement on it: ours, foreign, stale, in the way, in which order.
Reads only names and sizes; decides, and changes nothing.

`ours` is what the manifest lists or the new site wants; all else is foreign and stays. A symlink or a special
file is never ours.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pybuild.urls import collision_key


class Seen(NamedTuple):
    """What the disk says of a file, as far as it matters here: a quarter of `os.stat_result`."""

    st_mode: int
    st_size: int
    st_mtime_ns: int
    st_ino: int


@dataclass(frozen=True, slots=True)
class Listing:
    """Everything below a folder, by POSIX path relative to it. Symlinks are named, not followed."""

    files: Mapping[str, Seen] = field(default_factory=dict)  # regular files
    folders: Set[str] = frozenset()
    others: Set[str] = frozenset()  # symlinks, special files, other disks, closed folders

    def foreign(self, ours: Set[str]) -> list[str]:
        """What is not ours, sorted; a folder counts when no path of ours leads through it."""
        strange = (self.files.keys() - ours) | self.others | (self.folders - parents_of(ours))
        return sorted(strange)


_UNSEEN = Seen(0, 0, 0, 0)


def list_tree(folder: Path, *, skip: str = "", seen: bool = True) -> Listing:
    """List a folder; one that is absent is empty. `skip` is a name at its top that is left out.

    Without `seen` no file is looked at: the folder tells what is one.
    """
    files: dict[str, Seen] = {}
    folders: set[str] = set()
    others: set[str] = set()
    if not os.path.lexists(folder):
        return Listing()
    device = os.lstat(folder).st_dev
    waiting = [("", _entries(str(folder)))]
    while waiting:
        prefix, entries = waiting.pop()
        if not seen:
            plain = {entry for entry in entries if entry.is_file(follow_symlinks=False)}
            files.update((prefix + entry.name, _UNSEEN) for entry in plain)
            entries = [entry for entry in entries if entry not in plain]
        for name, at, found in _stats(entries):
            path = prefix + name
            if path == skip:
                continue
            if stat.S_ISREG(found.st_mode):
                files[path] = Seen(found.st_mode, found.st_size, found.st_mtime_ns, found.st_ino)
            elif not stat.S_ISDIR(found.st_mode) or found.st_dev != device:
                others.add(path)
            else:
                try:
                    waiting.append((path + "/", _entries(at)))
                    folders.add(path)
                except PermissionError:  # such as lost+found
                    others.add(path)
    return Listing(files, folders, others)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as found:
        return list(found)


def _stats(entries: Iterable[os.DirEntry[str]]) -> Iterator[tuple[str, str, os.stat_result]]:
    """Look at what one folder holds; what goes away meanwhile is left out."""
    for entry in entries:
        with contextlib.suppress(FileNotFoundError):
            yield entry.name, entry.path, entry.stat(follow_symlinks=False)


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
    """Wanted paths that the folder answers under a foreign name, as where letter case does not count."""
    unlisted = wanted - listing.files.keys() - listing.folders - listing.others
    found = sorted(path for path in unlisted if os.path.lexists(out / path))
    known = {collision_key(path) for path in old} if found else set()
    return [path for path in found if collision_key(path) not in known]


def split_stale(listing: Listing, old: Set[str], wanted: Set[str]) -> tuple[list[str], list[str]]:
    """Part what the old site leaves behind: what must go before the new files come, and what can go after.

    First goes what stands in the way, and what some file system would take for a wanted path.
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
