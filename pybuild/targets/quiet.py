"""Folders whose files need no code: a host answers for them itself, so that nobody pays for a function there.

Owns the choice of such folders and the headers that all their files share. Knows no host.
Source: docs/rules.md, the order of rules.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pybuild.artifact import File, Files, Headers
from pybuild.rules.evaluate import ADDITIVE, join_list
from pybuild.rules.media import same_type, type_of
from pybuild.rules.model import Rule, RuleSet, SetHeaders
from pybuild.rules.patterns import Text, print_regex, sent_literal
from pybuild.urls import encode

DEPTH = 2  # folders below folders are looked at down to here
_PLAIN = re.compile(r"[A-Za-z0-9._/-]{1,90}")  # a folder every host's own patterns can name


@dataclass(frozen=True, slots=True)
class Quiet:
    """A folder with the headers of everything in it."""

    folder: str  # relative to the output, without slashes around it
    headers: Headers


def quiet_folders(rules: RuleSet, files: Files, *, misses: bool) -> tuple[Quiet, ...]:
    """Choose folders without pages where no rule does more than add the same headers to each file.

    `misses` says that a request which finds no file there reaches the code anyway. Sorted by folder.
    """
    if rules.base:
        return ()
    below: dict[str, list[File]] = {}
    for path in sorted(files):
        for depth in range(1, min(path.count("/"), DEPTH) + 1):
            below.setdefault("/".join(path.split("/")[:depth]), []).append(files[path])
    found: list[Quiet] = []
    for folder, members in sorted(below.items()):
        if not any(folder.startswith(quiet.folder + "/") for quiet in found):
            headers = _shared(rules, folder, members, misses)
            found += [Quiet(folder, headers)] if headers is not None else []
    return tuple(found)


def _shared(rules: RuleSet, folder: str, members: list[File], misses: bool) -> Headers | None:
    """The headers that all files have, or None where the folder needs code."""
    if not _PLAIN.fullmatch(folder) or any(file.path.endswith((".html", ".md")) for file in members):
        return None
    leading: tuple[Rule, ...] = (*rules.redirects, *rules.rewrites)
    sent = [encode("/" + file.path) for file in members]
    if misses and any(_matches(rule, sent) for rule in leading):
        return None
    if not misses and any(_reaches(rule, folder) for rule in (*leading, *rules.proxies)):
        return None
    adding = [rule for rule in rules.headers if _reaches(rule, folder)]
    if any(rule.has or rule.missing for rule in adding):
        return None
    sets = {_headers(rules, adding, file) for file in members}
    return next(iter(sets)) if len(sets) == 1 else None


def _regex(rule: Rule) -> re.Pattern[str]:
    regex = print_regex(rule.source, literal=sent_literal)
    return re.compile(f"{regex}/?", re.ASCII | re.DOTALL)


def _matches(rule: Rule, sent: Iterable[str]) -> bool:
    regex = _regex(rule)
    return any(regex.fullmatch(path) for path in sent)


def _reaches(rule: Rule, folder: str) -> bool:
    """Whether a source may match below a folder, judged by the text it starts with."""
    first = rule.source.parts[0] if rule.source.parts else None
    start = first.text if isinstance(first, Text) else "/"
    return (start + "/").startswith(f"/{folder}/") or f"/{folder}/".startswith(start)


def _headers(rules: RuleSet, adding: list[SetHeaders], file: File) -> Headers:
    url, merged = "/" + file.path, dict(_type(rules, file))
    for rule in adding:
        if _regex(rule).fullmatch(encode(url)):
            for name, value in rule.headers:
                key = name.lower()
                merged[key] = (name, join_list(merged[key][1], value) if _adds(key, merged) else value)
    return tuple(merged[key] for key in sorted(merged))


def _adds(key: str, merged: dict[str, tuple[str, str]]) -> bool:
    return key in ADDITIVE and key in merged


def _type(rules: RuleSet, file: File) -> Iterator[tuple[str, tuple[str, str]]]:
    for rule in rules.types:
        if rule.source.match("/" + file.path) is not None:
            if not same_type(rule.media_type, type_of(file.path)):
                yield "content-type", ("Content-Type", rule.media_type)
            return
