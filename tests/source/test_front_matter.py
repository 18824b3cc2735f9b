"""Front matter: what is read, what is refused, and where the finding points."""

from __future__ import annotations

import json

import pytest
from growth import assert_linear
from harness import LONG
from hypothesis import given, settings
from hypothesis import strategies as st

from pybuild.diagnostics import Diagnostic, Location, Note
from pybuild.source import front_matter as frontmatter
from pybuild.source.front_matter import FrontMatter, parse

PAGE = b"---\ntitle: A\ntags: [x, y]\n---\n# Hello\n\ntext\n"


def fault(block: str) -> tuple[str, str, str]:
    found = parse(f"---\n{block}\n---\nbody\n".encode(), "a.md")
    (finding,) = found.findings
    assert (found.meta, found.body, finding.code) == ({}, "body\n", "front-matter-error")
    return str(finding.location), finding.message, finding.hint


def test_a_file_is_taken_apart() -> None:
    assert parse(PAGE, "a.md") == FrontMatter(
        meta={"title": "A", "tags": ["x", "y"]},
        body="# Hello\n\ntext\n",
        body_line=5,
        lines={"title": 2, "tags": 3},
    )


@pytest.mark.parametrize("end", [b"\r\n", b"\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_line_ends_and_a_byte_order_mark_change_nothing(end: bytes, mark: bytes) -> None:
    assert parse(mark + PAGE.replace(b"\n", end), "a.md") == parse(PAGE, "a.md")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "text\n",
        "---\n",
        "---\n\nprose\n\n---\n"[:12],
        "--- \nprose\n",
        "----\na: b\n",
        "a\n---\nb: c\n---\n",
        " ---\na: 1\n---\n",
    ],
)
def test_a_file_without_front_matter_is_all_body(text: str) -> None:
    assert parse(text.encode(), "a.md") == FrontMatter(body=text)


@pytest.mark.parametrize(
    ("text", "body", "line"),
    [
        ("---\n---\nx", "x", 3),
        ("---\n# note\n...\nx", "x", 4),
        ("---\na: 1\n---", "", 3),
        ("---  \na: 1\n--- \nx\n", "x\n", 4),
    ],
)
def test_where_the_body_begins(text: str, body: str, line: int) -> None:
    found = parse(text.encode(), "a.md")
    assert (found.body, found.body_line, found.findings) == (body, line, ())


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("text", "text"),
        ("2024-01-05", "2024-01-05"),
        ("2024-01-05 23:30 -0500", "2024-01-05 23:30 -0500"),
        ("2024-13-45", "2024-13-45"),
        ("12:30:45", "12:30:45"),
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("~", None),
        ("", None),
        ("null", None),
        ("0123", "0123"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("42", 42),
        ("-7", -7),
        ("1.5", 1.5),
        ("-.5e2", -50.0),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1" * 5000, "1" * 5000),
        ('"42"', "42"),
        ("'true'", "true"),
        ("!!str 42", "42"),
        ("! 42", "42"),
        ('"a\\u00e9"', "aé"),
        ("|\n  a\n  b", "a\nb\n"),
        (">-\n  a\n  b", "a b"),
        ("[1, two, {three: null}]", [1, "two", {"three": None}]),
        ("{no: Norsk, 1: one}", {"no": "Norsk", "1": "one"}),
    ],
)
def test_values(written: str, value: object) -> None:
    found = parse(f"---\nkey: {written}\n---\n".encode(), "a.md")
    assert (found.meta, found.findings) == ({"key": value}, ())


def test_text_is_not_normalised() -> None:
    assert parse("---\ntitle: e\u0301\n---\ne\u0301".encode(), "a.md").meta == {"title": "e\u0301"}


QUOTE = 'put a value that holds ":", "#" or a quote in double quotes, such as title: "a: b"'


