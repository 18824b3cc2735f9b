"""Documents read by workers before the site is.

Owns when that pays and how many go together. What no worker could read, or found a fault in, is left out: whoever reads
the site reads it again and says what is wrong. Knows no front matter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pybuild.cache.front_matter import packed_front
from pybuild.config.loader import Config
from pybuild.engines import Done, open_engine

_FEW = 1000  # files that are read sooner than workers start
_TOGETHER = 32  # files in a task


@dataclass(frozen=True, slots=True)
class ReadProgram:
    """Reads the front matter of files of the site."""

    config: Config

    def start(self) -> Callable[[Sequence[str]], list[tuple[str, bytes]]]:
        """A task is some files; its value is what was read of those without a fault."""
        return lambda files: [(file, front) for file in files if (front := packed_front(self.config, file))]


def read_documents(config: Config, files: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    """Front matter of documents by file, as `packed_front`, in any order; of few files, or with one worker, of none.

    The workers are of this machine whatever renders the pages: the files are here.
    """
    if len(files) <= _FEW or config.jobs < 2 or config.engine == "serial":
        return
    tasks = [files[place : place + _TOGETHER] for place in range(0, len(files), _TOGETHER)]
    limit = config.settings.build.timeout
    with open_engine("processes", ReadProgram(config), jobs=config.jobs, timeout=limit) as engine:
        for outcome in engine.run(tasks):
            if isinstance(outcome, Done):
                yield from outcome.value
