"""What `generate_static_params` returned, held against the pattern it fills.

Owns the check of one entry. Knows no module and no file; what a value may hold is `urls.segment_fault`.
Source: Next.js 16, "generateStaticParams", with snake_case and stricter values.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from pybuild.routing.segments import Pattern, Refused, Segment
from pybuild.urls import path_fault, segment_fault

_SHOWN = 60  # characters of a value in a message

Params = Mapping[str, str | tuple[str, ...]]  # a tuple for a catch-all


def check_params(
    pattern: Pattern, entry: object, known: Params | None = None
) -> dict[str, str | tuple[str, ...]] | list[Refused]:
    """Hold one entry of `generate_static_params` against its pattern.

    `known` are params that a parent segment gave; an entry that gives one another value is a fault. Returns the
    params of the pattern in its order (str, or a tuple of str for a catch-all), or every fault (`invalid-static-params`).
    """
    if not isinstance(entry, Mapping):
        first = pattern.params[0] if pattern.params else "slug"
        return [
            _bad(f"an entry is {_kind(entry)}, not a mapping", f'return a list such as [{{"{first}": "a"}}]')
        ]
    given = {**(known or {}), **entry}
    others = [
        _bad(
            f'"{name}" is {_shown(given[name])} where the parent segment gave {_shown(value)}',
            f'leave "{name}" out, or take it from the params that the function is given',
        )
        for name, value in (known or {}).items()
        if (tuple(given[name]) if isinstance(given[name], list) else given[name]) != value
    ]
    if others:
        return others
    spare = [key for key in given if isinstance(key, str) and key not in pattern.params]
    results = {s.name: _value(s, given, spare) for s in pattern.segments if s.is_param}
    faults = [result for result in results.values() if isinstance(result, Refused)]
    params = {name: result for name, result in results.items() if not isinstance(result, Refused)}
    if not faults and (fault := path_fault(pattern.fill(params)[1:] or "index")):
        faults = [
            _bad(f"{_shown(dict(entry))} makes a path that cannot be written: {fault}", "shorten the values")
        ]
    return faults or params


def _value(
    segment: Segment, given: Mapping[str, object], spare: list[str]
) -> str | tuple[str, ...] | Refused:
    """Check the value of one parameter."""
    name, value = segment.name, given.get(segment.name)
    if value is None and segment.kind == "optional_catch_all":
        return ()
    if value is None:
        example = '["a", "b"]' if segment.is_catch_all else '"…"'
        said = f'"{segment.name}" is None' if segment.name in given else f'"{segment.name}" is missing'
        near = difflib.get_close_matches(segment.name, sorted(spare), n=1)
        fix = f'rename "{near[0]}" to "{segment.name}"' if near else f'write "{segment.name}": {example}'
        return _bad(said, fix)
    if not segment.is_catch_all:
        if not isinstance(value, str):
            hint = f'write "{segment.name}": ' + ("str(…)" if isinstance(value, (int, float)) else '"…"')
            return _bad(f'"{segment.name}" is {_kind(value)}, not a str', hint)
        fault = _segment_value_fault(segment.prefix, value, segment.suffix)
        hint = "write decoded text that is one path segment, or leave the entry out"
        if "/" in value:
            hint = (
                f"name the folder [...{segment.name}] and return {value.split('/')!r}, or leave the entry out"
            )
        return _bad(f'"{segment.name}" cannot be {_shown(value)}: {fault}', hint) if fault else _plain(value)
    if isinstance(value, str):
        return _bad(
            f'"{name}" is a str, but a catch-all takes a list', f'write "{name}": {value.split("/")!r}'
        )
    if not isinstance(value, (list, tuple)):
        return _bad(f'"{name}" is {_kind(value)}, not a list of str', f'write "{name}": ["a", "b"]')
    if not value and segment.kind == "catch_all":
        hint = f"leave the entry out, or name the folder [[...{name}]]"
        return _bad(f'"{name}" is an empty list', hint)
    return _texts(segment, tuple(value))


def _texts(segment: Segment, values: tuple[object, ...]) -> tuple[str, ...] | Refused:
    last = len(values) - 1
    for index, value in enumerate(values):
        if not isinstance(value, str):
            fix = "str(…)" if isinstance(value, (int, float)) else '"…"'
            return _bad(
                f'an item of "{segment.name}" is {_kind(value)}, not a str',
                f'write "{segment.name}": [{fix}]',
            )
        prefix = segment.prefix if index == 0 else ""
        suffix = segment.suffix if index == last else ""
        if fault := _segment_value_fault(prefix, value, suffix):
            hint = "write decoded text, one path segment an item, or leave the entry out"
            return _bad(f'"{segment.name}" cannot hold {_shown(value)}: {fault}', hint)
    return tuple(_plain(value) for value in values if isinstance(value, str))


def _plain(value: str) -> str:
    """The text of a value whose type is a kind of str, such as a member of an enumeration."""
    return str.__str__(value)


def _segment_value_fault(prefix: str, value: str, suffix: str) -> str | None:
    return segment_fault(prefix + value + suffix) if value else "it is empty"


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def _kind(value: object) -> str:
    return "None" if value is None else f"of type {type(value).__name__}"


def _bad(reason: str, hint: str) -> Refused:
    return Refused(reason, "invalid-static-params", hint)
