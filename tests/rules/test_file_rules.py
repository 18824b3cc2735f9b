"""What hosts must know of files: in as few rules as it can be said in."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pybuild.records import File, by_path
from pybuild.rules.file_rules import is_sound, rules_for_files

JSON, TEXT = "application/json", "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("files", "types"),
    [
        ({"api/1": JSON, "api/2": JSON}, [("/api/:name", JSON)]),
        ({"api/1": JSON, "api/2": TEXT}, [("/api/1", JSON), ("/api/2", TEXT)]),
        ({"api/1": JSON, "api/2": ""}, [("/api/1", JSON)]),
        ({"api/1.x": JSON, "api/2.x": JSON, "api/3": ""}, [("/api/:name.x", JSON)]),
        ({"api/1.x": JSON, "api/2.y": JSON, "b/1": TEXT}, [("/api/:name", JSON), ("/b/1", TEXT)]),
        ({"a.json": JSON, "b.html": "text/html; charset=utf-8"}, []),
    ],
)  # fmt: skip
def test_types_are_said_once_a_folder(
    file: Callable[..., File], files: dict[str, str], types: list[tuple[str, str]]
) -> None:
    rules = rules_for_files(by_path(file(path, media=media) for path, media in files.items()))
    assert [(rule.source.source, rule.media_type) for rule in rules.types] == types
    said = {
        f"/{path}": [r.media_type for r in rules.types if r.source.match(f"/{path}") is not None]
        for path in files
    }
    assert said == {f"/{path}": [media] if types and media else [] for path, media in files.items()}


@pytest.mark.parametrize(
    ("name", "value", "sound"),
    [
        ("X-A", "1", True),
        ("X-A", "", True),
        ("X A", "1", False),
        ("", "1", False),
        ("X-A", "é", False),
        ("X-A", "a\nb", False),
        ("X-A", "a\x00", False),
    ],
)
def test_headers_that_every_rule_file_can_hold(name: str, value: str, sound: bool) -> None:
    assert is_sound(name, value) is sound
