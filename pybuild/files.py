"""Files of an author: their bytes as text, and the folders they are in.

Owns the one reading of UTF-8 (byte order mark, line ends, where a byte is wrong) and the one walk of folders: sorted,
inside the site, never in circles, with the rules for symlinks, special files and names that cannot be read; and which
files are never published, by their names. Knows no format and no other meaning of a file.
Source: RFC 3629; The Unicode Standard §23.8 (byte order mark).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location

PUBLISHED_DOTFILES = frozenset({".well-known", ".nojekyll", ".htaccess", ".domains"})
_KEY_FILES = (
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.keystore",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    "id_dsa*",
)


def shipped_templates() -> Path:
    """The templates and starters that come with pybuild: inside the installed package, or beside it in a checkout."""
    inside = Path(__file__).parent / "templates"
    return inside if inside.is_dir() else inside.parent.parent / "templates"


def read(file: str) -> bytes:
    """The bytes of a file, read in one go: of many small files, opening them costs most. Raises `OSError`."""
    with open(file, "rb", buffering=0) as stream:  # noqa: PTH123 - Path costs more than reading
        return stream.read()


def decode(data: bytes, file: str) -> tuple[str, tuple[Diagnostic, ...]]:
    r"""Read bytes as UTF-8, drop a byte order mark and turn `\r\n` and `\r` into `\n`.

    Codes: `encoding-error`, also for NUL, with the byte's offset and line.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        behind_mark = len(data) - len(fault.object)  # the codec counts from behind the byte order mark
        return "", (_encoding_error(data, behind_mark + fault.start, file),)
    if "\0" in text:
        return "", (_encoding_error(data, data.index(0), file),)
    return text.replace("\r\n", "\n").replace("\r", "\n"), ()


def _encoding_error(data: bytes, offset: int, file: str) -> Diagnostic:
    before = data[:offset].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line = before.count(b"\n") + 1
    said = f"(0x{data[offset]:02x}) is not UTF-8 text" if data[offset] else "is zero, which no text holds"
    message = f"byte {offset} {said}"
    wide = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    hint = "it looks like UTF-16: save the file as UTF-8" if wide else "save the file as UTF-8"
    return Diagnostic("encoding-error", message, Location(file, line), hint)


def is_dotfile(path: str) -> bool:
    """Whether a file, or a folder that it lies in, begins with a dot and is none that hosts read."""
    return any(part.startswith(".") and part not in PUBLISHED_DOTFILES for part in path.split("/"))


def is_secret_file(path: str) -> bool:
    """Whether a file is named as those are that hold a key."""
    return any(fnmatch(path.rpartition("/")[2], key) for key in _KEY_FILES)


def is_withheld(root: Path, real: Path) -> bool:
    """Whether what a link leads to inside the site is never published: a dotfile, a key, what git or our state holds."""
    path = real.relative_to(root).as_posix()
    parts = path.split("/")  # what package managers link to lies in folders such as node_modules/.pnpm
    return is_dotfile(parts[0]) or is_dotfile(parts[-1]) or ".git" in parts or is_secret_file(path)


Skip = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """A regular file below the walked folder."""

    path: str  # POSIX, relative to the walked folder
    at: str  # on disk

    @property
    def file(self) -> Path:
        return Path(self.at)


def walk(
    root: Path, folder: str, *, skip: Skip = lambda path: False, out: Path | None = None
) -> Iterator[Found | Diagnostic]:
    """Yield the files below `root/folder` in sorted order, and `unsafe-path` for what may not be followed.

    `skip` is asked for each path relative to the folder, files and folders alike. No link may lead into `out`.
    """
    start = root / folder
    ask = _Walk(root.resolve(), folder, skip, out.resolve() if out else None)
    if start.is_symlink() and (refused := _link_fault(ask, start, "")):
        yield refused
    elif start.is_dir():
        yield from _walk(ask, str(start), "", frozenset())


@dataclass(frozen=True, slots=True)
class _Walk:
    root: Path
    folder: str
    skip: Skip
    out: Path | None

    def fault(self, path: str, message: str, hint: str) -> Diagnostic:
        return Diagnostic(
            "unsafe-path", message, Location(f"{self.folder}/{path}" if path else self.folder), hint
        )


def _walk(
    ask: _Walk, folder: str, prefix: str, above: frozenset[tuple[int, int]]
) -> Iterator[Found | Diagnostic]:
    try:
        here = Path(folder).stat()
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except OSError as fault:
        yield ask.fault(prefix.rstrip("/"), f"this folder cannot be read: {fault.strerror}", "let it be read")
        return
    inner = above | {(here.st_dev, here.st_ino)}
    for entry in entries:
        path = prefix + entry.name
        if not ask.skip(path):
            yield from _one(ask, entry, path, inner)


def _one(
    ask: _Walk, entry: os.DirEntry[str], path: str, above: frozenset[tuple[int, int]]
) -> Iterator[Found | Diagnostic]:
    """Judge one entry of a folder and, where it is a folder, walk it."""
    if fault := _name_fault(path):
        yield ask.fault(path.encode("utf-8", "replace").decode(), fault, "rename the file")
    elif entry.is_symlink() and (refused := _link_fault(ask, Path(entry.path), path)):
        yield refused
    elif entry.is_file():
        yield Found(path, entry.path)
    elif not entry.is_dir():
        yield ask.fault(path, "this is neither a file nor a folder", "remove it")
    elif _identity(entry) in above:
        yield ask.fault(path, "this symlink leads back to a folder around it", "remove the symlink")
    else:
        yield from _walk(ask, entry.path, path + "/", above)


def _identity(entry: os.DirEntry[str]) -> tuple[int, int]:
    seen = Path(entry.path).stat()
    return seen.st_dev, seen.st_ino


def _name_fault(path: str) -> str:
    try:
        path.encode("utf-8")
    except UnicodeEncodeError:
        return "this name is not UTF-8"
    return ""


def _link_fault(ask: _Walk, file: Path, path: str) -> Diagnostic | None:
    target = str(file.readlink())
    try:
        real = file.resolve(strict=True)
    except (OSError, RuntimeError):
        return ask.fault(path, f"this symlink leads nowhere: {target}", "remove it, or make its target")
    if not real.is_relative_to(ask.root):
        return ask.fault(path, f"this symlink leaves the site: {target}", "copy the file into the site")
    if ask.out and real.is_relative_to(ask.out):
        return ask.fault(path, f"this symlink leads into the output: {target}", "remove it")
    if is_withheld(ask.root, real):
        said = f"this symlink leads to what is never published: {target}"
        return ask.fault(path, said, "remove it, or copy what is meant to be published")
    return None