@pytest.mark.parametrize(
    ("block", "place", "message", "hint"),
    [
        ("a: b: c", "a.md:2:5", "this is not YAML: mapping values are not allowed in this context", QUOTE),
        ("a: 1\nb: 'x", "a.md:3:4", "this is not YAML: found unexpected end of stream", QUOTE),
        (
            "a: @x",
            "a.md:2:4",
            "this is not YAML: found character that cannot start any token",
            "put a value that starts with @, ` or % in double quotes",
        ),
        ("a: &x 1", "a.md:2:4", '"&x" is an anchor', "put the value in double quotes, or delete the anchor"),
        ("a: *x", "a.md:2:4", '"*x" is an alias', "put the value in double quotes, or write it out"),
        ("a: {<<: 1}", "a.md:2:5", '"<<" is a merge key', "write the keys out"),
        (
            "a: !!python/object:os.system x",
            "a.md:2:4",
            'the tag "!!python/object:os.system" is not allowed',
            "delete the tag, or put the value in double quotes",
        ),
        ("1: a", "a.md:2:1", "the key 1 is not text", 'write "1" in quotes'),
        ("? [a]\n: 1", "a.md:2:3", "a key must be text", QUOTE),
        (
            "- a",
            "a.md:2:1",
            "the front matter is not a mapping",
            "write lines of key: value; for a thematic break at the top of the page write ***",
        ),
        ("a: 1\n--- # b\nc: 1", "a.md:3:1", "a second YAML document begins here", "keep one block of keys"),
        (
            "a: \x07",
            "a.md:1:1",
            "this is not YAML: unacceptable character #x0007: control characters are not allowed",
            "delete the control character",
        ),
    ],
)
def test_refusals(block: str, place: str, message: str, hint: str) -> None:
    assert fault(block) == (place, message, hint)


def test_a_key_written_twice_names_both_places() -> None:
    (finding,) = parse(b"---\na: 1\nb: 2\na: 3\n---\n", "a.md").findings
    note = Note("first written here", Location("a.md", 2))
    place = Location("a.md", 4, 1)
    assert finding == Diagnostic(
        "front-matter-error", '"a" is written twice', place, "keep one of the two", (note,)
    )


def test_an_unclosed_block_is_an_error_where_a_key_follows() -> None:
    found = parse(b"---\ntitle: A\n\ntext\n", "a.md")
    (finding,) = found.findings
    assert (found.meta, found.body) == ({}, "---\ntitle: A\n\ntext\n")
    assert (str(finding.location), finding.hint) == (
        "a.md:1:1",
        "close it with a line of --- below the last key",
    )


def test_toml_is_refused_with_a_way_out() -> None:
    (finding,) = parse(b'+++\ntitle = "A"\n+++\n', "a.md").findings
    assert finding.message == "front matter in TOML is not read"


@pytest.mark.parametrize("head, piece", [("a: ", "["), ("a: ", "{a: "), ("a: ", "- "), ("a:\n", "? ")])
def test_depth_is_bounded_before_it_costs(head: str, piece: str) -> None:
    assert fault(head + piece * 9_000)[1]
    assert_linear(lambda size: fault(head + piece * size), 1_000)


def test_aliases_cannot_multiply() -> None:
    rows = ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}]" for i in range(1, 30))]
    assert fault("\n".join(rows))[1] == '"&a0" is an anchor'


def test_size_is_bounded() -> None:
    place, message, hint = fault("a: " + "é" * 600000)
    assert (place, hint) == ("a.md:1:1", "move the longest value to the body")
    assert message == "the front matter is 1200004 bytes long; 1048576 is the limit"


@pytest.mark.parametrize(
    ("data", "line", "message", "hint"),
    [
        (b"a\r\nb\xe9", 2, "byte 4 (0xe9) is not UTF-8 text", "save the file as UTF-8"),
        (b"\xef\xbb\xbfa\n\xff", 2, "byte 5 (0xff) is not UTF-8 text", "save the file as UTF-8"),
        (b"a\r\rb\0", 3, "byte 4 is zero, which no text holds", "save the file as UTF-8"),
        (
            "ab".encode("utf-16"),
            1,
            "byte 0 (0xff) is not UTF-8 text",
            "it looks like UTF-16: save the file as UTF-8",
        ),
    ],
)
def test_other_encodings_are_refused_at_the_byte(data: bytes, line: int, message: str, hint: str) -> None:
    finding = Diagnostic("encoding-error", message, Location("a.md", line), hint)
    assert parse(data, "a.md") == FrontMatter(findings=(finding,))


