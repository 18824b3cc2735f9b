"""What an export depends on: the files of its site by their stamps, without reading them; the tool, the libraries,
the settings and the history by digests.

Owns the walk over all that site code and templates may read below the site, and the doubt about files that
changed so lately that a further change would not show. Reads the environment only as the configuration has it.
Knows no page and no meaning of a file.
Sources: inode(7) for what a change shows in; git's Documentation/technical/racy-git.txt for the doubt;
packaging.python.org, "Recording installed projects"; gitrepository-layout(5).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from pybuild.config.loader import Config
from pybuild.config.schema import Build, Cluster, Feed, Llms, Negotiation, Options, Robots, Sitemap, Store
from pybuild.publish.state import fresh_file, make_folders

LATE = 1 << 62  # a moment for which every file is old
MARGIN = 2_500_000_000  # nanoseconds; the coarsest clock of a file system ticks every two seconds
_CODE = frozenset({"app", "templates"})
_STATE = frozenset({".git", ".hg", ".svn", ".pybuild"})

Stamp = tuple[int, int, int, int, int]  # size, mtime_ns, ctime_ns, inode, mode


Seen = tuple[str, Stamp | None, str]  # path, stamp, target of a link


@dataclass(frozen=True, slots=True)
class Glance:
    """All stamps of a site, held as little as they can be."""

    folders: Mapping[str, str] = field(default_factory=dict)  # a digest of what lies in each, "" is the site
    fresh: Mapping[str, str] = field(
        default_factory=dict
    )  # digests of the contents of files too young for their stamps to be trusted


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The files and folders of the site at one moment."""

    stamps: Mapping[str, Stamp]  # of files by path, folder by folder
    others: tuple[str, ...]  # folders, and links with their targets
    glance: Glance = field(default_factory=Glance)

    @property
    def listing(self) -> str:
        """A digest of what there is by name alone."""
        names = "\0".join((*self.stamps, *self.others))
        return hashlib.sha256(names.encode("utf-8", "surrogateescape")).hexdigest()


def take(config: Config, now: int) -> Snapshot:
    """Look at every file of the site. `now` is the moment by the clock of its disk, in nanoseconds."""
    stamps: dict[str, Stamp] = {}
    others: list[str] = []

    def note(path: str, stamp: Stamp | None, link: str) -> None:
        if stamp and stat.S_ISREG(stamp[4]):
            stamps[path] = stamp
        if link or not (stamp and stat.S_ISREG(stamp[4])):
            others.append(f"{path} -> {link}")

    seen = glance(config, now, note)
    return Snapshot(stamps, tuple(others), seen)


Note = Callable[[str, Stamp | None, str], None]


def glance(config: Config, now: int = LATE, note: Note | None = None) -> Glance:
    """Look at all stamps; `note` is called with each path, its stamp and what it links to."""
    folders: dict[str, list[str]] = {}
    fresh: dict[str, str] = {}
    for seen in _walk(_Scope.of(config), config.root, "", frozenset()):
        path, stamp, _ = seen
        folders.setdefault(path[: path.rfind("/") + 1], []).append(repr(seen))
        if stamp and stat.S_ISREG(stamp[4]) and not is_settled(stamp, now):
            fresh[path] = digest_of(config.root / path)
        if note:
            note(*seen)
    return Glance({folder: digest(*texts) for folder, texts in folders.items()}, fresh)


def look_into(config: Config, folder: str) -> tuple[str, list[Seen]]:
    """What lies in one folder of `Glance.folders`, with its digest there; ("", []) for one that is gone."""
    entries = _entries(_Scope.of(config), config.root / folder, folder)
    found = [(path, stamp, link) for path, stamp, link, _ in entries]
    return digest(*map(repr, found)) if found else "", found


def paths_of(config: Config) -> Iterator[str]:
    """The files of the site by path, folder by folder."""
    for path, stamp, _ in _walk(_Scope.of(config), config.root, "", frozenset()):
        if stamp and stat.S_ISREG(stamp[4]):
            yield path


