"""docs/guarantees.md held against the tests: every test it names is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
TEXT = (TESTS.parent / "docs/guarantees.md").read_text("utf-8")
NAMED = re.findall(r"^\* `([\w/]+\.py)::(\w+)`$", TEXT, re.M)


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_the_test_that_proves_a_guarantee_exists(file: str, name: str) -> None:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_guarantee_has_a_test_and_every_line_of_tests_is_read() -> None:
    parts = TEXT.split("\n## ")[1:]
    assert [part.partition("\n")[0] for part in parts if "\n* `" not in part] == []
    assert len(re.findall(r"^\* ", TEXT, re.M)) == len(NAMED) > 50
