"""Answers by rules and manifest, without a socket."""

import random
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from previewing import Seen, make_site, published

from pybuild.publish.publication import Publication
from pybuild.rules.evaluate import Request, evaluate
from pybuild.serve.responses import MEMORY, Answers, CurrentAnswers, Part, is_local, span_of


def ask(answers: Answers, target: str, method: str = "GET", **headers: str) -> Seen:
    """The answer as a client sees it; `_` in the name of a header stands for `-`."""
    fields = ((name.replace("_", "-"), value) for name, value in headers.items())
    answer = answers.of(Request(target, method, (("Host", "localhost"), *fields)))
    body = answer.body
    if answer.part:
        whole = (answers.publication.output.out / answer.part.file.path).read_bytes()
        body = whole[answer.part.start : answer.part.stop]
    assert isinstance(body, bytes)
    said = {name.lower(): value for name, value in answer.headers}
    return Seen(answer.status, said, b"" if method == "HEAD" else body)


@pytest.fixture(scope="session")
def answers(publication: Publication) -> Answers:
    return Answers(publication)


def test_a_page_in_full(answers: Answers, publication: Publication) -> None:
    file = publication.files["docs/a.html"]
    seen = ask(answers, "/docs/a")
    assert seen.body == (publication.output.out / file.path).read_bytes()
    assert (seen.status, seen.headers) == (
        200,
        {
            "content-type": "text/html; charset=utf-8",
            "etag": f'"{file.digest[:32]}"',
            "cache-control": "no-cache",
            "vary": "Accept, X-Docs",
            "accept-ranges": "bytes",
            "content-length": str(file.size),
        },
    )


def test_markdown_where_it_is_asked_for(answers: Answers, publication: Publication) -> None:
    seen = ask(answers, "/docs/a", Accept="text/markdown")
    assert seen.headers["content-type"] == "text/markdown; charset=utf-8"
    assert seen.body == (publication.output.out / "docs/a.md").read_bytes()
    assert ask(answers, "/docs/a", Accept="image/png").status == 406


TARGETS = ["/", "/docs/a", "/docs/a/", "/docs/a.md", "/docs/caf%C3%A9%201", "/api/posts", "/old/x?y=1",
           "/nope",
           "/%C3%A9t%C3%A9/v", "/beta", "/small.txt", "/docs%2Fa", "/../x",
           "/docs/a%00", "/%zz", "//docs/a", "/big.bin"]  # fmt: skip


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("accept", ["text/html", "text/markdown", "image/png;q=1"])
def test_status_headers_and_body_are_those_of_the_rules(
    answers: Answers, publication: Publication, target: str, method: str, accept: str
) -> None:
    request = Request(target, method, (("Host", "localhost"), ("Accept", accept)))
    outcome = evaluate(publication.rules, request, publication.files)
    seen = ask(answers, target, method, Accept=accept)
    expected = {k.lower(): v for k, v in outcome.headers}
    assert (seen.status, {k: seen.headers[k] for k in expected}) == (outcome.status, expected)
    body = (publication.output.out / outcome.path).read_bytes() if outcome.path else outcome.text.encode()
    assert seen.body == (b"" if method == "HEAD" else body)
    assert seen.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    ("value", "status", "body", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=-4", 206, b"6789", "bytes 6-9/10"),
        ("bytes=8-", 206, b"89", "bytes 8-9/10"),
        ("bytes=10-", 416, b"416\n", "bytes */10"),
        ("bytes=0-1,4-5", 200, b"0123456789", ""),
    ],
)
def test_ranges(answers: Answers, value: str, status: int, body: bytes, content_range: str) -> None:
    seen = ask(answers, "/small.txt", Range=value)
    assert (seen.status, seen.body, seen.headers.get("content-range", "")) == (status, body, content_range)


def test_ranges_of_large_files_are_streamed(answers: Answers) -> None:
    answer = answers.of(Request("/big.bin", headers=(("Range", "bytes=100000-200000"),)))
    file = answers.publication.files["big.bin"]
    assert (answer.status, answer.part) == (206, Part(file, 100_000, 200_001))


def test_a_range_of_negotiated_markdown(answers: Answers, publication: Publication) -> None:
    seen = ask(answers, "/docs/a", Accept="text/markdown", Range="bytes=0-2")
    assert (seen.status, seen.body, seen.headers["vary"]) == (206, b"---", "Accept, X-Docs")


@given(st.lists(st.sampled_from(['"x"', 'W/"{}"', '"{}"', "*", '"a,b"', "junk"]), min_size=1, max_size=4))
@settings(derandomize=True, max_examples=60)
def test_revalidation(publication: Publication, tags: list[str]) -> None:
    answers = Answers(publication)
    own = publication.files["docs/a.html"].digest[:32]
    seen = ask(answers, "/docs/a", If_None_Match=", ".join(tags).replace("{}", own))
    fresh = "*" in tags or any("{}" in tag for tag in tags)
    assert seen.status == (304 if fresh else 200)
    if fresh:
        assert seen.body == b""
        assert seen.headers == {"etag": f'"{own}"', "vary": "Accept, X-Docs", "cache-control": "no-cache"}