def disk_clock(folder: Path) -> int:
    """The moment as the disk of `folder` stamps it, in nanoseconds. Raises `OSError`."""
    make_folders(folder)
    file = folder / "clock"
    fresh_file(file)
    return file.lstat().st_ctime_ns


def digest_of(file: Path) -> str:
    """The digest of a file's bytes; "" where it cannot be read."""
    try:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    except OSError:
        return ""


def is_settled(stamp: Stamp, now: int) -> bool:
    """Whether a later change of the file would show in its stamp."""
    return stamp[2] <= now - MARGIN


_NO_DISKS = ("/proc", "/sys")


@dataclass(frozen=True, slots=True)
class _Scope:
    """Which folders are looked into."""

    root: Path
    outputs: frozenset[str]
    sources: tuple[str, ...]  # folders in which nothing is passed over

    @staticmethod
    def of(config: Config) -> _Scope:
        outputs = (config.out, config.out.with_name(config.out.name + "-deploy"), config.deploy)
        below = {_relative(folder, config.root) for folder in outputs}
        sources = (c.source.strip("/") for c in config.settings.collections.values())
        return _Scope(config.root, frozenset(below - {""}), ("app", "public", "templates", *sources))

    def passes_over(self, path: str, file: str) -> bool:
        """Whether a folder is none of the site's sources."""
        name = path.rpartition("/")[2]
        if name in _STATE or path in self.outputs:
            return True
        if any(f"{path}/".startswith(f"{s}/") or f"{s}/".startswith(f"{path}/") for s in self.sources):
            return False
        return name == "node_modules" or os.path.lexists(f"{file}/pyvenv.cfg")

    def follows(self, link: str) -> bool:
        """Whether a link may lead to code or texts of the site: not to a folder around it, nor to what is no disk."""
        real = Path(link).resolve()
        if real.is_relative_to(self.root):
            return True
        return not (self.root.is_relative_to(real) or any(map(real.is_relative_to, _NO_DISKS)))

    def is_made_by_python(self, path: str) -> bool:
        """Whether a file is what Python keeps beside code it has run; copied files are just files."""
        if "__pycache__/" not in path or not path.endswith(".pyc"):
            return False
        return not any(path.startswith(f"{source}/") for source in self.sources if source not in _CODE)


def _relative(folder: Path, root: Path) -> str:
    with contextlib.suppress(ValueError, OSError, RuntimeError):
        return folder.resolve().relative_to(root).as_posix()
    return ""


def _walk(
    scope: _Scope, folder: Path | str, prefix: str, above: frozenset[tuple[int, int]]
) -> Iterator[Seen]:
    """Yield (path, stamp, target of a link); stamps are those of what links lead to."""
    try:
        here = Path(folder).stat()
    except OSError:
        return
    inner = above | {(here.st_dev, here.st_ino)}
    for path, stamp, link, entry in _entries(scope, folder, prefix):
        yield path, stamp, link
        if entry and (not link or (_identity(entry) not in inner and scope.follows(entry.path))):
            yield from _walk(scope, entry.path, path + "/", inner)


def _entries(
    scope: _Scope, folder: Path | str, prefix: str
) -> Iterator[tuple[str, Stamp | None, str, os.DirEntry[str] | None]]:
    """Yield what lies in one folder, as `_walk`, with the entry of each folder to go into."""
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError:
        return
    for entry in entries:
        path = prefix + entry.name
        if scope.is_made_by_python(path):
            continue
        stamp, link = _look(entry)
        if not (stamp and stat.S_ISDIR(stamp[4])):
            yield path, stamp, link, None
        elif not scope.passes_over(path, entry.path):
            yield path, None, link or "/", entry


