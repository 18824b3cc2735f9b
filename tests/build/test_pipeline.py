"""What the build makes of the outcomes of an engine, whichever engine that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from harness import Files

from pybuild.build.export import export
from pybuild.build.runs import Observer
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.engines import ENGINES, Done
from pybuild.engines.serial import SerialEngine, open_serial

HANDLER = (
    "from pybuild import PlainTextResponse\n\n"
    'dynamic = "force-static"\n\n\ndef GET():\n    return PlainTextResponse("x")\n'
)
SITE: Files = {f"app/{name}/route.py": HANDLER for name in "abc"}
Run = Callable[..., Iterator[Any]]


def answering(run: Run) -> Callable[..., Any]:
    """An engine that does with the outcomes of the serial one what `run` says."""

    class Engine(SerialEngine[Any, Any]):
        def run(self, *arguments: Any, **options: Any) -> Iterator[Any]:
            return run(super().run(*arguments, **options))

    @contextmanager
    def opened(program: Any, *, jobs: int, timeout: float, cluster: Any) -> Iterator[Any]:
        with open_serial(program, jobs=jobs, timeout=timeout):
            yield Engine(program, timeout=timeout)

    return opened


def test_pages_that_an_engine_forgets_are_errors(
    site: Callable[[Files], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENGINES, "toy", answering(lambda outcomes: islice(outcomes, 2)))
    root = site(SITE)
    done = export(load_config(root, Options(engine="toy"))[0], Observer())
    said = [(f.code, str(f.location), f.message) for f in done.findings if f.severity == "error"]
    assert said == [
        ("handler-error", f"app/{name}/route.py:6:1", f"/{name} was never run: the engine ended without an answer for it")
        for name in "bc"
    ]  # fmt: skip
    assert not (root / "out").exists()


def test_the_first_of_two_answers_holds(
    site: Callable[[Files], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def twice(outcomes: Iterator[Any]) -> Iterator[Any]:
        for outcome in outcomes:
            yield outcome
            yield Done(outcome.index, None)

    monkeypatch.setitem(ENGINES, "toy", answering(twice))
    root = site(SITE)
    done = export(load_config(root, Options(engine="toy"))[0], Observer())
    assert done.ok and {"a", "b", "c"} <= {p.name for p in (root / "out").iterdir()}