plain = st.text(
    st.characters(exclude_categories=["Cs", "Cn", "Cc", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=20
)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**17), 10**17) | plain,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(plain, inner, max_size=3),
    max_leaves=6,
)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(st.dictionaries(plain, values, max_size=4))
def test_json_values_are_read_as_written(meta: dict[str, object]) -> None:
    rows = [
        f"{json.dumps(key, ensure_ascii=False)}: {json.dumps(value, ensure_ascii=False)}\n"
        for key, value in meta.items()
    ]
    found = parse(f"---\n{''.join(rows)}---\nbody".encode(), "a.md")
    assert (found.meta, found.body, found.findings) == (meta, "body", ())


@settings(derandomize=True, max_examples=200, deadline=None)
@given(
    st.binary(max_size=60)
    | st.text("-.: \n\t#&*!|>'\"[]{}a1?,%@`~", max_size=60).map(lambda t: f"---\n{t}\n---\n".encode())
)
def test_no_input_raises(data: bytes) -> None:
    found = parse(data, "a.md")
    assert not (found.findings and found.meta)


WRITTEN = st.one_of(
    st.text(alphabet="abzAZ019_ ,.;/()+-:#'\"\\é水\u2028\xa0~[]{}&*!|>%@`?\t", max_size=12),
    st.sampled_from(["true", "null", "~", "1", "-1", "01", "1.5", "1e3", "2024-01-02", "a: b", "a #b", '"a"', '"a\\n"', "'a'", "yes", "- a", ""]),
)  # fmt: skip
KEYS = st.sampled_from(["title", "date", "a-b", "_x", "null", "true", "é", "1", "a b", "title"])


@given(st.lists(st.tuples(KEYS, WRITTEN), max_size=4), st.sampled_from([" ", "  ", "", " \t"]))
@settings(derandomize=True, max_examples=1500 if LONG else 300, deadline=None)
def test_flat_blocks_read_as_the_parser_reads_them(rows: list[tuple[str, str]], space: str) -> None:
    block = "".join(f"{key}:{space}{value}\n" for key, value in rows)
    flat = frontmatter._flat(block, ())
    if flat is not None:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(frontmatter, "_flat", lambda *_: None)
            assert frontmatter._read(block, ()) == flat


def test_usual_blocks_are_flat() -> None:
    block = 'title: A b, c (d)\ndescription: "A: b #c – é"\ndate: 2024-01-02\nweight: 10\ndraft: false\n'
    assert frontmatter._flat(block, ()) == (
        {
            "title": "A b, c (d)",
            "description": "A: b #c – é",
            "date": "2024-01-02",
            "weight": 10,
            "draft": False,
        },
        {"title": 2, "description": 3, "date": 4, "weight": 5, "draft": 6},
    )


def test_text_keys_keep_what_is_written() -> None:
    block = "---\ntitle: 3.10\ntags: [1.20, 007, 1e3, +5]\nauthors:\n- name: -0\n  url: null\nother: 3.10\ndraft: true\n---\n"
    found = frontmatter.parse(block.encode(), "a.md", {"title", "tags", "authors"})
    assert found.meta == {
        "title": "3.10",
        "tags": ["1.20", "007", "1e3", "+5"],
        "authors": [{"name": "-0", "url": None}],
        "other": 3.1,
        "draft": True,
    }
    assert found.lines == {
        "title": 2,
        "tags": 3,
        "authors": 4,
        "authors.name": 5,
        "authors.url": 6,
        "other": 7,
        "draft": 8,
    }
