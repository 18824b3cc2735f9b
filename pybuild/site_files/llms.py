"""`llms.txt` and `llms-full.txt`: the site for agents, as an index and as one text.

Owns the grammar that every reader of llms.txt takes, the sections, and the split of what grows too long.
Knows no Markdown but the head of a variant. Source: llmstxt.org and its reference parser (PyPI `llms-txt`).

A section lies at its collection's folder (`/docs/[...slug]` → `docs/llms.txt`); route groups, the remaining
pages and collections without a folder of their own lie below `llms/` (`llms/pages.txt`).
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice

from pybuild.compact import Selection, ordered
from pybuild.config.languages import language_of, locale_name
from pybuild.config.loader import Config, locate_text
from pybuild.diagnostics import Diagnostic, did_you_mean, warning
from pybuild.look.strings import text as words_of
from pybuild.records import Artifact, Page
from pybuild.site_files import NO_ORDER, SiteOrder
from pybuild.site_files.selection import is_listed
from pybuild.site_files.variants import KeptText, Variants
from pybuild.site_files.xml_text import one_line
from pybuild.urls import absolute

ORIGIN = "[llms]"
OPTIONAL = "Optional"  # a reader short of room may skip the section of this name
_FRONT_MATTER = re.compile(r"\A---\n.*?^---\n+", re.S | re.M)
_POINTER = re.compile(r"\A> [^\n]*llms\.txt[^\n]*\n+")
_HEADING = re.compile(r"\A# [^\n]*\n+")
_BRACKETS = str.maketrans("[]", "()")
_URL_ENTITIES = str.maketrans({"(": "%28", ")": "%29", " ": "%20"})


@dataclass(frozen=True, slots=True)
class Section:
    """Pages under one heading, and where their own files would lie."""

    title: str  # unique
    index: str  # path: "docs/llms.txt"
    full: str  # path: "docs/llms-full.txt"
    optional: bool
    pages: Sequence[Page]  # in the order of the tree, else of their URLs
    folders: tuple[tuple[str, int], ...] = ()  # heading of each folder and how many pages it has, in order


@dataclass(frozen=True, slots=True)
class Link:
    """One line of a list."""

    title: str
    href: str  # absolute, encoded
    note: str = ""


def llms_index(
    pages: Collection[Page], config: Config, order: SiteOrder = NO_ORDER
) -> Iterator[Artifact | Diagnostic]:
    """Yield `llms.txt`; past `llms.split` characters a file a section too, and `llms.txt` lists those."""
    if not config.settings.llms.enabled:
        return
    yield from _unknown_sections(pages, config) if not config.locale else ()
    sections = _sections(pages, config, order)
    lines = [
        [_line(Link(p.title or p.url, p.variant or p.href, p.description)) for p in section.pages]
        for section in sections
    ]
    groups = [group for s, own in zip(sections, lines, strict=True) for group in _groups(s, own)]
    if sum(map(len, chain(*lines))) <= config.settings.llms.split:
        whole = _index_document(config, groups)
        if len(whole) <= config.settings.llms.split:
            yield _artifact(_path(config, "llms.txt"), whole)
            return
    for section, own in zip(sections, lines, strict=True):
        head = _head(config, section.title)
        room = config.settings.llms.split - len(head)
        parts = _grouped(_groups(section, list(own)), room)
        yield from _files(section, section.index, (head + part for part in parts), config)
    listed = _list_of_files(sections, config, lambda section: section.index)
    yield _artifact(_path(config, "llms.txt"), listed)


def _unknown_sections(pages: Collection[Page], config: Config) -> Iterator[Diagnostic]:
    known = {"pages", *config.settings.collections, *(page.group for page in pages if page.group)}
    for name in config.settings.llms.optional:
        if name not in known:
            message = f'llms.optional names "{name}", which is no collection and no route group'
            hint = did_you_mean(name, known) or f"known here: {', '.join(sorted(known))}"
            yield warning("config-error", message, locate_text(config, ("llms", "optional"), name), hint)


def _groups(section: Section, lines: Sequence[str]) -> Iterator[tuple[str, bool, Sequence[str]]]:
    """The lines of a section, a group for each folder."""
    start = 0
    for title, count in section.folders or ((section.title, len(lines)),):
        yield title, section.optional, lines[start : start + count]
        start += count


def llms_full(
    pages: Collection[Page], config: Config, variants: Variants, order: SiteOrder = NO_ORDER
) -> Iterator[Artifact]:
    """Yield `llms-full.txt`: every page's text. Past `llms.full` characters it lists a file a section.

    Of a part that is what it was, the file stays that was published.
    """
    if not config.settings.llms.enabled:
        return
    sections = _sections(pages, config, order)
    path, head = _path(config, "llms-full.txt"), _full_head(config)
    count = sum(len(section.pages) for section in sections)
    whole = _Text(
        path,
        head,
        config.settings.llms.full,
        lambda at: chain.from_iterable(section.pages for section in sections),
        count,
        lambda number, at, size: path if size == count else "",
    )
    first = next(_parts(whole, variants), None)
    if first is None or first.path:
        yield first or _artifact(path, head)
        return
    for section in sections:
        yield from _section_full(section, variants, config)
    yield _artifact(path, _list_of_files(sections, config, lambda section: section.full))


@dataclass(frozen=True, slots=True)
class _Text:
    """The texts of pages, in files of at most `limit` characters."""

    name: str
    head: str  # of each file
    limit: int
    pages: Callable[[int], Iterable[Page]]  # from one on
    count: int
    path: Callable[
        [int, int, int], str
    ]  # of a part: its number, its first page and how many it has; "" for no file


def _parts(text: _Text, variants: Variants) -> Iterator[Artifact]:
    """Yield a text in parts; a page that is longer than one is a part of its own."""
    at = number = 0
    opening = f"{text.limit}\0{text.head}"
    while at < text.count:
        name = f"{text.name} {number}"
        key, size, digest = variants.last_part(name)
        path = text.path(number, at, size)
        same = key and key == variants.part_digest(opening, islice(text.pages(at), size + 1))
        if same and (not path or variants.holds(path, digest)):
            made = Artifact(path, ORIGIN, digest=digest)
        else:
            texts = (_full_text(page, variants.read) for page in text.pages(at))
            fitting = _fitting(texts, text.limit - len(text.head))
            size = len(fitting)
            path = text.path(number, at, size)
            made = _artifact(path, text.head + "".join(fitting))
            key = variants.part_digest(opening, islice(text.pages(at), size + 1))
        if not same:
            urls = [page.url for page in islice(text.pages(at), size + 1)]
            variants.parts.pages[name] = [text.limit, text.head, path, urls]
        variants.parts.made[name] = key, size, path
        yield made
        at, number = at + size, number + 1


def part_again(kept: KeptText, size: int, pages: Sequence[Page], variants: Variants) -> Artifact | None:
    """A part with the texts of now, of as many pages as before; None where it has more or fewer now."""
    texts = (_full_text(page, variants.read) for page in pages)
    fitting = _fitting(texts, kept.limit - len(kept.head))
    return _artifact(kept.path, kept.head + "".join(fitting)) if len(fitting) == size else None


def _fitting(texts: Iterable[str], limit: int) -> list[str]:
    """As many texts as have at most `limit` characters together, or the first."""
    held: list[str] = []
    size = 0
    for text in texts:
        size += len(text)
        if held and size > limit:
            break
        held.append(text)
    return held


def _sections(pages: Collection[Page], config: Config, site: SiteOrder) -> list[Section]:
    """Collections in the order of the settings, then route groups by name, then the other pages."""
    collections = config.settings.collections
    held: dict[tuple[int, str], list[int]] = {}
    known = ordered(pages, "url")
    for place, page in enumerate(known):
        if is_listed(page) and page.in_llms:
            held.setdefault(_section_key(page, config), []).append(place)
    order = [*((0, name) for name in collections), *sorted(key for key in held if key[0])]
    names, files = {OPTIONAL}, set[str]()
    found = []
    for key in (key for key in order if key in held):
        numbers, folders = _in_order(known, held[key], site)
        section = _section(key, Selection(known, numbers), config, names, files)
        headings = tuple(
            (_unused(f"{section.title}: {one_line(label)}", names, " "), n) for label, n in folders if label
        )
        bare = tuple((section.title, n) for label, n in folders if not label)
        found.append(replace(section, folders=(*bare, *headings)))
    return found


def _in_order(
    known: Sequence[Page], numbers: Iterable[int], site: SiteOrder
) -> tuple[list[int], list[tuple[str, int]]]:
    """Pages in the order of the tree, folder by folder, those beside the folders first; and the size of each folder."""
    folders: dict[str, list[tuple[int, int]]] = {}
    for number in numbers:
        rank, label = site.sections.get(known[number].url, (sys.maxsize, ""))
        folders.setdefault(label, []).append((rank, number))
    every = [(label, sorted(pages)) for label, pages in folders.items()]
    every.sort(key=lambda folder: (folder[0] != "", folder[1][0]))
    return [number for _, pages in every for _, number in pages], [
        (label, len(pages)) for label, pages in every
    ]


def _section_key(page: Page, config: Config) -> tuple[int, str]:
    """(rank of its kind, name) of the section a page belongs to."""
    if page.collection in config.settings.collections:
        return (0, page.collection)
    return (1, page.group) if page.group else (2, "pages")


def _section(
    key: tuple[int, str], pages: Sequence[Page], config: Config, names: set[str], files: set[str]
) -> Section:
    """Name a section. `names` and `files` hold what is given away, and are added to."""
    kind, name = key
    collection = config.settings.collections.get(locale_name(name, config.locale)) if kind == 0 else None
    title = one_line(collection.title if collection else "") or _title_of(name, config)
    base = _folder(collection.route) if collection else ""
    own = _path(config, "llms/")
    if base in ("", config.locale) or base in files:
        base = _unused(own + _slug(name), files, "-")
    files.add(base)
    inside = not base.startswith(own)
    return Section(
        title=_unused(title, names, " "),
        index=f"{base}/llms.txt" if inside else f"{base}.txt",
        full=f"{base}/llms-full.txt" if inside else f"{base}-full.txt",
        optional=name in config.settings.llms.optional,
        pages=pages,
    )


def _path(config: Config, name: str) -> str:
    """The path of a file of the site in its language."""
    return f"{config.prefix}/{name}"[1:]


def _unused(name: str, taken: set[str], joint: str) -> str:
    """Add a number where the name is taken, and take it: `Docs`, `Docs 2`, `Docs 3`."""
    free, number = name, 1
    while free in taken:
        number += 1
        free = f"{name}{joint}{number}"
    taken.add(free)
    return free


def _title_of(name: str, config: Config) -> str:
    if config.locale and name == "pages":
        return words_of(config.site.language, "llms_pages")
    words = one_line(re.sub(r"[-_]+", " ", name))
    return words[:1].upper() + words[1:] or "Pages"


def _slug(name: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-") or "section"


def _folder(route: str) -> str:
    """The static head of a route: `/docs/[...slug]` → `docs`; `""` where it starts with a parameter."""
    head = route.strip("/").split("[", 1)[0]
    return head.rpartition("/")[0] if "[" in route else head


def _line(link: Link) -> str:
    """`- [title](url): note`; readers end the title at the first `]` and the URL at the first `)`."""
    href = link.href.translate(_URL_ENTITIES)
    title = one_line(link.title).translate(_BRACKETS).rstrip("\\ ") or href
    note = one_line(link.note)
    return f"- [{title}]({href}){': ' + note if note else ''}\n"


def _head(config: Config, section: str = "") -> str:
    """Title, summary and one paragraph: without the paragraph readers lose the summary."""
    site, asked = config.site, config.settings.llms
    name = one_line(site.title) or site.url
    title = f"{name}: {section}" if section else name
    said = ("", "") if config.locale else (asked.summary, asked.details)  # written in the default language
    summary = one_line(said[0] or site.description) or words_of(site.language, "llms_summary", name)
    full = absolute(site.url, "/" + _path(config, "llms-full.txt"))
    details = one_line(said[1]) or words_of(site.language, "llms_details", full)
    # A heading here would open a section, and a quote would join the summary.
    details = "\\" + details if details[0] in "#>-" else details
    return f"# {title}\n\n> {summary}\n\n{details}\n"


def _index_document(config: Config, groups: Iterable[tuple[str, bool, Iterable[str]]]) -> str:
    """Write a whole llms.txt of (section title, whether it is optional, lines)."""
    parts, optional = [_head(config)], list[str]()
    for title, is_optional, lines in groups:
        if is_optional:
            optional += lines
        else:
            parts.append(_list(title, lines))
    if others := list(_other_languages(config)):
        parts.append(_list(words_of(config.site.language, "languages"), others))
    if optional:
        parts.append(_list(OPTIONAL, optional))
    return "".join(parts)


def _other_languages(config: Config) -> Iterator[str]:
    """A line for the index of each other language of the site."""
    codes = config.languages
    for code in codes:
        locale = code if code != codes[0] else ""
        if locale != config.locale:
            url = absolute(config.site.url, f"/{locale}/llms.txt" if locale else "/llms.txt")
            yield _line(Link(language_of(config.settings, code).label, url))


def _list(title: str, lines: Iterable[str]) -> str:
    return f"\n## {title}\n\n{''.join(lines)}"


def _list_of_files(sections: Iterable[Section], config: Config, path: Callable[[Section], str]) -> str:
    def line(section: Section) -> str:
        count = len(section.pages)
        note = words_of(config.site.language, "documents", count)
        return _line(Link(section.title, absolute(config.site.url, "/" + path(section)), note))

    rows = list(sections)
    named = [line(section) for section in rows if not section.optional]
    spare = [line(section) for section in rows if section.optional]
    title = words_of(config.site.language, "sections")
    return _index_document(config, [(title, False, named)] * bool(named) + [(OPTIONAL, True, spare)])


def _grouped(groups: Iterable[tuple[str, bool, Sequence[str]]], limit: int) -> Iterator[str]:
    """Join the lines of groups to parts of at most `limit` characters; each part begins with a heading."""
    held = ""
    for title, _, lines in groups:
        for number, line in enumerate(lines):
            added = line if number and held else _list(title, (line,))
            if held and len(held) + len(added) > limit:
                yield held
                held, added = "", _list(title, (line,))
            held += added
    yield held


def _section_full(section: Section, variants: Variants, config: Config) -> Iterator[Artifact]:
    pages, count = section.pages, len(section.pages)
    text = _Text(
        section.full,
        _full_head(config, section.title),
        config.settings.llms.full,
        lambda at: (pages[place] for place in range(at, count)),
        count,
        lambda number, at, size: section.full if size == count else _part_path(section.full, number + 1),
    )
    parts = 0
    for made in _parts(text, variants):
        yield made
        parts += 1
    if parts > 1:
        yield _list_of_parts(section, section.full, parts, config)


def _files(section: Section, path: str, texts: Iterator[str], config: Config) -> Iterator[Artifact]:
    """One text is the file; several are numbered, and the file lists them."""
    held, number = next(texts), 0
    for number, text in enumerate(texts, 1):
        yield _artifact(_part_path(path, number), held)
        held = text
    if not number:
        yield _artifact(path, held)
        return
    yield _artifact(_part_path(path, number + 1), held)
    yield _list_of_parts(section, path, number + 1, config)


def _list_of_parts(section: Section, path: str, count: int, config: Config) -> Artifact:
    """The file that lists the parts of another one."""
    links = (
        Link(
            f"{section.title}, part {part} of {count}",
            absolute(config.site.url, "/" + _part_path(path, part)),
        )
        for part in range(1, count + 1)
    )
    return _artifact(path, _head(config, section.title) + _list(section.title, map(_line, links)))


def _part_path(path: str, number: int) -> str:
    return f"{path.removesuffix('.txt')}-{number}.txt"


def _full_head(config: Config, section: str = "") -> str:
    head, _, _ = _head(config, section).rpartition("\n\n")
    return head + "\n\n"


def _full_text(page: Page, read: Callable[[Page], str]) -> str:
    """A page's variant under its title and source, without its own front matter, pointer and title."""
    body = read(page)
    for opening in (_FRONT_MATTER, _POINTER, _HEADING):
        body = opening.sub("", body, count=1)
    return f"# {one_line(page.title) or page.url}\n\nSource: {page.href}\n\n{body.strip()}\n\n"


def _artifact(path: str, text: str) -> Artifact:
    return Artifact(path, ORIGIN, (text.rstrip("\n") + "\n").encode())
