"""Rule tables of the settings, read into rules.

Owns the checks that need one rule alone (keys, shapes, patterns, statuses, `has` and `missing`), with what does not fit
as findings at its own line; `locate` tells where a key was written. Knows no page and no host.
Sources: Next.js, "redirects", "rewrites", "headers", "Header, Cookie, and Query Matching"; docs/rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast, get_args

from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.rules.model import (
    NEGOTIATED,
    REDIRECT_STATUSES,
    RULE_TABLES,
    Condition,
    ConditionType,
    Method,
    Proxy,
    ProxyHeader,
    Redirect,
    Rewrite,
    Rule,
    SetHeaders,
)
from pybuild.rules.owned_headers import HOST_OWNED
from pybuild.rules.patterns import (
    Destination,
    PathPattern,
    PatternError,
    check_regex,
    parse_destination,
    parse_pattern,
)

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
    if kind == "accept" and "key" not in item:
        item = {"key": item.get("value")} if "value" in item else {}
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
    if found.type == "host":
        if re.search(r"/|:\d*$", found.value):
            message = "a host is compared without its scheme and its port"
            reader.fault((*path, "value"), message, 'write the name alone, such as "www\\.example\\.com"')
        return Condition(
            "host", "", _CAPITAL.sub(lambda part: part[0].lower() if part[1] else part[0], found.value)
        )
    if found.type == "accept" and (found.key not in NEGOTIATED or found.value):
        hint = f'write key = "{NEGOTIATED[0]}" or "{NEGOTIATED[1]}", and no value'
        reader.fault(path, "an accept condition tells Markdown from HTML only", hint)
    if found.type in {"cookie", "query"} and not re.fullmatch(r"[A-Za-z0-9_.~-]+", found.key):
        reader.fault(
            (*path, "key"), f'"{found.key}" is no portable {found.type} name', "use letters, digits, _ . ~ -"
        )
    return found


_CAPITAL = re.compile(r"\\.|\(\?P?<\w+>|([A-Z])")  # outside of what is another thing in small letters


RULE_KEYS: Mapping[str, frozenset[str]] = {
    "redirects": frozenset({"source", "destination", "permanent", "status", "has", "missing"}),
    "rewrites": frozenset({"source", "destination", "has", "missing"}),
    "headers": frozenset({"source", "headers", "has", "missing"}),
    "proxies": frozenset({"source", "destination", "methods", "headers", "has", "missing"}),
}
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def parse_rules(
    tables: Mapping[str, object], locate: Locate
) -> tuple[tuple[Rule, ...], tuple[Diagnostic, ...]]:
    """Read the rule tables of the settings, in the order of `RULE_TABLES` and then of the file.

    `locate` takes a path of keys such as `("redirects", 0, "source")`. A rule with a fault is left out.
    Findings: `config-error` for an unknown key or a wrong shape, `invalid-rule` for the rest.
    """
    reader = Reader(locate)
    rules: list[Rule] = []
    for name in RULE_TABLES:
        entries = tables.get(name, [])
        if not isinstance(entries, list):
            reader.shape((name,), f"{name} must be a list of tables", f"write [[{name}]] above each one")
            continue
        for index, entry in enumerate(entries):
            rule = _parse_rule(reader, name, entry, (name, index))
            rules += [rule] if rule else []
    return tuple(rules), tuple(reader.findings)


def _parse_rule(reader: Reader, name: str, entry: object, path: KeyPath) -> Rule | None:
    """Read one table of `[[name]]`; None with findings where it has a fault."""
    if not isinstance(entry, dict):
        reader.shape(path, f"each of {name} must be a table", f"write [[{name}]] above it")
        return None
    before = len(reader.findings)
    reader.known(entry, RULE_KEYS[name], path)
    source = parse_pattern("/")
    try:
        if text := reader.text(entry, "source", path):
            source = parse_pattern(text)
    except PatternError as fault:
        reader.fault((*path, "source"), str(fault), fault.hint)
    has, missing = (parse_conditions(reader, entry, key, path) for key in ("has", "missing"))
    build = {"redirects": _redirect, "rewrites": _rewrite, "headers": _set_headers, "proxies": _proxy}[name]
    rule = build(reader, entry, path, _Shared(reader.locate(path), source, has, missing))
    return rule if len(reader.findings) == before else None


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every kind of rule has."""

    location: Location
    source: PathPattern
    has: tuple[Condition, ...]
    missing: tuple[Condition, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What a destination may use: parameters of the source and named groups of `has`."""
        groups = (name for condition in self.has for name in check_regex(condition.value))
        return (*self.source.names, *groups)


def _destination(
    reader: Reader, entry: Mapping[str, object], path: KeyPath, shared: _Shared
) -> Destination | None:
    text = reader.text(entry, "destination", path)
    try:
        destination = parse_destination(text) if text else None
    except PatternError as fault:
        reader.fault((*path, "destination"), str(fault), fault.hint)
        return None
    for slot in destination.slots if destination else ():
        if slot.name not in shared.names:
            hint = did_you_mean(slot.name, shared.names) or (
                f"the source has {', '.join(':' + name for name in shared.names) or 'no parameters'}"
            )
            reader.fault((*path, "destination"), f'":{slot.name}" is not in the source', hint)
    return destination.bound(shared.source) if destination else None


def _redirect(reader: Reader, entry: Mapping[str, object], path: KeyPath, shared: _Shared) -> Redirect | None:
    destination = _destination(reader, entry, path, shared)
    status = _status(reader, entry, path)
    if destination is None:
        return None
    for name in re.findall(r":(\w+)", destination.fragment):
        if name in shared.names:
            message = f'":{name}" would stay as it is behind "#": a parameter has its place in the path or the query'
            hint = 'lead to the page without "#", or write one redirect for each value'
            reader.fault((*path, "destination"), message, hint)
    return Redirect(shared.location, shared.source, destination, status, shared.has, shared.missing)


def _status(reader: Reader, entry: Mapping[str, object], path: KeyPath) -> int:
    permanent, status = entry.get("permanent"), entry.get("status")
    if (permanent is None) == (status is None):
        message = (
            "a redirect needs permanent or status"
            if status is None
            else "permanent and status exclude each other"
        )
        reader.fault(path, message, "write permanent = true (308), permanent = false (307), or status = 301")
        return 307
    if status is None:
        if not isinstance(permanent, bool):
            reader.shape((*path, "permanent"), "permanent must be true or false", "write it without quotes")
        return 308 if permanent else 307
    if status not in REDIRECT_STATUSES or isinstance(status, bool):
        known = ", ".join(map(str, REDIRECT_STATUSES))
        reader.fault((*path, "status"), f"{status!r} is no status of a redirect", f"write one of {known}")
        return 307
    return status


def _rewrite(reader: Reader, entry: Mapping[str, object], path: KeyPath, shared: _Shared) -> Rewrite | None:
    destination = _destination(reader, entry, path, shared)
    if destination is None:
        return None
    if destination.is_external:
        message = f'a rewrite cannot lead to "{destination.origin}"'
        reader.fault((*path, "destination"), message, "write [[proxies]] in place of [[rewrites]]")
    if destination.query or destination.fragment:
        message = "a rewrite leads to a file, which has no query and no fragment"
        reader.fault((*path, "destination"), message, 'delete what follows "?" or "#"')
    return Rewrite(shared.location, shared.source, destination, shared.has, shared.missing)


def _set_headers(
    reader: Reader, entry: Mapping[str, object], path: KeyPath, shared: _Shared
) -> SetHeaders | None:
    pairs: list[tuple[str, str]] = []
    for name, value in _header_table(reader, entry, path):
        if not isinstance(value, str):
            reader.shape(
                (*path, "headers", name), f"the header {name} must be text in quotes", f'write {name} = "…"'
            )
        elif _sound_header(reader, name, value, (*path, "headers", name)):
            pairs.append((name, value))
    if any(name.lower() == "content-type" for name, _ in pairs) and (shared.has or shared.missing):
        hint = "set Content-Type in a rule of its own, without has and missing"
        reader.fault((*path, "headers"), "the type of a file cannot depend on a request", hint)
    return SetHeaders(shared.location, shared.source, tuple(pairs), shared.has, shared.missing)


def _header_table(
    reader: Reader, entry: Mapping[str, object], path: KeyPath
) -> tuple[tuple[str, object], ...]:
    table = entry.get("headers", {})
    if not isinstance(table, dict) or (not table and path[0] == "headers"):
        reader.shape(
            (*path, "headers"),
            "headers must be a table of names and values",
            'write headers = { X-Name = "…" }',
        )
        return ()
    return tuple(table.items())


def _sound_header(reader: Reader, name: str, value: str, path: KeyPath) -> bool:
    if not HEADER_NAME.fullmatch(name):
        reader.fault(path, f'"{name}" is no header name', "use letters, digits and -")
        return False
    if name.lower() in HOST_OWNED and path[0] == "headers":
        reader.fault(
            path, f"the header {name} is the host's own", "delete it; a host makes it of what it sends"
        )
        return False
    if not value.isascii() or not value.isprintable() or value != value.strip():
        reader.fault(
            path, f"the header {name} holds what a header cannot carry", "use printable ASCII on one line"
        )
        return False
    return True


def _proxy(reader: Reader, entry: Mapping[str, object], path: KeyPath, shared: _Shared) -> Proxy | None:
    destination = _destination(reader, entry, path, shared)
    methods = _methods(reader, entry, path)
    headers = tuple(_proxy_headers(reader, entry, path))
    if destination is None:
        return None
    if not destination.is_external or destination.fragment:
        hint = 'write the full address, such as "https://api.example.com/:path*", without "#"'
        reader.fault((*path, "destination"), "a proxy leads to another server", hint)
    return Proxy(shared.location, shared.source, destination, methods, headers, shared.has, shared.missing)


def _methods(reader: Reader, entry: Mapping[str, object], path: KeyPath) -> tuple[Method, ...]:
    listed = entry.get("methods", ["GET", "HEAD"])
    known = get_args(Method)
    if not isinstance(listed, list) or not listed or not all(method in known for method in listed):
        reader.fault(
            (*path, "methods"), "methods must be a list of request methods", f"use {', '.join(known)}"
        )
        return ()
    asked = {*listed, "HEAD"} if "GET" in listed else set(listed)
    return tuple(method for method in known if method in asked)


def _proxy_headers(reader: Reader, entry: Mapping[str, object], path: KeyPath) -> Iterator[ProxyHeader]:
    for name, value in _header_table(reader, entry, path):
        at = (*path, "headers", name)
        env = value.get("env") if isinstance(value, dict) and value.keys() == {"env"} else None
        if isinstance(value, str) and _sound_header(reader, name, value, at):
            yield ProxyHeader(name, value)
        elif isinstance(env, str) and _ENV_NAME.fullmatch(env) and _sound_header(reader, name, "", at):
            yield ProxyHeader(name, env=env)
        elif not isinstance(value, str):
            hint = f'write {name} = "…", or {name} = {{ env = "NAME" }}'
            reader.shape(at, f"the header {name} must be text or name an environment variable", hint)
