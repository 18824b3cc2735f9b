"""Anchors, held against what github-slugger gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.markdown.heading_ids import Anchors, slug


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Getting started", "getting-started"),
        ("What's new in 2.0?", "whats-new-in-20"),
        ("foo_bar-baz", "foo_bar-baz"),
        ("A & B", "a--b"),
        ("  padded  ", "padded"),
        ("Über café", "über-café"),
        ("Привет мир", "привет-мир"),
        ("हिन्दी", "हिन्दी"),
        ("日本語、テスト", "日本語テスト"),
        ("🚀", ""),
        ("tab\there", "tab-here"),
    ],
)
def test_slugs(text: str, expected: str) -> None:
    assert slug(text) == expected


def test_no_id_is_given_twice() -> None:
    anchors = Anchors(["fn1"])
    given_ids = [anchors.claim(text) for text in ["a", "a", "a-1", "a", "fn1", "", ""]]
    assert given_ids == ["a", "a-1", "a-1-1", "a-2", "fn1-1", "section", "section-1"]
    assert anchors.ids == ["fn1", *given_ids]


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.lists(st.sampled_from(["a", "a-1", "a-2", "a-1-1", "", "section", "section-1"]), max_size=12))
def test_ids_are_unique(wanted: list[str]) -> None:
    anchors = Anchors()
    given_ids = [anchors.claim(text) for text in wanted]
    assert len(set(given_ids)) == len(wanted) and all(given_ids)


@settings(derandomize=True, max_examples=100, deadline=None)
@given(st.text(max_size=30))
def test_a_slug_has_no_space_and_no_markup(text: str) -> None:
    assert not set(slug(text)) & set(" \t\n<>&\"'#%/?")
