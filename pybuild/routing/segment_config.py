"""The values that module settings may have.

Owns one rule a setting. Knows no route; that a setting is a literal is `inspect`'s to say.
Sources: Next.js 16, "Route Segment Config" and "opengraph-image" (alt, size, content type), in snake_case
and for a build without a server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

from pybuild.diagnostics import Diagnostic, Location, did_you_mean
from pybuild.routing.module_facts import ModuleFacts

_STATIC = ("force-static", "error")
_SERVED = ("auto", "force-dynamic")
_FETCH_CACHE = (
    "auto",
    "default-cache",
    "default-no-store",
    "force-cache",
    "force-no-store",
    "no-store",
    "only-cache",
    "only-no-store",
)
_Fault = tuple[str, str]  # what it must be, and the order to follow


def check_settings(module: ModuleFacts) -> tuple[Diagnostic, ...]:
    """Check the value of every setting. Codes: `invalid-setting`, `not-force-static`."""
    findings = []
    for name, setting in module.settings.items():
        at = Location(module.file, setting.line, setting.column)
        if name == "dynamic" and setting.value in _SERVED:
            message = f'dynamic = "{setting.value}" needs a server, and an export has none'
            findings.append(Diagnostic("not-force-static", message, at, 'write dynamic = "force-static"'))
        elif fault := _RULES[name](setting.value):
            message = f"{name} = {setting.value!r}: {fault[0]}"
            findings.append(Diagnostic("invalid-setting", message, at, fault[1]))
    return tuple(findings)


def _must(
    accepts: Callable[[object], bool], reason: str, hint: str, words: Sequence[str] = ()
) -> Callable[[object], _Fault | None]:
    """A rule for one kind of value; `words` are those that another one may have meant."""

    def fault(value: object) -> _Fault | None:
        if accepts(value):
            return None
        near = did_you_mean(value, words) if words and isinstance(value, str) else ""
        return reason, near or hint

    return fault


def _dynamic_params(value: object) -> _Fault | None:
    if value is False:
        return None
    if value is True:
        hint = "write False or delete the line, and return every path from generate_static_params()"
        return "nothing serves a path that was not exported", hint
    return "it must be False", "write dynamic_params = False, or delete the line"


def _revalidate(value: object) -> _Fault | None:
    if value is False or (_is_whole(value) and value >= 1):
        return None
    if value == 0:
        return (
            "0 asks for an answer made at each request",
            "write the age in seconds to rebuild after, or False",
        )
    return "it must be False or a whole number of seconds", "write revalidate = 3600"


def _is_size(value: object) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"width", "height"}:
        return False
    return all(_is_whole(side) and side >= 1 for side in value.values())


def _is_seconds(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and 0 < value < math.inf


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)


_RULES: Mapping[str, Callable[[object], _Fault | None]] = {
    "allow_empty": _must(
        lambda value: isinstance(value, bool), "it must be True or False", "write allow_empty = True"
    ),
    "alt": _must(
        lambda value: isinstance(value, str), "it must be text", 'write alt = "What the picture shows"'
    ),
    "content_type": _must(
        lambda value: isinstance(value, str) and value.startswith("image/"),
        "it must be the media type of an image",
        'write content_type = "image/png"',
    ),
    "dynamic": _must(
        lambda value: value in _STATIC,
        'it must be "force-static" or "error"',
        'write dynamic = "force-static"',
        _STATIC + _SERVED,
    ),
    "dynamic_params": _dynamic_params,
    "fetch_cache": _must(
        lambda value: value in _FETCH_CACHE,
        "it has no such value",
        'write fetch_cache = "force-cache", or delete the line',
        _FETCH_CACHE,
    ),
    "inputs": _must(_is_texts, "it must be a list of globs", 'write inputs = ["content/**"]'),
    "max_duration": _must(_is_seconds, "it must be a number of seconds above 0", "write max_duration = 30"),
    "preferred_region": _must(
        lambda value: isinstance(value, str) or _is_texts(value),
        "it must be text or a list of text",
        "delete the line: it changes nothing in an export",
    ),
    "revalidate": _revalidate,
    "runtime": _must(
        lambda value: value in ("python", "nodejs"),
        "every route runs in Python when the site is built",
        'write runtime = "python", or delete the line',
    ),
    "size": _must(
        _is_size, "it must be a width and a height in pixels", 'write size = {"width": 1200, "height": 630}'
    ),
}
