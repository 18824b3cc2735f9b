"""Markdown documents: which there are, where they answer, and what each says of itself.

Owns the reading of collections and of `page.md` up to the body (front matter, the first heading) and the meaning of the
keys of front matter. Bodies are read again where they are rendered, so that only some hundred bytes a document stay.
Knows no template and no layout.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from html import unescape
from operator import attrgetter
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pybuild.compact import table
from pybuild.config.loader import Config
from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import read, walk
from pybuild.language_tags import is_language_tag, language_hint
from pybuild.plain import codec_of, shared_numbers
from pybuild.routing.segments import Pattern
from pybuild.source.addresses import ALIAS_KEYS, asked_addresses, foreign_keys
from pybuild.source.dates import parse_date, probable_date
from pybuild.source.foreign import foreign_names
from pybuild.source.front_matter import FrontMatter, parse
from pybuild.source.includes import may_include, with_includes
from pybuild.urls import nfc, path_fault, segment_fault

MAX_BYTES = 16 * 1024 * 1024
_SHORT = 32  # hexadecimal digits
_LONG = 2000  # characters
_HEADING = re.compile(
    r"^ {0,3}\#[ \t]+(?P<line>[^\n]*)|^ {0,3}<h1(?:\s[^<>]*)?>(?P<raw>.{,1000}?)</h1\s*>", re.M | re.S | re.I
)
_SETEXT = re.compile(r"^ {0,3}(\S[^\n]*)\n {0,3}=+ *$", re.M)
_FENCE = re.compile(r"^ {0,3}(```+|~~~+)", re.M)
_NO_TEXT = re.compile(  # fences, comments and raw elements of code, in which no line is a heading
    r"^ {0,3}(?:(?P<fence>```+|~~~+)[^\n]*\n.*?(?:^ {0,3}(?P=fence)|\Z)|(?P<comment><!--).*?(?:-->|\Z)"
    r"|<(?P<raw>pre|script|style)\b.*?(?:</(?P=raw)>|\Z))",
    re.M | re.S | re.I,
)
_MARKED = re.compile(r"[\\`<\[*_~&{]")
_OWN_ID = re.compile(r"\s*\{:?\s*#[^\s\"'{}<>]+(?:\s+[^{}<>]*)?\}\s*$")
_INLINE = re.compile(
    r"""
    \\(?P<escaped>[!-/:-@\[-`{-~])
  | (?P<ticks>`+)(?P<code>.+?)(?<!`)(?P=ticks)(?!`)
  | <!--.*?--> | <(?P<address>[A-Za-z][A-Za-z0-9+.\-]+:[^\s<>]*)> | <(?P<br>br\s*/?)> | </?[A-Za-z][^<>]*>
  | \[\^[^\[\]]+\]
  | !?\[(?P<label>(?:[^\[\]]|\[[^\[\]]*\](?:\([^()]*\))?)*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\])
  | (?P<entity>&\#?\w+;) | ~~ | `+ | \*+ | (?<!\w)_+ | _+(?!\w)
    """,
    re.X | re.S,
)


TEXT_KEYS = frozenset(  # what is written there is text, numbers too
    ("title", "description", "tags", "keywords", "author", "authors", "guid", "language", "lang", "canonical", "icons")
    + ("open_graph", "twitter", "nav_title", "cover", "slug", "permalink", "aliases", "redirect_from")
)  # fmt: skip
_ONE_TEXT = ("author", "guid", "language", "lang")
KNOWN_KEYS = TEXT_KEYS | frozenset(
    ("alternates", "robots", "json_ld", "date", "updated", "lastmod", "last_updated", "draft", "order", "nav", "toc")
    + ("search", "llms", "sitemap")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Front:
    """What is known of one file without rendering it."""

    title: str = ""  # of the front matter, else the first heading
    description: str = ""
    date: datetime | None = None  # aware
    updated: datetime | None = None  # aware
    tags: tuple[str, ...] = ()
    draft: bool = False
    meta: Mapping[str, Any] = field(default_factory=dict)  # all front matter
    lines: Mapping[str, int] = field(default_factory=dict)  # of its keys
    body_line: int = 1  # 1-based line of the file where the Markdown starts
    digest: str = ""  # sha256 of the file, hexadecimal
    head: str = ""  # digest of what the document says of itself, of its body only whether there is one
    may_include: bool = False  # the body may name other files


ReadFront = Callable[[Path, str, ZoneInfo], tuple[Front, tuple[Diagnostic, ...]]]
"""Takes the site's folder, a file of it, and the zone of dates. As `read_front`."""


def read_front(root: Path, file: str, zone: ZoneInfo) -> tuple[Front, tuple[Diagnostic, ...]]:
    """Read the front matter of one file. Findings: `encoding-error`, `front-matter-error`, `file-too-large`.

    Raises `OSError`.
    """
    path = root / file
    if path.stat().st_size > MAX_BYTES:
        hint = f"split it; {MAX_BYTES // 1024 // 1024} MiB is the limit of a document"
        return Front(), (Diagnostic("file-too-large", f"{file} is too large", Location(file), hint),)
    data = read(str(path))
    found = parse(data, file, TEXT_KEYS)
    reader = _Meta(found, file, zone)
    reader.check_names()
    written = reader.text("title")
    heading = "" if written else first_heading(found.body)
    description = reader.text("description")
    joined = " ".join(description.split())
    has_text = bool(found.body) and not found.body.isspace()
    said = json.dumps([found.meta, heading, has_text], separators=(",", ":")).encode("ascii")
    front = Front(
        title=written or heading,
        description=description if joined == description else joined,  # one object, so that it is held once
        date=reader.date("date"),
        updated=reader.date("updated", "lastmod", "last_updated"),
        tags=reader.tags(),
        draft=reader.flag("draft"),
        meta=found.meta,
        lines=shared_numbers(tuple(found.lines.items())),
        body_line=found.body_line,
        digest=hashlib.sha256(data).hexdigest(),
        head=hashlib.sha256(said).hexdigest()[:_SHORT],
        may_include=may_include(data),
    )
    return front, (*found.findings, *reader.findings)


_FLAG = (bool, "true or false", "false")
_IDLE_KINDS: Mapping[str, tuple[Any, str, str]] = {  # keys whose other values are taken for none
    **dict.fromkeys(("nav", "toc", "search", "llms", "sitemap"), _FLAG),
    "order": ((int, float), "a number", "1"),
    "nav_title": (str, "text", '"…"'),
    "cover": (str, "text", '"…"'),
}


class _Meta:
    """Reads the keys that mean something to us and collects what does not fit."""

    def __init__(self, found: FrontMatter, file: str, zone: ZoneInfo) -> None:
        self.meta = found.meta
        self.lines = found.lines
        self.file = file
        self.zone = zone
        self.findings: list[Diagnostic] = []

    def fault(self, key: str, message: str, hint: str) -> None:
        at = Location(self.file, self.lines.get(key))
        self.findings.append(Diagnostic("front-matter-error", message, at, hint))

    def text(self, key: str) -> str:
        value = self.meta.get(key)
        if value is None or (isinstance(value, Mapping) and key == "title"):
            return ""
        if isinstance(value, str | int | float):
            return str(value).strip()
        self.fault(key, f"{key} must be text", f'write {key}: "…"')
        return ""

    def check_names(self) -> None:
        """Find keys that differ from a known one only by letter case, and values of the wrong type."""
        for key in self.meta:
            if key not in KNOWN_KEYS and (known := key.lower()) in KNOWN_KEYS and known not in self.meta:
                at = Location(self.file, self.lines.get(key))
                message = f'"{key}" is not read: keys are in small letters'
                self.findings.append(warning("front-matter-error", message, at, f'write "{known}"'))
        for key in _ONE_TEXT:
            value = self.meta.get(key)
            if value is not None and not isinstance(value, str):
                hint = f'write {key}: "…"' + (", or authors: [one, two]" if key == "author" else "")
                self.fault(key, f"{key} must be text", hint)
            elif value and key in ("lang", "language") and not is_language_tag(value):
                self.fault(key, f'{key} is no language tag: "{value}"', language_hint(value))
        for key, (kinds, name, example) in _IDLE_KINDS.items():
            value = self.meta.get(key)
            if value is None or (isinstance(value, kinds) and isinstance(value, bool) == (kinds is bool)):
                continue
            if kinds is bool and str(value).lower() in ("yes", "on", "true", "1"):
                example = "true"
            at = Location(self.file, self.lines.get(key))
            message = f"{key} has no effect here: it must be {name}"
            self.findings.append(warning("front-matter-error", message, at, f"write {key}: {example}"))

    def date(self, *keys: str) -> datetime | None:
        key = next((k for k in keys if self.meta.get(k) not in (None, "")), None)
        if key is None:
            return None
        found = parse_date(self.meta[key], self.zone)
        if found is None:
            meant = probable_date(str(self.meta[key])) or "2026-01-31"
            self.fault(key, f'{key} is not a date: "{self.meta[key]}"', f"write {key}: {meant}")
        return found

    def flag(self, key: str) -> bool:
        value = self.meta.get(key, False)
        if isinstance(value, bool):
            return value
        self.fault(key, f'{key} must be true or false, not "{value}"', f"write {key}: true")
        return False

    def tags(self) -> tuple[str, ...]:
        value = self.meta.get("tags") or []
        names = value.split(",") if isinstance(value, str) else value
        if isinstance(names, list) and all(isinstance(name, str | int | float) for name in names):
            return tuple(dict.fromkeys(text for name in names if (text := str(name).strip())))
        self.fault("tags", "tags must be a list of texts", "write tags: [one, two]")
        return ()


def first_heading(body: str) -> str:
    """The text of the first H1 outside of code and comments, without its marks; "" when there is none."""
    fence = _FENCE.search(body)
    head = body[: fence.start()] if fence else body
    found = None if "<" in head else _heading(head)
    if found is None and (fence or "<" in head):
        found = _heading(_NO_TEXT.sub(_unclosed, body))
    text = found[found.lastindex or 0].rstrip(" \t") if found else ""
    closed = text.rstrip("#")
    text = closed if closed != text and closed[-1:] in ("", " ", "\t") else text
    return plain(_OWN_ID.sub("", text) if len(text) < _LONG else text)


def _unclosed(found: re.Match[str]) -> str:
    """What stays of what may be no text: a comment that is never closed is shown."""
    return found[0] if found["comment"] and not found[0].endswith("-->") else ""


def _heading(text: str) -> re.Match[str] | None:
    found = (found for found in (_HEADING.search(text), _SETEXT.search(text)) if found)
    return min(found, key=lambda one: one.start(), default=None)


def plain(text: str) -> str:
    """Inline Markdown as plain text: `**a** [b](c)` → `a b`."""
    is_marked = _MARKED.search(text) and len(text) < _LONG  # what is longer is no title
    return " ".join((_INLINE.sub(_shown, text) if is_marked else text).split())


def _shown(part: re.Match[str]) -> str:
    """What a mark of inline Markdown shows as text."""
    if part["code"] is not None:
        return part["code"].strip()
    if part["label"] is not None:
        return plain(part["label"])
    return part["escaped"] or part["address"] or (" " if part["br"] else unescape(part["entity"] or ""))


SUFFIXES = (".md", ".markdown")
_RENAME = "rename it"
_CONVERT = "convert it to Markdown, such as with pandoc"
_UNREAD = {
    **dict.fromkeys(("MD", "Md", "mD", "MARKDOWN", "Markdown", "mdown", "mkd", "mkdn", "mdwn"), _RENAME),
    **dict.fromkeys(
        ("mdx", "MDX", "mdoc", "markdoc", "qmd", "Rmd", "rmd", "njk"),
        "rename it; Markdown is never run as code",
    ),
    **dict.fromkeys(
        ("rst", "adoc", "asciidoc", "org", "textile", "ipynb", "wiki", "mediawiki", "creole"), _CONVERT
    ),
}  # suffixes of documents that are not read, and what to do


@dataclass(frozen=True, slots=True)
class Entry(Front):
    """One Markdown document without its body: what it says of itself, and where it answers."""

    file: str = ""  # relative to the site, POSIX
    collection: str = ""  # name; "" for a page.md
    slug: str = ""  # "a/b"; "" for the index of the collection
    url: str = ""  # decoded; "" for a page.md, which has its route's
    locale: str = ""  # its language; "" is the default
    original: str = ""  # decoded URL of the document in the default language, where it is not that itself
    is_fallback: bool = False  # the document of the default language, shown where a translation is missing

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(self.slug.split("/")) if self.slug else ()


_FRONT = attrgetter(*Front.__match_args__)
ENTRY = codec_of(Entry)


def read_collection(
    config: Config, collection: Collection, pattern: Pattern, fronts: ReadFront = read_front
) -> tuple[Sequence[Entry], tuple[Diagnostic, ...]]:
    """Read the front matter of every document of a collection, sorted by slug.

    Findings: `unsafe-path`, `encoding-error`, `front-matter-error`, `invalid-static-params`.
    """
    unread, findings = _unread_entries(config, collection, pattern)
    entries = table(ENTRY, len(unread))
    is_moved = False
    for place in sorted(unread, key=lambda entry: entry.segments):
        entry, faults = read_entry(config, place, fronts)
        findings += faults
        if entry and collection.list and (fault := _dated_by_name(entry)):
            findings.append(fault)
        if entry and is_public(entry, config):
            own, moved = _at_own_address(entry, pattern, config)
            findings += moved
            is_moved = is_moved or own.slug != entry.slug
            entries.append(own)
    if is_moved:
        sorted_entries = sorted(entries, key=lambda entry: entry.segments)
        entries = table(ENTRY, len(sorted_entries))
        entries.extend(sorted_entries)
    return entries, tuple(findings)


def with_text_of(entry: Entry, front: Front) -> Entry | None:
    """A document whose file was read again; None where it says other things of itself, or includes other files."""
    titled = front if front.title else replace(front, title=_name_title(entry.file))
    made = replace(entry, digest=front.digest)
    return made if _FRONT(made) == _FRONT(titled) and not front.may_include else None


_DATED = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})-(.+)")  # as Jekyll names posts


def _dated_by_name(entry: Entry) -> Diagnostic | None:
    """Warn of a post that has its date in its name only."""
    found = _DATED.fullmatch(entry.slug.rpartition("/")[2])
    if not found or entry.date:
        return None
    message = f"{entry.file} has its date in its name only, so the list does not know it"
    hint = f"write date: {found[1]}, and slug: {found[2]} where the address shall be without it"
    return warning("front-matter-error", message, Location(entry.file, 1), hint)


def _at_own_address(entry: Entry, pattern: Pattern, config: Config) -> tuple[Entry, list[Diagnostic]]:
    """A document at the address that its front matter asks for."""
    asked = asked_addresses(entry.meta, config.site.base_path)
    at = Location(entry.file, entry.lines.get("slug"))
    if asked.slug:
        if not entry.segments:
            message = f"{entry.file} answers at the address of its collection, which has no last segment"
            hint = "write permalink, or change the route of the collection"
            return entry, [Diagnostic("front-matter-error", message, at, hint)]
        segments = (*entry.segments[:-1], asked.slug)
        url, finding = _url(pattern, segments, entry.file)
        if finding:
            return entry, [finding]
        entry = replace(entry, slug="/".join(segments), url=url)
    return replace(entry, url=asked.permalink) if asked.permalink else entry, []


def aliases_of(entry: Entry, url: str, config: Config) -> tuple[str, ...]:
    """The other addresses of a document, which answers at `url`."""
    found = asked_addresses(entry.meta, config.site.base_path).aliases
    return tuple(alias for alias in found if alias != url)


def alias_place(entry: Entry) -> Location:
    """Where a document names its aliases."""
    lines = (entry.lines[key] for key in ALIAS_KEYS if key in entry.lines)
    return Location(entry.file, next(lines, None))


def _unread_entries(
    config: Config, collection: Collection, pattern: Pattern
) -> tuple[list[Entry], list[Diagnostic]]:
    """The documents of a collection by their files and addresses alone."""
    entries: list[Entry] = []
    findings: list[Diagnostic] = []
    unread: dict[str, list[str]] = {}
    others = frozenset(config.languages[1:]) if not collection.locale else frozenset()
    if not (config.root / collection.source).is_dir() and not collection.locale:
        message = f'the collection "{collection.name}" has no folder {collection.source}'
        findings.append(
            Diagnostic("config-error", message, collection.location, "make the folder, or correct source")
        )
    for found in walk(
        config.root,
        collection.source,
        skip=lambda path: path.rpartition("/")[2].startswith(".") or path in others,
        out=config.out,
    ):
        if isinstance(found, Diagnostic):
            findings.append(found)
        elif (suffix := found.path.rpartition(".")[2]) in _UNREAD and not found.path.endswith(SUFFIXES):
            unread.setdefault(suffix, []).append(f"{collection.source.strip('/')}/{found.path}")
        elif found.path.endswith(SUFFIXES):
            entry, fault = _placed(collection, pattern, found.path)
            entries += [entry] if entry else []
            findings += [fault] if fault else []
    for suffix, files in sorted(unread.items()):
        more = f" (and so for {len(files) - 1} more)" if len(files) > 1 else ""
        message = f'{files[0]} is not read: documents end with ".md"{more}'
        findings.append(warning("unknown-export", message, Location(files[0]), _UNREAD[suffix]))
    return entries, findings


def is_public(entry: Entry, config: Config) -> bool:
    """Whether a document is published: no draft, not dated in the future, unless the command line says so."""
    if entry.draft and not config.options.drafts:
        return False
    return config.options.future or entry.date is None or entry.date <= config.now


def slug_of(path: str, collection: Collection | None = None) -> tuple[str, ...]:
    """`guides/intro.md` → `("guides", "intro")`; `index.md`, and what the collection names, stands for its folder."""
    name = path.rpartition("/")[2]
    is_index = name.rpartition(".")[0] == "index" or bool(collection and name in collection.index)
    parts = nfc(path.rpartition(".")[0]).split("/")
    slug = tuple(parts[:-1] if is_index else parts)
    return tuple(part.lower() for part in slug) if collection and collection.lowercase else slug


def _url(pattern: Pattern, segments: Sequence[str], file: str) -> tuple[str, Diagnostic | None]:
    """The URL of a document under the collection's route."""
    name = pattern.params[0]
    if not segments:
        return Pattern(pattern.segments[:-1]).fill({}), None
    if pattern.segments[-1].is_catch_all:
        return pattern.fill({name: tuple(segments)}), None
    if len(segments) == 1:
        return pattern.fill({name: segments[0]}), None
    message = f"{file} lies in a subfolder, but the route {pattern} takes one segment"
    hint = f"write the route with [...{name}], or move the file up"
    return "", Diagnostic("invalid-static-params", message, Location(file), hint)


def _placed(collection: Collection, pattern: Pattern, path: str) -> tuple[Entry | None, Diagnostic | None]:
    """Where a document of a collection answers; None and `invalid-static-params` where it cannot."""
    file = f"{collection.source.strip('/')}/{path}"
    segments = slug_of(path, collection)
    for segment in segments:
        if fault := segment_fault(segment):
            message = f'"{segment}" cannot be part of a URL: {fault}'
            hint = "rename the file or folder"
            return None, Diagnostic("invalid-static-params", message, Location(file), hint)
    url, finding = _url(pattern, segments, file)
    if finding:
        return None, finding
    if fault := path_fault(url[1:] or "index"):
        message = f"the address of this document cannot be a path: {fault}"
        hint = "shorten the names of the folders above it"
        return None, Diagnostic("invalid-static-params", message, Location(file), hint)
    return Entry(file=file, collection=collection.name, slug="/".join(segments), url=url), None


def read_entry(
    config: Config, place: Entry, fronts: ReadFront = read_front
) -> tuple[Entry | None, tuple[Diagnostic, ...]]:
    """Read the front matter of one document, and what it includes; `place` is the document before it is read.

    Findings: those of `fronts`, `unsafe-path` and `include-error`.
    """
    try:
        front, findings = fronts(config.root, place.file, config.zone)
        if front.may_include:
            text = parse(read(f"{config.root}/{place.file}"), place.file).body
            found = with_includes(config, place.file, text, front.body_line)
            said = (front.digest, *(f"{path} {digest}" for path, digest in sorted(found.files.items())))
            front = replace(front, digest=hashlib.sha256("\n".join(said).encode()).hexdigest())
            findings = (*findings, *found.findings)
    except OSError as fault:
        message = f"{place.file} cannot be read: {fault.strerror}"
        return None, (Diagnostic("unsafe-path", message, Location(place.file), "let it be read"),)
    findings = (*findings, *_address_faults(config, place, front))
    if any(finding.is_error for finding in findings):
        return None, findings
    at = {name: getattr(place, name) for name in ("file", "collection", "slug", "url")}
    entry = Entry(*_FRONT(front), **at)
    return entry if entry.title else replace(entry, title=_name_title(place.file)), findings


def _address_faults(config: Config, place: Entry, front: Front) -> Iterator[Diagnostic]:
    """What is wrong with the addresses that a document gives itself."""

    def at(key: str) -> Location:
        return Location(place.file, front.lines.get(key))

    found: list[Diagnostic] = []
    asked_addresses(
        front.meta,
        config.site.base_path,
        lambda key, message, hint: found.append(Diagnostic("front-matter-error", message, at(key), hint)),
    )
    yield from found
    yield from foreign_keys(front.meta, at)
    yield from foreign_names(front.meta, at)
    for key in ("slug", "permalink"):
        if not place.collection and front.meta.get(key) is not None:
            message = f"{key} has no effect here: a page answers at the address of its folder"
            yield warning("front-matter-error", message, at(key), "rename the folder, or write aliases")


def _name_title(file: str) -> str:
    stem = file.rpartition("/")[2].rpartition(".")[0]
    if stem in {"index", "page"}:
        stem = file.split("/")[-2] if file.count("/") > 1 else stem
    words = stem.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:]
