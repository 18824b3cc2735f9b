"""Files that Markdown includes: where they are sought, what is refused, and where their lines end up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.source.includes import DEPTH, Included, with_includes

Files = dict[str, "str | bytes"]
DOCUMENT = "content/docs/a.md"


@pytest.fixture
def included(site: Callable[[Files], Path]) -> Callable[..., Included]:
    """What a document includes: `included({"x.md": "…"}, "::: include …")`."""

    def make(files: Files, text: str, *, root: Path | None = None) -> Included:
        root = root or site(files)
        return with_includes(load_config(root, Options())[0], DOCUMENT, text)

    return make


def told(found: Included) -> list[tuple[str, int | None, str]]:
    return [(one.location.file, one.location.line, one.message) for one in found.findings]


def test_a_file_is_sought_beside_the_document_and_then_in_the_site(included: Callable[..., Included]) -> None:
    files: Files = {"content/docs/x.md": "near", "x.md": "far", "y.md": "only far"}
    found = included(files, '::: include file="x.md"\n::: include file="/x.md"\n::: include file="y.md"\n')
    assert (found.text, told(found)) == ("near\n\nfar\n\nonly far\n", [])


def test_lines_are_those_of_the_file(included: Callable[..., Included]) -> None:
    files: Files = {"x.md": "---\ntitle: X\n---\nfour\nfive\n", "x.py": "a\nb\nc\nd\n"}
    text = '::: include file="x.md"\n::: include file="x.md" lines="5"\n::: include file="x.py" lines="2-3, 1" lang="python"\n'
    assert included(files, text).text == "four\nfive\n\nfive\n\n```python\nb\nc\na\n```\n"


def test_lines_stay_in_their_container(included: Callable[..., Included]) -> None:
    text = '- ::: include file="x.md"\n\n> ::: include file="x.md"\n\n!!! note\n    ::: include file="x.md"\n'
    assert (
        included({"x.md": "a\n\nb\n"}, text).text
        == "- a\n\n  b\n\n> a\n>\n> b\n\n!!! note\n\n    a\n\n    b\n"
    )


@pytest.mark.parametrize(
    "text",
    [
        '```\n::: include file="x.md"\n```\n',
        '    ::: include file="x.md"\n',
        '`::: include file="x.md"`\n',
        '\\::: include file="x.md"\n',
    ],
)
def test_code_includes_nothing(text: str, included: Callable[..., Included]) -> None:
    assert included({"x.md": "included"}, text).text == text


def test_code_that_is_cut_ends(included: Callable[..., Included]) -> None:
    files: Files = {"x.md": "text\n\n~~~py\na\nb\n~~~\n"}
    assert (
        included(files, '::: include file="x.md" lines="1-4"\n\nafter\n').text
        == "text\n\n~~~py\na\n~~~\n\nafter\n"
    )


def test_links_are_those_of_the_file(included: Callable[..., Included]) -> None:
    files: Files = {
        "parts/x.md": "[a](b/c.md#d) [b](/e) [c](#f) [d](https://g.example) ![e](<h i.png>)\n\n[j]: k.md\n"
    }
    found = included(files, '::: include file="/parts/x.md"\n')
    assert (
        found.text
        == "[a](../../parts/b/c.md#d) [b](/e) [c](#f) [d](https://g.example) ![e](../../parts/h%20i.png)\n\n[j]: ../../parts/k.md\n"
    )
    assert found.links["../../parts/b/c.md#d"] == ("parts/x.md", "b/c.md#d")


REFUSED: dict[str, tuple[Files, str, str]] = {
    "nothing": ({}, "", "this includes no file"),
    "missing": ({}, 'file="x.md"', '"x.md" is no file of the site'),
    "a folder": ({"x/y.md": ""}, 'file="/x"', '"/x" is no file of the site'),
    "outside": ({}, 'file="../../../../etc/passwd"', "../../../../etc/passwd lies outside of the site"),
    "outside, encoded": ({}, 'file="..%2f..%2f..%2fx"', "..%2f..%2f..%2fx lies outside of the site"),
    "a dotfile": ({".env": "A=1"}, 'file="/.env"', ".env is not included: it is a dotfile, or lies in such a folder"),
    "the state": ({".pybuild/x": "1"}, 'file="/.pybuild/x"', ".pybuild/x is not included: it is a dotfile, or lies in such a folder"),
    "a key": ({"a.pem": "k"}, 'file="/a.pem"', "a.pem is not included: it is the file of a key"),
    "the output": ({"out/x.html": "k"}, 'file="/out/x.html"', "out/x.html is not included: it is output"),
    "a package": ({"node_modules/x.js": "k"}, 'file="/node_modules/x.js"', "node_modules/x.js is not included: it belongs to an installed package, and is no source of the site"),
    "odd lines": ({"x.md": "a"}, 'file="/x.md" lines="a"', 'lines="a" names no lines'),
    "no such lines": ({"x.md": "a\nb\n"}, 'file="/x.md" lines="2-3"', 'lines="2-3": x.md has 2 lines'),
    "no text": ({"x.md": b"\xff"}, 'file="/x.md"', "x.md cannot be read: byte 0 (0xff) is not UTF-8 text"),
    "itself": ({DOCUMENT: ""}, 'file="a.md"', "content/docs/a.md includes itself: content/docs/a.md → content/docs/a.md"),
}  # fmt: skip


@pytest.mark.parametrize(("files", "words", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(files: Files, words: str, message: str, included: Callable[..., Included]) -> None:
    found = included(files, f"a\n\n::: include {words}\n")
    assert (told(found), found.text) == ([(DOCUMENT, 3, message)], "a\n\n\n")


def test_links_of_the_disk_are_refused(
    site: Callable[[Files], Path], included: Callable[..., Included]
) -> None:
    root = site({"real/x.md": "a"})
    (root / "link").symlink_to(root / "real")
    (root / "x.md").symlink_to("/etc/hostname")
    found = included({}, '::: include file="/link/x.md"\n::: include file="/x.md"\n', root=root)
    why = "is not included: it is a link, or lies behind one"
    assert [message for _, _, message in told(found)] == [f"link/x.md {why}", f"x.md {why}"]


def test_a_file_that_includes_itself_by_others_is_named_where_it_does(
    included: Callable[..., Included],
) -> None:
    files: Files = {
        "x.md": '---\na: 1\n---\n::: include file="y.md"\n',
        "y.md": 'text\n::: include file="x.md"\n',
    }
    found = included(files, '::: include file="/x.md"\n')
    assert told(found) == [("y.md", 2, "x.md includes itself: x.md → y.md → x.md")]


def test_depth_number_and_size_have_limits(included: Callable[..., Included]) -> None:
    deep: Files = {f"{n}.md": f'::: include file="{n + 1}.md"\n' for n in range(DEPTH + 1)}
    assert told(included({**deep, f"{DEPTH + 1}.md": "x"}, '::: include file="/0.md"\n')) == [
        (f"{DEPTH - 1}.md", 1, f"{DEPTH}.md is included through more than {DEPTH} files")
    ]
    many = "".join('::: include file="/x.md"\n' for _ in range(1002))
    assert [message for _, _, message in told(included({"x.md": "x"}, many))] == [
        f"{DOCUMENT} includes more than 1000 files"
    ]
    tens: Files = {f"{n}.md": f'::: include file="{n + 1}.md"\n' * 10 for n in range(9)}
    assert len(told(included({**tens, "9.md": "x"}, '::: include file="/0.md"\n'))) == 1
    large: Files = {"x.txt": "x" * 600_000}
    two = '::: include file="/x.txt"\n::: include file="/x.txt"\n'
    assert [message for _, _, message in told(included(large, two))] == [
        f"{DOCUMENT} includes more than 1 MiB"
    ]


def test_each_line_knows_where_it_comes_from(included: Callable[..., Included]) -> None:
    found = included({"x.md": "---\nt: 1\n---\none\n\ntwo\n"}, 'a\n\n::: include file="/x.md"\n\nb\n')
    at = [
        (DOCUMENT, 1),
        (DOCUMENT, 2),
        ("x.md", 4),
        ("x.md", 5),
        ("x.md", 6),
        (DOCUMENT, 4),
        (DOCUMENT, 5),
        (DOCUMENT, 6),
    ]
    assert found.places == tuple(at)


def test_what_was_read_or_looked_for_is_known(included: Callable[..., Included]) -> None:
    found = included({"x.md": "a"}, '::: include file="x.md"\n')
    assert list(found.files) == ["content/docs/x.md", "x.md"]
    assert found.files["content/docs/x.md"] == ""