def _look(entry: os.DirEntry[str]) -> tuple[Stamp | None, str]:
    try:
        link = str(Path(entry.path).readlink()) if entry.is_symlink() else ""
        seen = entry.stat()
    except OSError:
        return None, "?"
    modified, changed = seen.st_mtime_ns, seen.st_ctime_ns
    changed = modified if changed == modified else changed  # held once
    return (seen.st_size, modified, changed, seen.st_ino, seen.st_mode), link


def _identity(entry: os.DirEntry[str]) -> tuple[int, int]:
    seen = entry.stat()
    return seen.st_dev, seen.st_ino


_PACKAGE = Path(__file__).parent.parent
_LENGTH = 16  # hexadecimal digits of a short digest


def digest(*parts: str) -> str:
    """A digest of texts, short enough to be kept for every page."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=_LENGTH // 2).hexdigest()


def digest_many(parts: Iterable[str]) -> str:
    """The same of many texts, one in memory at a time."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return sha.hexdigest()[:_LENGTH]


@cache
def tool() -> str:
    """The digest of this program with its templates, of Python, and of all that is installed beside it."""
    sha = hashlib.sha256(sys.version.encode())
    for folder in (_PACKAGE, _PACKAGE.parent / "templates"):
        for path, file in sorted(_sources(folder)):
            sha.update(f"\0{path}\0".encode() + Path(file).read_bytes())
    sha.update("\0".join(sorted(_distributions())).encode("utf-8", "surrogateescape"))
    return sha.hexdigest()[:_LENGTH]


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            file = f"{where}/{name}"
            yield file.removeprefix(str(folder)), file


def _distributions() -> Iterator[str]:
    """The folders that name an installed project and its version."""
    for place in sys.path:
        with contextlib.suppress(OSError):
            yield from (name for name in os.listdir(place) if name.endswith((".dist-info", ".egg-info")))


def run_digest(config: Config) -> str:
    """The digest of all that options and environment say, and of the history of the files; settings are a file."""
    options = replace(
        config.options,
        jobs=None,
        engine=None,
        cluster=None,
        insecure_cluster=False,
        cache=True,
        allow_shrink=False,
    )
    outside = (config.public_env, sorted(config.secrets.items()), config.home)
    places = (config.target, str(config.out), str(config.deploy))
    return digest(tool(), repr(options), repr(outside), *places, history(config.root))


def page_settings_digest(config: Config) -> str:
    """The digest of what every page may depend on: the settings that reach pages, and the environment."""
    settings = replace(
        config.settings,
        build=Build(),
        cluster=Cluster(),
        store=Store(),
        targets={},
        feed=replace(config.settings.feed, limit=Feed().limit, collections=()),
        robots=Robots(),
        negotiation=Negotiation(),
        sitemap=Sitemap(enabled=config.settings.sitemap.enabled),
        llms=Llms(enabled=config.settings.llms.enabled),
    )
    base = Options(base_url=config.options.base_url)
    return digest(
        tool(), repr(settings), repr(base), repr((config.public_env, sorted(config.secrets.items())))
    )


def markdown_folder(config: Config) -> str:
    """The name of the folder for rendered Markdown: of the program and of the settings that reach it."""
    return f"markdown-{digest(tool(), repr(config.settings.markdown))}"


def history(root: Path) -> str:
    """The digest of the git history a site is in: its newest commit and its index; "" outside of git."""
    found = next((p / ".git" for p in (root, *root.parents) if os.path.lexists(p / ".git")), None)
    if found is None:
        return ""
    folder = found
    with contextlib.suppress(OSError):
        if found.is_file():
            folder = (found.parent / found.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
    shared = (folder / _text(folder / "commondir").strip()).resolve()
    head = _text(folder / "HEAD")
    named = head.removeprefix("ref:").strip()
    files = (folder / "index", shared / "shallow", shared / "packed-refs", shared / "reftable/tables.list")
    return digest(head, _text(shared / named) if head != named else "", *_stamps(files))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _stamps(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        with contextlib.suppress(OSError):
            seen = file.stat()
            yield f"{file.name} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}"
