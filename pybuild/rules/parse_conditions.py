"""Reading `has` and `missing`, and the collecting of findings that all rule tables share.

Owns the reader that notes what does not fit, at its own line. Knows no kind of rule.
Source: Next.js, "Header, Cookie, and Query Matching"; docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import cast, get_args

from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.rules.model import NEGOTIATED, Condition, ConditionType
from pybuild.rules.regexes import PatternError, check_regex

KeyPath = tuple[str | int, ...]
Locate = Callable[[KeyPath], Location]
HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class Reader:
    """Collects what does not fit, at its own line."""

    def __init__(self, locate: Locate) -> None:
        self.locate = locate
        self.findings: list[Diagnostic] = []

    def shape(self, path: KeyPath, message: str, hint: str) -> None:
        self.findings.append(Diagnostic("config-error", message, self.locate(path), hint))

    def fault(self, path: KeyPath, message: str, hint: str) -> None:
        self.findings.append(Diagnostic("invalid-rule", message, self.locate(path), hint))

    def text(self, table: Mapping[str, object], key: str, path: KeyPath) -> str:
        """The text at `key`, or "" with a finding."""
        value = table.get(key)
        if isinstance(value, str) and value:
            return value
        if key in table:
            self.shape((*path, key), f"{key} must be text in quotes", f'write {key} = "…"')
        else:
            self.fault(path, f"the rule has no {key}", f'write {key} = "…"')
        return ""

    def known(self, table: Mapping[str, object], keys: frozenset[str], path: KeyPath) -> None:
        for key in table.keys() - keys:
            hint = did_you_mean(key, keys) or f"known here: {', '.join(sorted(keys))}"
            self.shape((*path, key), f'unknown setting "{key}" in [[{path[0]}]]', hint)


def parse_conditions(
    reader: Reader, entry: Mapping[str, object], key: str, path: KeyPath
) -> tuple[Condition, ...]:
    listed = entry.get(key, [])
    if not isinstance(listed, list) or not all(isinstance(item, dict) for item in listed):
        hint = f'write {key} = [{{ type = "header", key = "…" }}]'
        reader.shape((*path, key), f"{key} must be a list of tables", hint)
        return ()
    read = (_condition(reader, item, (*path, key, index)) for index, item in enumerate(listed))
    return tuple(condition for condition in read if condition)


def _condition(reader: Reader, item: Mapping[str, object], path: KeyPath) -> Condition | None:
    reader.known(item, frozenset({"type", "key", "value"}), path)
    kind = item.get("type")
    if kind not in get_args(ConditionType):
        known = get_args(ConditionType)
        hint = (isinstance(kind, str) and did_you_mean(kind, known)) or f"write one of {', '.join(known)}"
        reader.fault(
            (*path, "type"), f'a condition has no type "{kind}"' if kind else "a condition has no type", hint
        )
        return None
    value = reader.text(item, "value", path) if "value" in item or kind == "host" else ""
    key = "" if kind == "host" else reader.text(item, "key", path)
    return _checked_condition(reader, Condition(cast(ConditionType, kind), key, value), path)


def _checked_condition(reader: Reader, found: Condition, path: KeyPath) -> Condition | None:
    try:
        check_regex(found.value)
    except PatternError as fault:
        reader.fault((*path, "value"), str(fault), fault.hint)
        return None
    if found.type == "header":
        if not HEADER_NAME.fullmatch(found.key):
            reader.fault(
                (*path, "key"), f'"{found.key}" is no header name', 'write a name such as "x-preview"'
            )
        return Condition("header", found.key.lower(), found.value)
    if found.type == "accept" and (found.key not in NEGOTIATED or found.value):
        hint = f'write key = "{NEGOTIATED[0]}" or "{NEGOTIATED[1]}", and no value'
        reader.fault(path, "an accept condition tells Markdown from HTML only", hint)
    if found.type in {"cookie", "query"} and not re.fullmatch(r"[A-Za-z0-9_.~-]+", found.key):
        reader.fault(
            (*path, "key"), f'"{found.key}" is no portable {found.type} name', "use letters, digits, _ . ~ -"
        )
    return found