def test_only_published_bytes_come_back(site: Path, publication: Publication) -> None:
    """10,000 addresses, most of them near misses of files that lie in or beside the output."""
    (site / "out" / ".env").write_text("SECRET")
    (site / "out" / "foreign.txt").write_text("SECRET")
    answers = Answers(publication)
    allowed = {(publication.output.out / path).read_bytes() for path in publication.files}
    rng = random.Random(7)
    pieces = ["..", ".", "", "docs", "a", "a.md", "a.html", ".env", "foreign.txt", "pybuild.toml", "out", "app",
              "%2e%2e", "%2F", "%5c", "%00", "é", "~", "::$DATA", "index.html", "CON", "small.txt", "?", "%25"]  # fmt: skip
    for _ in range(10_000):
        parts = [rng.choice(pieces) for _ in range(rng.randint(1, 5))]
        target = "/" + rng.choice(["/", "//", "/./"]).join(quote(part, safe="%?:$~") for part in parts)
        seen = ask(answers, target)
        assert seen.body in allowed or len(seen.body) <= 60, target
        assert b"SECRET" not in seen.body


def test_a_symlink_put_into_the_output_is_not_followed(tmp_path: Path) -> None:
    root = make_site(tmp_path / "site")
    (root / "out" / "small.txt").unlink()
    (tmp_path / "secret").write_text("0123456789")
    (root / "out" / "small.txt").symlink_to(tmp_path / "secret")
    answers = Answers(published(root))
    assert ask(answers, "/small.txt").status == 503
    assert ask(answers, "/docs/a").status == 200


@pytest.mark.parametrize(
    ("host", "local"),
    [("localhost", True), ("LOCALHOST:80", True), ("127.0.0.1:4000", True), ("[::1]:1", True), ("a.localhost:2", True),
     ("b.example:9", True), ("evil.example", False), ("127.0.0.1.evil.example", False), ("localhost.evil", False),
     ("xb.example", False), ("", False), ("localhost:80:80", False), ("evil-localhost", False)],
)  # fmt: skip
def test_hosts(host: str, local: bool) -> None:
    assert is_local(host, frozenset({"b.example"})) is local


def test_memory_is_bounded(publication: Publication) -> None:
    answers = Answers(publication)
    for number in range(3 * MEMORY // (MEMORY // 20)):
        ask(answers, f"/nope?{number}", X_Long="a" * 30_000)
    assert answers._size <= MEMORY


def test_a_new_export_is_picked_up(tmp_path: Path) -> None:
    root = make_site(tmp_path)
    source = CurrentAnswers(published(root))
    first = source.answers()
    assert source.answers() is first
    make_site(tmp_path, **{"app/docs/a/page.md": "# Changed\n"})
    assert b"Changed" in ask(source.answers(), "/docs/a").body
    published(root).output.manifest.write_text("{")
    assert b"Changed" in ask(source.answers(), "/docs/a").body


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("bytes=0-0", (0, 1)),
        ("bytes=2-", (2, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-30", (0, 10)),
        ("bytes=5-99", (5, 10)),
        ("Bytes= 5-6", (5, 7)),
        ("bytes=10-", (10, 10)),
        ("bytes=-0", (10, 0)),
        ("bytes=99999999999999999999999-", (10**18 - 1, 10)),
        ("bytes=3-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
    ],
)
def test_spans(value: str, span: tuple[int, int] | None) -> None:
    assert span_of(Request("/", "GET", (("Range", value),)), 10, '"t"') == span


@pytest.mark.parametrize(
    ("method", "condition", "honoured"),
    [
        ("GET", '"t"', True),
        ("GET", 'W/"t"', False),
        ("GET", "Sat, 21 Nov 2026 01:00:00 GMT", False),
        ("HEAD", '"t"', False),
    ],
)
def test_when_a_range_counts(method: str, condition: str, honoured: bool) -> None:
    request = Request("/", method, (("Range", "bytes=0-1"), ("If-Range", condition)))
    assert (span_of(request, 10, '"t"') is not None) is honoured


@given(st.integers(0, 50), st.integers(0, 60), st.integers(0, 60))
@settings(derandomize=True, max_examples=200)
def test_a_range_is_a_slice(size: int, first: int, last: int) -> None:
    body = bytes(range(size))
    span = span_of(Request("/", "GET", (("Range", f"bytes={first}-{last}"),)), size, "")
    assert (body[slice(*span)] if span else None) == (body[first : last + 1] if first <= last else None)
