"""The page of each host: there is one, and it names every limit."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.hosts import TARGETS

HOSTS = Path(__file__).parents[2] / "docs" / "hosts"
PAGES = [name for name in TARGETS if name != "static"]  # which is every host without rules


@pytest.mark.parametrize("name", PAGES)
def test_page(name: str) -> None:
    text, target = (HOSTS / f"{name}.md").read_text("utf-8"), TARGETS[name]
    assert f"pybuild export --target {name}" in text
    assert [limit for limit in target.limits.values() if f"{limit:,}" not in text] == []
    assert "## Tested" in text
