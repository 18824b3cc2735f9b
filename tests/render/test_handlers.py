"""Where the answer of a handler is written."""

from __future__ import annotations

import mimetypes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.render.handlers import WHOLE_PAGE, place, suffix_of

SEGMENT = st.text("ab.é -", min_size=1, max_size=6).filter(lambda text: text.strip(". "))


@pytest.mark.parametrize(
    "url, media_type, is_folder, path",
    [
        ("/rss.xml", "application/xml", False, "rss.xml"),
        ("/api/posts", "application/json", False, "api/posts"),
        ("/api/posts", "application/json; charset=utf-8", True, "api/posts/index.json"),
        ("/", "application/json", False, "index.json"),
        ("/", "text/html; charset=utf-8", False, "index.html"),
        ("/a", "text/html", False, "a.html"),
        ("/a.html", "text/html", False, "a.html"),
        ("/a.b", "text/html", False, "a.b"),
        ("/.well-known/x", "text/plain", False, ".well-known/x"),
        ("/.well-known", "text/html", False, ".well-known.html"),
        ("/v1.2/posts", "text/html", False, "v1.2/posts.html"),
        ("/a", "", True, "a/index.bin"),
        ("/a", "application/octet-stream", True, "a/index.bin"),
    ],
)
def test_a_handler_is_written_at_its_url(url: str, media_type: str, is_folder: bool, path: str) -> None:
    assert place(url, media_type, is_folder=is_folder) == path


@pytest.mark.parametrize(
    "media_type, suffix",
    [
        ("application/ld+json", "json"),
        ("application/vnd.api+json; profile=x", "json"),
        ("image/svg+xml", "svg"),
        ("APPLICATION/ATOM+XML", "xml"),
        ("text/markdown; charset=utf-8", "md"),
        ("application/x-yaml", "bin"),
        ("application/yaml", "yaml"),
        ("", "bin"),
    ],
)
def test_suffixes_follow_the_media_type(media_type: str, suffix: str) -> None:
    assert suffix_of(media_type) == suffix


@pytest.mark.parametrize(
    "suffix", ["css", "csv", "gif", "html", "jpg", "json", "pdf", "png", "svg", "txt", "xml"]
)
def test_suffixes_agree_with_the_table_of_python(suffix: str) -> None:
    media_type = mimetypes.MimeTypes().guess_type(f"a.{suffix}")[0]
    assert suffix_of(str(media_type)) == suffix


@settings(max_examples=60, derandomize=True, deadline=None)
@given(
    st.lists(SEGMENT, min_size=1, max_size=3),
    st.sampled_from(["application/json", "text/html", "", "text/plain"]),
)
def test_a_folder_never_stands_in_the_way_of_what_is_below(segments: list[str], media_type: str) -> None:
    url = "/" + "/".join(segments)
    outer, inner = place(url, media_type, is_folder=True), place(url + "/x", media_type, is_folder=False)
    assert inner.startswith(url[1:] + "/")
    assert not (outer + "/").startswith(inner + "/")
    assert not (inner + "/").startswith(outer + "/")


def test_many_comments_before_a_part_of_a_page_cost_no_more_than_their_length() -> None:
    assert not WHOLE_PAGE.match("<!-- a -->\n" * 3_000 + "<p>")
    assert WHOLE_PAGE.match("<!-- a -->\n" * 3_000 + "<!doctype html>")
