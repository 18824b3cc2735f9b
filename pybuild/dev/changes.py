"""What changes in the folder of a site, seen by `watchfiles`.

Owns which files count. Knows no meaning of a change.
Source: watchfiles, "awatch" and "Filters".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import Change, DefaultFilter, awatch

_DEBOUNCE = 60  # milliseconds in which the changes of one save are gathered
_STEP = 20  # milliseconds without a change after which they are passed on
_PAUSE = 0.5  # seconds between two looks for a folder that has gone


class SiteFilter(DefaultFilter):
    """Leaves out the output, the state, and what editors and tools write beside sources."""

    ignore_entity_patterns = (
        *DefaultFilter.ignore_entity_patterns,
        r"^4913$",  # of Vim, which tries out a folder
        r"^\.#",
        r"^#.*#$",
        r"\.tmp$",
        r"___jb_(?:tmp|old)___$",
    )

    def __init__(self, left_out: Iterable[Path]) -> None:
        """`left_out` are folders, absolute."""
        ignored = (*DefaultFilter.ignore_dirs, ".pybuild", ".pytest_cache", ".ruff_cache")
        super().__init__(ignore_dirs=ignored, ignore_paths=tuple(left_out))

    def __call__(self, change: Change, path: str) -> bool:
        return super().__call__(change, path) and not path.endswith(".pyc")


async def changes(root: Path, left_out: Iterable[Path]) -> AsyncIterator[frozenset[str]]:
    """Yield the files that changed together, relative to the site; an empty set where anything may have."""
    judge = SiteFilter(left_out)
    while True:
        try:
            async for seen in awatch(
                root, watch_filter=judge, debounce=_DEBOUNCE, step=_STEP, recursive=True
            ):
                yield frozenset(Path(path).relative_to(root).as_posix() for _, path in seen)
                if not root.is_dir():
                    break
        except (FileNotFoundError, OSError, RuntimeError):
            pass
        while not root.is_dir():
            await asyncio.sleep(_PAUSE)
        await asyncio.sleep(_PAUSE)
        yield frozenset()
