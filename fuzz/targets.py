"""What is fuzzed: one function a promise, from any bytes to an assertion. `SEEDS` is where each one starts.

Knows no fuzzer: fuzz/run.py drives these with atheris, tests/faults/test_fuzz.py runs them over their seeds.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
import zlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from xml.parsers import expat

from selectolax.lexbor import LexborHTMLParser

from pybuild.build.rules import derive
from pybuild.codec import from_json, to_json
from pybuild.config.loader import Config, load_config
from pybuild.config.rules import parse_rules
from pybuild.config.schema import Markdown, Options
from pybuild.diagnostics import Location
from pybuild.hosts import TARGETS, compile_rules
from pybuild.markdown.from_html import from_html
from pybuild.markdown.renderer import MarkdownRenderer
from pybuild.records import File, Page, Redirection, by_path
from pybuild.routing.params import check_params
from pybuild.routing.segments import Pattern, Refused, parse_segment
from pybuild.rules.patterns import PatternError, parse_destination, parse_pattern
from pybuild.site_files.xml_text import escape
from pybuild.source import front_matter as frontmatter
from pybuild.urls import path_fault, segment_fault

_SCRIPT = re.compile(r"[\x00-\x20]*(?:javascript\s*:|vbscript\s*:|data\s*:\s*text)", re.I)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def front_matter(data: bytes) -> None:
    """Any file has front matter or a finding on a line of it; what is read can be written as JSON."""
    found = frontmatter.parse(data, "content/a.md")
    lines = data.count(b"\n") + data.count(b"\r") + 1
    for finding in found.findings:
        assert finding.code in {"front-matter-error", "encoding-error"}
        assert finding.location.line is None or 1 <= finding.location.line <= lines
    json.dumps(found.meta, default=str)


def _as_written(href: str, is_picture: bool) -> str:
    return href


@cache
def _renderer() -> MarkdownRenderer:
    return MarkdownRenderer(Markdown())


def markdown(data: bytes) -> None:
    """Markdown without raw HTML never makes a script, a handler of events or a script address."""
    html = _renderer().render(_text(data), resolve=_as_written).html
    _assert_harmless(html)


@cache
def _by_python() -> MarkdownRenderer:
    return MarkdownRenderer(Markdown(engine="markdown-it-py"))


def python_engine(data: bytes) -> None:
    """So does the other engine, which gives as many ids as it reports."""
    made = _by_python().render(_text(data), resolve=_as_written)
    _assert_harmless(made.html)
    assert len(re.findall("<h[1-6] id=", made.html)) <= len(made.anchors), made.html


def variant(data: bytes) -> None:
    """Any HTML becomes Markdown that renders harmlessly."""
    made = from_html(_text(data), base_url="https://example.com/a", links={})
    _assert_harmless(_renderer().render(made, resolve=_as_written).html)


def _assert_harmless(html: str) -> None:
    for node in LexborHTMLParser(f"<body>{html}").css("body *"):
        assert node.tag not in {
            "script",
            "iframe",
            "object",
            "embed",
            "style",
            "base",
            "meta",
            "link",
            "form",
        }, html
        for name, value in node.attributes.items():
            assert not name.lower().startswith("on"), html
            if name in {"href", "src"}:
                assert not _SCRIPT.match(re.sub(r"[\t\n\r]", "", value or "")), html


def pattern(data: bytes) -> None:
    """A pattern is refused or matches what its literal text says; so is a destination, which fills in one line."""
    text, _, sample = _text(data).partition("\n")
    try:
        parsed = parse_pattern(text)
    except PatternError:
        return
    if len(sample) < 60:
        parsed.match("/" + sample)
    if parsed.literal is not None:
        assert parsed.match(parsed.literal) is not None
    try:
        destination = parse_destination(text)
    except PatternError:
        return
    filled = destination.fill(dict.fromkeys(parsed.names, "x"))
    assert not set(filled) & set("\r\n\0")


def segments(data: bytes) -> None:
    """A folder name is refused or fills to segments that every disk can carry."""
    text = _text(data)
    segment = parse_segment(text)
    if not isinstance(segment, Refused) and segment.is_param:
        pattern_of = Pattern((segment,))
        params = check_params(pattern_of, {segment.name: ["a", "b"] if segment.is_catch_all else "a"})
        assert isinstance(params, list) or path_fault(pattern_of.fill(params)[1:]) is None
    parsed = Pattern.parse(text)
    assert isinstance(parsed, (Pattern, Refused))
    if segment_fault(text) is None:
        assert "/" not in text and text not in {"", ".", ".."}


def xml(data: bytes) -> None:
    """Escaped text is XML, in an element and in an attribute."""
    written = escape(data.decode("utf-8", "surrogateescape"))
    expat.ParserCreate().Parse(f'<a b="{written}">{written}</a>'.encode(), True)


@cache
def _config() -> Config:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "pybuild.toml").write_text('[site]\nurl = "https://a.example"\ntitle = "T"\n', "utf-8")
        return load_config(Path(folder), Options())[0]


_FILES = (
    File("index.html", "x", "0" * 64, 1),
    File("index.md", "x", "0" * 64, 1),
    File("a/b", "x", "0" * 64, 1, media_type="text/csv"),
)
_PAGES = (
    Page(
        "/",
        "https://a.example/",
        "index.html",
        "t",
        variant="https://a.example/index.md",
        variant_path="index.md",
    ),
)


def rules(data: bytes) -> None:
    """Whatever parses as rules survives being stored, and no printer lets one of its values begin a line or a key."""
    texts = [*_text(data).split("\n"), "/a", "/b", "X-A", "v", "w"][:5]
    tables = {
        "redirects": [{"source": texts[0], "destination": texts[1], "permanent": True}],
        "rewrites": [{"source": texts[0], "destination": texts[1]}],
        "headers": [
            {
                "source": texts[0],
                "headers": {texts[2]: texts[3]},
                "has": [{"type": "query", "key": "q", "value": texts[4]}],
            }
        ],
    }
    parsed, _ = parse_rules(tables, lambda path: Location("pybuild.toml", 1))
    away = [Redirection("/moved", texts[3], 307, "app/moved/route.py", 1)]
    files = (*_FILES, File("c", "x", "0" * 64, 1, headers=(("x-made", "EVIL"),)))
    config = _with_rules(parsed)
    ruleset, _ = derive(config, _PAGES, by_path(files), away)
    assert from_json(json.loads(json.dumps(to_json(ruleset)))) == ruleset
    names = sorted(TARGETS)
    target = TARGETS[
        names[zlib.crc32(data) % len(names)]
    ]  # one an input: all of them take a tenth of a second
    _assert_whole(compile_rules(target, ruleset, by_path(files), config).site)


def _with_rules(parsed: tuple[object, ...]) -> Config:
    return dataclasses.replace(_config(), rules=parsed)


def _assert_whole(artifacts: tuple[object, ...]) -> None:
    for artifact in artifacts:
        text = artifact.body.decode("utf-8")  # type: ignore[attr-defined]
        name = artifact.path.rpartition("/")[2]  # type: ignore[attr-defined]
        assert "\0" not in text and "\r" not in text, name
        if name.endswith(".json"):
            json.loads(text)
        elif name == "_redirects":
            assert all(
                len(line.split()) >= 2 for line in text.splitlines() if line and not line.startswith("#")
            ), text


TARGETS_OF_FUZZING: Mapping[str, Callable[[bytes], None]] = {
    function.__name__: function
    for function in (front_matter, markdown, python_engine, variant, pattern, segments, xml, rules)
}
SEEDS: Mapping[str, tuple[bytes, ...]] = {
    "front_matter": (
        b"---\ntitle: A\ndate: 2024-01-02\ntags: [a, b]\n---\nText\n",
        b"\xef\xbb\xbf---\r\na: 1\r\n---\r\n",
        b"---\na: &x [*x]\n---\n",
        b"---\n? {a: b}\n",
        b"+++\na = 1\n+++\n",
    ),
    "markdown": (
        b"# A\n\n[x](javascript:alert(1)) <script>\n\n| a |\n|---|\n| `b` |\n",
        b"[a]: <java&#x0A;script:x>\n[a]\n\n[^1]\n\n[^1]: b\n",
        b"!!! note\n    x\n\nA\n: b\n\n- [ ] c\n",
        b"![a](data:text/html,x 'y\"z')\n<https://a.b>\n",
        b"```py\nx\n```\n# B {#c}\n",
    ),
    "python_engine": (
        b"# A {#b}\n\n[x](javascript:alert(1)) <script>\n\n| a |\n|---|\n| `b` |\n",
        b"[a]: <java&#x0A;script:x>\n[a] https://a.b/c_d <https://a.b>\n",
        b"> - [ ] c\n>\n>   ![a](b 'c')\n\n1) ~~x~~ **y**\n\n    z\n",
        b"```py\nx\n```\nB\n===\n\\<b>\xe2\x80\xbb\n",
    ),
    "variant": (
        b"<h1>A</h1><p>b <a href='javascript:x'>c</a><pre><code>d</code></pre>",
        b"<table><tr><td>a|b<br>c</table>",
        b"<p>&lt;script&gt;x&lt;/script&gt;</p><img src=x alt='](y)'>",
    ),
    "pattern": (
        b"/c/a%00",
        b"/docs/:slug*\ndocs/a/b",
        b"/a/:id(\\d+)/:b?",
        b"/:a+/x\\(y",
        b"https://a.example/:x?y=:z#w",
        b"/caf\xc3\xa9/%41",
    ),
    "segments": (
        b"[slug].json",
        b"[...slug]",
        b"[[...slug]]",
        b"(group)",
        b"%5Fname",
        b"@slot",
        b"a[b]c",
        b"_x",
        b"/docs/[...slug]",
    ),
    "xml": (b"a<b>&\"'", b"\x00\x0b\x1f", b"\xed\xa0\x80\xef\xbf\xbe", b"]]>"),
    "rules": (
        b"/a/:b\n/c/:b\nX-A\nvalue\n(.*)",
        b'/a\nhttps://x.example/;}\nX-B\n"; add_header X-Evil 1;\n$',
        b"/:p*\n/q/:p*\nCache-Control\nmax-age=1\n",
        b"/a b\n/#x\nX-C\n{env.HOME} ${A} %{B}e\\\n(?:a|b)",
    ),
}
