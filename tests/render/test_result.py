"""How rows are held: all of them, in order, few as they are and many in blocks."""

from __future__ import annotations

import random

import pytest

from pybuild.compact import MANY
from pybuild.diagnostics import warning
from pybuild.records import File
from pybuild.render.result import Rendered, Rows, pack


def row(number: int) -> Rendered:
    findings = (warning("broken-link", f"of {number}"),) if number % 50 == 7 else ()
    return Rendered(files=(File(f"{number}.html", "a.md", "0", number),), findings=findings)


@pytest.mark.parametrize("jobs", [100, MANY + 1], ids=["few", "many"])
@pytest.mark.parametrize("missing", [(), (3, 40, 99)], ids=["all", "some"])
def test_rows_come_back_in_order_however_they_came(jobs: int, missing: tuple[int, ...]) -> None:
    rows, wanted = Rows(jobs), [number for number in range(100) if number not in missing]
    for number in random.Random(1).sample(wanted, len(wanted)):
        rows.add(number, pack(row(number)))
    assert dict(rows) == {number: row(number) for number in wanted}
    assert (list(rows), len(rows), rows[wanted[7]]) == (wanted, len(wanted), row(wanted[7]))
    assert [finding.message for finding in rows.findings] == ["of 7", "of 57"]
    assert list(rows.consume()) == [row(number) for number in wanted]
