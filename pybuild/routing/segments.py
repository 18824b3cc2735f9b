"""Folder names and route strings as patterns of URLs.

Owns the grammar of a segment (`docs`, `[slug].json`, `[...path]`, `[[...path]]`, `(group)`, `_private`),
and the pattern they make. Knows no file and no host.
Sources: Next.js 16, "Project structure", "Dynamic Segments", "Route Groups"; `urls.segment_fault` for names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pybuild.urls import nfc, segment_fault

Kind = Literal["static", "dynamic", "catch_all", "optional_catch_all", "group", "private"]

_PARAMETER = re.compile(
    r"([^\[\]]*)(\[\[\.\.\.([^\[\].]*)\]\]|\[\.\.\.([^\[\].]*)\]|\[([^\[\].]*)\])([^\[\]]*)"
)
_INTERCEPTS = re.compile(r"\(\.{1,3}\)")
_OPENINGS = {"dynamic": "[{}]", "catch_all": "[...{}]", "optional_catch_all": "[[...{}]]"}
_WILDCARDS = {"dynamic": "*", "catch_all": "**", "optional_catch_all": "**?"}
_CATCH_ALLS = frozenset({"catch_all", "optional_catch_all"})


@dataclass(frozen=True, slots=True)
class Segment:
    """One parsed folder name."""

    kind: Kind
    name: str  # decoded text of a static segment, else the name of the parameter, group or private folder
    prefix: str = ""  # literal text before a parameter; of a catch-all it opens the first value
    suffix: str = ""  # literal text behind a parameter; of a catch-all it closes the last value

    @property
    def is_param(self) -> bool:
        return self.kind in _OPENINGS

    @property
    def is_catch_all(self) -> bool:
        return self.kind in _CATCH_ALLS

    @property
    def shape(self) -> str:
        """The segment with its parameter's name left out: `[slug].json` → `*.json`."""
        return self.prefix + _WILDCARDS.get(self.kind, self.name) + self.suffix

    def __str__(self) -> str:
        """The folder name that parses to this segment."""
        text = self.prefix + _OPENINGS.get(self.kind, "{}").format(self.name) + self.suffix
        if self.kind == "group":
            return f"({text})"
        return "%5F" + text[1:] if text.startswith("_") and self.kind != "private" else text


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a name, a route string or an entry of params is not accepted."""

    reason: str  # a sentence without the place
    code: str
    hint: str


@dataclass(frozen=True, slots=True)
class Pattern:
    """The segments of a URL; route groups and private folders are never among them."""

    segments: tuple[Segment, ...] = ()

    @property
    def params(self) -> tuple[str, ...]:
        return tuple(segment.name for segment in self.segments if segment.is_param)

    @property
    def is_dynamic(self) -> bool:
        return any(segment.is_param for segment in self.segments)

    @property
    def shape(self) -> str:
        """A key that two patterns share when they answer the same URLs: `/docs/**`, `/feed-*.xml`."""
        return "/" + "/".join(segment.shape for segment in self.segments)

    def __str__(self) -> str:
        return "/" + "/".join(map(str, self.segments))

    def fill(self, params: Mapping[str, str | Sequence[str]]) -> str:
        """Make the decoded URL, in NFC: `/docs/[...slug]`, `{"slug": ("a", "b")}` → `/docs/a/b`.

        Precondition: `check_params` accepted `params`. An empty optional catch-all gives its parent.
        """
        parts: list[str] = []
        for segment in self.segments:
            if not segment.is_param:
                parts.append(segment.name)
                continue
            value = (
                params.get(segment.name, ()) if segment.kind == "optional_catch_all" else params[segment.name]
            )
            values = [value] if isinstance(value, str) else list(value)
            if values:
                values[0] = segment.prefix + values[0]
                values[-1] += segment.suffix
            parts += values
        return nfc("/" + "/".join(parts))

    @classmethod
    def parse(cls, text: str) -> Pattern | Refused:
        """Read a route string of the settings, such as `/docs/[...slug]`."""
        if not text.startswith("/") or (text.endswith("/") and text != "/"):
            fix = "/" + text.strip("/")
            return _invalid(f'"{text}" must start with "/" and not end with one', f'write "{fix}"')
        segments = []
        for part in text[1:].split("/") if text != "/" else ():
            segment = parse_segment(part)
            if isinstance(segment, Refused):
                return segment
            if segment.kind == "group":
                return _invalid(f'"{part}" is a route group, which is no part of a URL', "leave it out")
            if segment.kind == "private":
                return _invalid(f'"{part}" is private', f'write "%5F{part[1:]}" for a literal underscore')
            segments.append(segment)
        pattern = cls(tuple(segments))
        return sequence_fault(pattern) or pattern


def parse_segment(folder: str) -> Segment | Refused:
    """Read a folder name. Codes: `invalid-segment`, and `unsupported-feature` for `@slot` and `(.)name`."""
    folder = nfc(folder)
    if folder.startswith("@") or _INTERCEPTS.match(folder):
        what = "a parallel route" if folder.startswith("@") else "an intercepting route"
        hint = "make it an ordinary folder, or start its name with _ to keep it private"
        if folder.startswith("@"):
            hint += "; for a URL that starts with @, use [name] with values that do"
        return Refused(f'"{folder}" is {what}, which needs a client router', "unsupported-feature", hint)
    if folder.startswith("_"):
        return Segment("private", folder)
    if folder.startswith("(") and folder.endswith(")"):
        name = folder[1:-1]
        if not name or re.search(r"[()\[\]]", name):
            return _invalid(
                f'"{folder}" is not a route group', "write one name between the parentheses: (name)"
            )
        return Segment("group", name)
    text = re.sub(r"^%5[Ff]", "_", folder)
    if "[" in text or "]" in text:
        return _parameter(text, folder)
    fault = segment_fault(text)
    return (
        _invalid(f'"{folder}" cannot be part of a URL: {fault}', "rename it")
        if fault
        else Segment("static", text)
    )


def sequence_fault(pattern: Pattern) -> Refused | None:
    """Say what is wrong with the order of segments: a name used twice, or a catch-all that is not last."""
    names = pattern.params
    for name in names:
        if names.count(name) > 1:
            return _invalid(
                f'the parameter "{name}" is used twice in {pattern}', "give each parameter its own name"
            )
    if any(segment.is_catch_all for segment in pattern.segments[:-1]):
        return _invalid(
            f"the catch-all in {pattern} is not the last segment", "move it to the end, or use [name]"
        )
    return None


def _parameter(text: str, folder: str) -> Segment | Refused:
    found = _PARAMETER.fullmatch(text)
    if found is None:
        return _malformed(folder)
    prefix, _, optional, catch_all, single, suffix = found.groups()
    name = optional if optional is not None else catch_all if catch_all is not None else single
    if not f"_{name}".replace("-", "_").isidentifier() or not name:
        what = f'"{name}" is not a name' if name else "the brackets hold no name"
        return _invalid(
            f'{what} in "{folder}"', "write letters, digits, - and _ between the brackets: [slug]"
        )
    if fault := segment_fault(f"{prefix}x{suffix}"):
        return _invalid(
            f'the text around the parameter of "{folder}" cannot be part of a URL: {fault}', "rename it"
        )
    if optional is not None:
        if prefix or suffix:
            hint = f"write {prefix}[...{name}]{suffix}, and a second folder for the URL without it"
            return _invalid(f'there is text around the optional catch-all of "{folder}"', hint)
        return Segment("optional_catch_all", name)
    return Segment("dynamic" if catch_all is None else "catch_all", name, prefix, suffix)


def _malformed(folder: str) -> Refused:
    if re.fullmatch(r"[^\[\]]*\[\[[^\[\].]+\]\][^\[\]]*", folder):
        name = re.sub(r".*\[\[|\]\].*", "", folder)
        return _invalid(
            f'"{folder}" is not a segment', f"write [{name}], or [[...{name}]] for an optional catch-all"
        )
    if folder.count("[") > 1 and folder.count("[") == folder.count("]") and "[[" not in folder:
        return _invalid(
            f'"{folder}" holds two parameters', "write one parameter a segment, each in its own folder"
        )
    hint = "write [name], [...name] or [[...name]]"
    return _invalid(f'"{folder}" is not a segment: its brackets hold no parameter', hint)


def _invalid(reason: str, hint: str) -> Refused:
    return Refused(reason, "invalid-segment", hint)
