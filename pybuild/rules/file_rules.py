"""What a host must know of the files of a site.

Owns the types, headers and names of files that a host does not find of itself, each written once for a whole
folder where that can be. Knows no host and no setting. Source: RFC 9110 §8.3 (Content-Type) and §7.6.1.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from pybuild.diagnostics import Diagnostic, Location
from pybuild.records import File, Files, Headers, Redirection
from pybuild.rules.media_types import same_type, type_of
from pybuild.rules.model import Rewrite, SetHeaders, SetType
from pybuild.rules.owned_headers import HOST_OWNED
from pybuild.rules.patterns import Destination, Param, PathPattern, Slot, Text

_NO_RULE = HOST_OWNED | {"content-type"}  # a type is a rule of its own kind
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_REST = "[^/.]+"  # a last segment without a suffix
Value = TypeVar("Value", bound=Hashable)
_Folder = tuple[str, str]  # and a suffix


@dataclass(frozen=True, slots=True)
class FileRules:
    """Rules for files."""

    names: tuple[
        Rewrite, ...
    ]  # for files whose URL is not their path: `/api/posts` → `/api/posts/index.json`
    renamed: dict[str, str]  # the paths of these files, by URL
    headers: tuple[SetHeaders, ...]  # that handlers and pages answered with
    types: tuple[SetType, ...]  # for files whose suffix does not say their type
    findings: tuple[Diagnostic, ...]


def rules_for_files(
    files: Files, redirections: Iterable[Redirection] = (), more: Mapping[str, Headers] = MappingProxyType({})
) -> FileRules:
    """Look at every file of a folder in which one, or an answered redirect, is not what a host finds of itself.

    `more` has further headers of files by path. Finding: `bad-response` for a header that no host can carry.
    """
    redirections = tuple(redirections)
    notable = {one.url.rpartition("/")[0] for one in redirections if one.headers}
    for file in files.values():
        if file.headers or file.path in more or _odd_type(file) or _ending(file):
            notable.update(folders_of(file))
    names, types, headers = _Grouped[str](), _Grouped[str](), _Grouped[Headers]()
    renamed: dict[str, str] = {}
    origins: dict[Headers, tuple[str, str]] = {}  # who answered with them: the first by URL
    findings: list[Diagnostic] = []
    answers: list[tuple[str, Headers, str]] = []  # URL, headers, who answered
    for file in files.values():
        if notable.isdisjoint(folders_of(file)):
            continue
        url, ending = file.url or "/" + file.path, _ending(file)
        if ending:
            renamed[url] = file.path
        names.add(url, ending)
        types.add("/" + file.path, _odd_type(file))
        answers.append((url, (*more.get(file.path, ()), *file.headers), file.origin))
    answers += [(one.url, one.headers, one.file) for one in redirections]
    for url, said, origin in answers:
        findings += _unsound(said, url, origin) if said else ()
        pairs = _kept(said)
        headers.add(url, pairs)
        origins[pairs] = min(origins.get(pairs, (url, origin)), (url, origin))
    return FileRules(
        tuple(_name(source, ending) for source, ending in names.patterns()),
        renamed,
        tuple(SetHeaders(Location(origins[pairs][1]), source, pairs) for source, pairs in headers.patterns()),
        tuple(SetType(source, media_type) for source, media_type in types.patterns()),
        tuple(findings),
    )


def folders_of(file: File) -> tuple[str, str]:
    """The folders whose files rules are written for together, by URL and by path."""
    path = "/" + file.path
    return (file.url or path).rpartition("/")[0], path.rpartition("/")[0]


def _name(source: PathPattern, ending: str) -> Rewrite:
    path = tuple(Slot("name") if isinstance(part, Param) else part for part in source.parts)
    end = ending if source.source != "/" else ending[1:]
    return Rewrite(Location(), source, Destination(source.source + end, "", (*path, Text(end))))


def _ending(file: File) -> str:
    """What a host must put behind the URL to find the file: `/index.json`; "" where it finds it of itself."""
    path = "/" + file.path
    plain = path.removesuffix("index.html") if path.endswith("/index.html") else path.removesuffix(".html")
    if file.url in ("", "/" + plain.strip("/")):  # a host finds pages without their suffix, else by the path
        return ""
    stem = file.url.rstrip("/")
    assert path.startswith(stem + "/"), f"{file.path} is not below its URL {file.url}"
    return path[len(stem) :]


def _odd_type(file: File) -> str:
    """The type of a file whose suffix does not say it; "" for others."""
    said = file.media_type
    return "" if not said or same_type(said, type_of(file.path)) else said


def _kept(headers: Headers) -> Headers:
    """The headers that a host must have rules for, sorted; those it cannot carry have a finding of their own."""
    named = ((name, value.strip()) for name, value in headers if name.lower() not in _NO_RULE)
    return tuple(sorted(pair for pair in named if is_sound(*pair)))


def is_sound(name: str, value: str) -> bool:
    """Whether a header can stand in every rule file: a token, and printable ASCII on one line."""
    return bool(_TOKEN.fullmatch(name)) and value.isascii() and value.isprintable()


def _unsound(headers: Headers, url: str, origin: str) -> Iterator[Diagnostic]:
    for name, value in headers:
        if name.lower() not in _NO_RULE and not is_sound(name, value.strip()):
            message = f"{url} answers with the header {name!r}, which no host can carry"
            hint = "use a name of letters, digits and -, and printable ASCII on one line as its value"
            yield Diagnostic("bad-response", message, Location(origin), hint)


class _Grouped(Generic[Value]):
    """Values by URL, in as few patterns as they can be said in. An empty value is none.

    So 10,000 files of one handler need one rule: `/api/posts/1`, … → `/api/posts/:name`.
    """

    def __init__(self) -> None:
        self._told: dict[str, Value] = {}
        self._kinds: dict[_Folder, set[Value]] = {}

    def add(self, url: str, value: Value) -> None:
        """Of two values of a URL the last counts."""
        self._kinds.setdefault(_folder(url), set()).add(value)
        if value:
            self._told[url] = value
        else:
            self._told.pop(url, None)

    def patterns(self) -> Iterator[tuple[PathPattern, Value]]:
        """One pattern for all URLs of a folder, or of a folder and suffix, where all have one value; else one for each
        that has one.
        """
        whole = self._whole_folders()
        yield from (
            (PathPattern(f"{folder}/:name", (Text(folder + "/"), Param("name"))), value)
            for folder, value in sorted(whole.items())
        )
        members: dict[_Folder, list[str]] = {}
        for url in sorted(self._told):
            if url.rpartition("/")[0] in whole:
                continue
            members.setdefault(_folder(url), []).append(url)
        for folder, urls in sorted(members.items()):
            if len(urls) > 1 and len(self._kinds[folder]) == 1:
                name, suffix = folder
                end = (Text(suffix),) if suffix else ()
                parts = (Text(name + "/"), Param("name", _REST), *end)
                yield PathPattern(f"{name}/:name{suffix}", parts), self._told[urls[0]]
            else:
                yield from ((PathPattern(url, (Text(url),)), self._told[url]) for url in urls)

    def _whole_folders(self) -> dict[str, Value]:
        """The folders in which URLs of several suffixes all have one value."""
        kinds: dict[str, list[set[Value]]] = {}
        for (folder, _), values in self._kinds.items():
            kinds.setdefault(folder, []).append(values)
        several = {folder: set[Value]().union(*sets) for folder, sets in kinds.items() if len(sets) > 1}
        return {
            folder: value
            for folder, values in several.items()
            if len(values) == 1 and (value := next(iter(values)))
        }


def _folder(url: str) -> _Folder:
    folder, _, name = url.rpartition("/")
    has_suffix = "." in name.strip(".") and not name.startswith(".")
    return folder, name[name.index(".") :] if has_suffix else ""
