"""Files that Markdown includes: `::: include file="…" lines="3-7,12"`.

Owns which files may be included, how each becomes Markdown, and the limits. Markdown files are read as Markdown, with their
links read from where they are; every other file is a block of code. Knows no page.
Source: docs/components.md, "Other files".
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.files import decode, is_secret_file
from pybuild.markdown.blocks import IncludeLine, include_lines
from pybuild.markdown.code import fence
from pybuild.markdown.rewrite import rebased
from pybuild.near_words import words_of
from pybuild.source.front_matter import parse
from pybuild.urls import is_external, path_fault

DEPTH = 16  # files within files
MOST_BYTES = 1 << 20  # of all inclusions of a page
MOST = 1000  # inclusions of a page
_MAY_INCLUDE = re.compile(rb":::+[ \t]*include\b", re.I)
_LINES = re.compile(r"\s*(\d+)(?:\s*-\s*(\d+)?)?\s*")
_MARKDOWN = (".md", ".markdown")
_HINT = "write the path from this document, or from the folder of the site"


def may_include(data: bytes) -> bool:
    """Whether the bytes of a document may name other files."""
    return bool(_MAY_INCLUDE.search(data))


@dataclass(slots=True)
class Included:
    """A text with what it includes."""

    text: str = ""
    places: tuple[tuple[str, int], ...] = ()  # of each line: its file and number
    files: dict[str, str] = field(
        default_factory=dict
    )  # what was read, or looked for, to a digest of its bytes
    findings: list[Diagnostic] = field(default_factory=list)
    links: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # to the file that has it, and as written there


class _Refused(Exception):
    """Why a file is not included, and what to do."""


_Line = tuple[str, tuple[str, int]]  # its text, and the file and number that it comes from


def with_includes(config: Config, file: str, text: str, first_line: int = 1) -> Included:
    """Put the files that a document names in their place; `first_line` is where `text` begins in its file.

    Findings: `include-error`.
    """
    reader = _Reader(config, file, Included())
    lines = reader.expanded(
        [(line, (file, n)) for n, line in enumerate(text.split("\n"), first_line)], (file,)
    )
    reader.found.text = "\n".join(line for line, _ in lines)
    reader.found.places = tuple(place for _, place in lines)
    reader.found.findings.sort(key=lambda finding: (finding.location.file, finding.location.line or 0))
    return reader.found


@dataclass(slots=True)
class _Reader:
    """Reads the files of one page."""

    config: Config
    document: str
    found: Included
    count: int = 0
    size: int = 0  # bytes
    is_full: bool = False

    def expanded(self, lines: list[_Line], above: tuple[str, ...]) -> list[_Line]:
        """A text with its inclusions; `above` are the files that are being read."""
        includes, _ = include_lines("\n".join(line for line, _ in lines))
        for include in reversed(includes):
            place = lines[include.number - 1][1]
            try:
                made = [] if self.is_full else self._read(include.attributes, place, above)
            except _Refused as refused:
                message, hint = refused.args
                self.found.findings.append(Diagnostic("include-error", message, Location(*place), hint))
                made = []
            lines[include.number - 1 : include.number] = _placed(lines, include, made or [("", place)])
        return lines

    def _read(
        self, attributes: Mapping[str, str], at: tuple[str, int], above: tuple[str, ...]
    ) -> list[_Line]:
        """The Markdown of one inclusion, which is written at a place. Raises `_Refused`."""
        path = self._path(attributes.get("file", ""), at[0])
        if path in above:
            way = " → ".join((*above[above.index(path) :], path))
            raise _Refused(f"{path} includes itself: {way}", "delete one of these lines")
        if len(above) > DEPTH:
            message = f"{path} is included through more than {DEPTH} files"
            raise _Refused(message, "include it nearer to the document")
        self.count += 1
        if self.count > MOST:
            self.is_full = True
            raise _Refused(f"{self.document} includes more than {MOST} files", "split the document")
        text = self._text(path)
        every = text.removesuffix("\n").split("\n")
        chosen = _chosen(attributes.get("lines", ""), len(every), path)
        if path.endswith(_MARKDOWN) and not attributes.get("lines"):
            chosen = range(parse(text.encode("utf-8", "surrogatepass"), path).body_line, len(every) + 1)
        body = "\n".join(every[number - 1] for number in chosen)
        if path.endswith(_MARKDOWN):
            moved = rebased(body, lambda href: self._moved(href, path)).split("\n")
            places = [(path, number) for number in chosen]
            lines = self.expanded(list(zip(moved, places, strict=True)), (*above, path)) if chosen else []
            _, end = include_lines("\n".join(line for line, _ in lines))
            full = [number for number, (line, _) in enumerate(lines) if line.strip()]
            trimmed = lines[full[0] : full[-1] + 1] if full else []
            return [*trimmed, *([(end, at)] if end else [])]
        language = attributes.get("lang") or path.rpartition("/")[2].rpartition(".")[2].lower()
        title = attributes.get("title", "").replace('"', "'")
        block = fence(language + (f' title="{title}"' if title else ""), body).split("\n")
        return [(line, at) for line in block]

    def _path(self, name: str, near: str) -> str:
        """The file that a name means: from the file that names it, else from the folder of the site."""
        if not name:
            raise _Refused("this includes no file", 'write ::: include file="…"')
        written = unquote(name).replace("\\", "/")
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(near), written))
        of_site = posixpath.normpath(written.lstrip("/") or ".")
        paths = dict.fromkeys((beside, of_site))
        inside = [path for path in paths if not path.startswith(("../", "/")) and path not in ("..", ".")]
        if not inside:
            raise _Refused(f"{name} lies outside of the site", "move it into the site")
        path = next((path for path in inside if (self.config.root / path).is_file()), "")
        for missing in inside[: inside.index(path) if path else None]:
            self.found.files[missing] = ""
        if not path:
            folder = (self.config.root / inside[0]).parent
            known = words_of(tuple(sorted(os.listdir(folder))) if folder.is_dir() else ())
            raise _Refused(f'"{name}" is no file of the site', known.hint(Path(name).name) or _HINT)
        if fault := self._fault(path):
            raise _Refused(
                f"{path} is not included: {fault}", "copy what is meant to be shown to another file"
            )
        return path

    def _fault(self, path: str) -> str:
        root, parts = self.config.root, path.split("/")
        above = ["/".join(parts[: size + 1]) for size in range(len(parts))]
        if any(part.startswith(".") for part in parts):
            return "it is a dotfile, or lies in such a folder"
        if any((root / part).is_symlink() for part in above):
            return "it is a link, or lies behind one"
        if is_secret_file(path):
            return "it is the file of a key"
        if fault := path_fault(path):
            return fault
        outputs = (self.config.out, self.config.out.with_name(self.config.out.name + "-deploy"))
        if any((root / path).resolve().is_relative_to(folder.resolve()) for folder in outputs):
            return "it is output"
        if "node_modules" in parts or any((root / part / "pyvenv.cfg").is_file() for part in above[:-1]):
            return "it belongs to an installed package, and is no source of the site"
        return ""

    def _text(self, path: str) -> str:
        try:
            size = (self.config.root / path).stat().st_size
            self.size += size
            if self.size > MOST_BYTES:
                self.is_full = True
                message = f"{self.document} includes more than {MOST_BYTES >> 20} MiB"
                raise _Refused(message, "link to the file instead")
            data = (self.config.root / path).read_bytes()
        except OSError as fault:
            raise _Refused(f"{path} cannot be read: {fault.strerror}", "let it be read") from None
        self.found.files[path] = hashlib.sha256(data).hexdigest()
        text, faults = decode(data, path)
        if faults:
            raise _Refused(f"{path} cannot be read: {faults[0].message}", faults[0].hint)
        return text

    def _moved(self, href: str, path: str) -> str:
        """An address in an included file as the document would write it."""
        if not href or href.startswith(("#", "/", "?")) or is_external(href):
            return href
        cut = min((at for at in (href.find("?"), href.find("#")) if at >= 0), default=len(href))
        there = posixpath.join(posixpath.dirname(path), unquote(href[:cut]))
        moved = posixpath.relpath(posixpath.normpath("/" + there), "/" + posixpath.dirname(self.document))
        slash = "/" if href[:cut].endswith("/") else ""
        new = quote(moved, safe="!#$&'()*+,;=@~/") + slash + href[cut:]
        new = f"./{new}" if ":" in new.partition("/")[0] else new
        if new != href:
            self.found.links.setdefault(new, (path, href))
        return new


def _chosen(written: str, count: int, path: str) -> Sequence[int]:
    """The numbers of lines: `3-7,12`, or all. Raises `_Refused`."""
    if not written.strip():
        return range(1, count + 1)
    chosen: list[int] = []
    for part in written.split(","):
        found = _LINES.fullmatch(part)
        if not found:
            raise _Refused(f'lines="{written}" names no lines', 'write lines="3-7,12"')
        low = int(found[1][:9])
        high = int(found[2][:9]) if found[2] else count if "-" in part else low
        if not 1 <= low <= high <= count:
            raise _Refused(f'lines="{written}": {path} has {count} lines', "name lines that it has")
        chosen += range(low, high + 1)
    return chosen


def _placed(lines: Sequence[_Line], include: IncludeLine, made: Sequence[_Line]) -> Iterator[_Line]:
    """The lines in place of one, in its container, with an empty line on either side."""
    line, place = lines[include.number - 1]
    prefix = line[: line.index(":::")]
    below = re.sub(r"[^>\s]", " ", prefix)
    above = lines[include.number - 2][0] if include.number > 1 else ""
    if above.strip(" \t>") and prefix == below:
        yield below.rstrip(), place
    for number, (text, origin) in enumerate(made):
        first = prefix if number == 0 else below
        yield (first + text if text else first.rstrip()), origin
    behind = lines[include.number][0] if include.number < len(lines) else ""
    if behind.strip(" \t>"):
        yield below.rstrip(), place
