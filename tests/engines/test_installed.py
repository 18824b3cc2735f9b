"""Two machines compared by what is installed there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pybuild.engines.installed import Installed, difference, installed

OURS = Installed("cpython 3.12", "abc", {"pybuild_export": "1.0", "markdown_it_py": "4.1", "lxml": "5.0"})


@pytest.mark.parametrize(
    "theirs, said",
    [
        (OURS, ""),
        (replace(OURS, packages={**OURS.packages, "pandas": "2.0"}), ""),
        (replace(OURS, python="cpython 3.11"), "cpython 3.11 instead of cpython 3.12"),
        (replace(OURS, pybuild="abd"), "another pybuild 1.0"),
        (replace(OURS, packages={**OURS.packages, "lxml": "5.1"}), "lxml 5.1 instead of 5.0"),
        (replace(OURS, packages={"pybuild_export": "1.0"}), "no lxml, no markdown_it_py"),
        (replace(OURS, packages={}), "no lxml, no markdown_it_py, no pybuild_export"),
    ],
)
def test_what_differs_is_named(theirs: Installed, said: str) -> None:
    assert difference(OURS, theirs) == said


def test_this_machine_knows_itself() -> None:
    here = installed()
    assert here.packages["pybuild_export"] and here.packages["starlette"]
    assert difference(here, installed()) == ""
