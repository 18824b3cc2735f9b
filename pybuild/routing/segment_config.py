"""The values that module settings may have.

Owns one rule a setting. Knows no route; that a setting is a literal is `inspect`'s to say.
Sources: Next.js 16, "Route Segment Config" and "opengraph-image" (alt, size, content type), in snake_case
and for a build without a server.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
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


def _dynamic(value: object) -> _Fault | None:
    if value in _STATIC:
        return None
    near = did_you_mean(value, _STATIC + _SERVED) if isinstance(value, str) else ""
    return 'it must be "force-static" or "error"', near or 'write dynamic = "force-static"'


def _dynamic_params(value: object) -> _Fault | None:
    if value is False:
        return None
    if value is True:
        hint = "write False or delete the line, and return every path from generate_static_params()"
        return "nothing serves a path that was not exported", hint
    return "it must be False", "write dynamic_params = False, or delete the line"


def _allow_empty(value: object) -> _Fault | None:
    return None if isinstance(value, bool) else ("it must be True or False", "write allow_empty = True")


def _inputs(value: object) -> _Fault | None:
    if _is_texts(value):
        return None
    return "it must be a list of globs", 'write inputs = ["content/**"]'


def _revalidate(value: object) -> _Fault | None:
    if value is False or (_is_whole(value) and value >= 1):
        return None
    if value == 0:
        return (
            "0 asks for an answer made at each request",
            "write the age in seconds to rebuild after, or False",
        )
    return "it must be False or a whole number of seconds", "write revalidate = 3600"


def _fetch_cache(value: object) -> _Fault | None:
    if value in _FETCH_CACHE:
        return None
    near = did_you_mean(value, _FETCH_CACHE) if isinstance(value, str) else ""
    return "it has no such value", near or 'write fetch_cache = "force-cache", or delete the line'


def _runtime(value: object) -> _Fault | None:
    if value in ("python", "nodejs"):
        return None
    return "every route runs in Python when the site is built", 'write runtime = "python", or delete the line'


def _preferred_region(value: object) -> _Fault | None:
    if isinstance(value, str) or _is_texts(value):
        return None
    return "it must be text or a list of text", "delete the line: it changes nothing in an export"


def _max_duration(value: object) -> _Fault | None:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value > 0 and math.isfinite(value):
        return None
    return "it must be a number of seconds above 0", "write max_duration = 30"


def _alt(value: object) -> _Fault | None:
    return None if isinstance(value, str) else ("it must be text", 'write alt = "What the picture shows"')


def _content_type(value: object) -> _Fault | None:
    if isinstance(value, str) and value.startswith("image/"):
        return None
    return "it must be the media type of an image", 'write content_type = "image/png"'


def _size(value: object) -> _Fault | None:
    if isinstance(value, Mapping) and set(value) == {"width", "height"}:
        sides = tuple(value.values())
        if all(_is_whole(side) and side >= 1 for side in sides):
            return None
    return "it must be a width and a height in pixels", 'write size = {"width": 1200, "height": 630}'


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_texts(value: object) -> bool:
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) and item for item in value)


_RULES: Mapping[str, Callable[[object], _Fault | None]] = {
    "allow_empty": _allow_empty,
    "alt": _alt,
    "content_type": _content_type,
    "dynamic": _dynamic,
    "dynamic_params": _dynamic_params,
    "fetch_cache": _fetch_cache,
    "inputs": _inputs,
    "max_duration": _max_duration,
    "preferred_region": _preferred_region,
    "revalidate": _revalidate,
    "runtime": _runtime,
    "size": _size,
}
