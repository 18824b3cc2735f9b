"""Settings of modules that change nothing where they are written.

Owns one warning for each such setting, with a count. That a value is allowed is `routing.segment_config`'s to say.
Source: Next.js 16, "Route Segment Config".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.routing.module_facts import ModuleFacts, Setting
from pybuild.routing.segment_config import check_settings
from pybuild.source.unread import texts_of

_FETCHES = re.compile(rb"\bfetch(?:_async)?\b")
_OF_PAGES = (
    "fetch_cache",
    "max_duration",
)  # of the module that a page or handler is made by, not of a layout
_SAYS: Mapping[str, tuple[str, str]] = {
    "runtime": (
        "has no effect: every route runs in Python when the site is exported",
        'delete the line, or write runtime = "python"',
    ),
    "preferred_region": (
        "has no effect: nothing runs where the site is served",
        "delete the line, and choose regions in the settings of the host",
    ),
    "fetch_cache": (
        "has no effect: no module of the site calls fetch or fetch_async of pybuild",
        "delete the line, or ask with fetch(url), which remembers answers",
    ),
    "layout": (
        "has no effect in a layout",
        "write it into page.py or route.py: it is said for each by itself",
    ),
}


def idle_settings(root: Path, modules: Iterable[ModuleFacts]) -> Iterator[Diagnostic]:
    """Find the settings without effect. Code: the warning `unknown-export`."""

    def fetches() -> bool:
        return any(_FETCHES.search(text) for text in texts_of(root, (".py",)).values())

    is_fetching = cache(fetches)
    found: dict[tuple[str, str], list[tuple[ModuleFacts, Setting]]] = {}
    for module in modules:
        refused = {finding.location.line for finding in check_settings(module)}
        for name, setting in module.settings.items():
            if setting.line not in refused and (why := _why(module, name, setting, is_fetching)):
                found.setdefault((name, why), []).append((module, setting))
    for (name, why), places in found.items():
        message, hint = _SAYS[why]
        others = len(places) - 1
        more = f", here and in {others} more {'module' if others == 1 else 'modules'}" if others else ""
        module, setting = places[0]
        at = Location(module.file, setting.line, setting.column)
        yield warning("unknown-export", f"{name} {message}{more}", at, hint)


def _why(module: ModuleFacts, name: str, setting: Setting, is_fetching: Callable[[], bool]) -> str:
    """The sentence of `_SAYS` for a setting; "" where it has an effect."""
    if name in _OF_PAGES and module.file.endswith("/layout.py"):
        return "layout"
    if name == "preferred_region" or (name == "runtime" and setting.value == "nodejs"):
        return name
    if name == "fetch_cache" and not is_fetching():
        return name
    return ""
