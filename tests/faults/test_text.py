"""Text cannot become markup, broken XML or a host rule: hostile text through whole exports, read back by others."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.parsers import expat

import feedparser
import pytest
from faultlab import LONG, Ended, export, tree
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from llms_txt import parse_llms_file
from protego import Protego
from selectolax.lexbor import LexborHTMLParser

from pybuild.hosts import TARGETS

HOSTILE = (
    "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "' onmouseover='alert(1)", "</title><script>alert(1)</script>",
    "]]>", "</script><script>alert(1)//", "<!--", "-->", "&amp;", "&#x3c;script&#x3e;", "\u2028", "\u202e", "\x00", "\x0b", "\x1f", "\ufffe",
    "\ud800", "\x7f", "\x85", "{{ 7 * 7 }}", "{% raw %}", "${EVIL}", "[x](javascript:alert(1))", "![x](javascript:alert(1))",
    "javascript:alert(1)", "JaVa\tScRiPt:alert(1)", "data:text/html,<script>alert(1)</script>", "# heading", "\n## Section\n\n- [a](b): c\n",
    "```", "~~~", "\\", "`", "|", "* * *", "\r\nX-Evil: 1", "\n  X-Evil: 1", "\n/*\n  X-Evil: 1\n", "x; return 200 EVIL; #", '"; add_header X-Evil 1; "',
    "$uri", "$http_host", "{env.HOME}", "}\nheader X-Evil 1\n{", "%{HTTP_HOST}e", "</Directory>\nHeader set X-Evil 1\n", "\nUser-agent: *\nDisallow: /\n",
    "#", ";", "'", "--", "%0d%0aX-Evil:1", "a  b", " ", "é𝄞", "עברית", "\\1", "\\g<0>", "%s", "{0}", "(?:", "[", "1e3", "true", "null", "2024-13-45", "- x", "---",
)  # fmt: skip
TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.lists(st.sampled_from(HOSTILE), min_size=2, max_size=3).map("".join),
    st.text(max_size=12),
)
FIELDS = (
    "site_title",
    "site_description",
    "author",
    "title",
    "description",
    "tag",
    "heading",
    "value",
    "body",
    "code",
    "label",
)
RECORD = st.fixed_dictionaries(dict.fromkeys(FIELDS, TEXT))
EXAMPLES = settings(
    max_examples=300 if LONG else 20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
Record = Mapping[str, str]


def toml(text: str) -> str:
    """A TOML basic string; what TOML cannot hold becomes a question mark."""
    plain = re.sub("[\ud800-\udfff]", "?", text)
    return '"' + "".join(c if c.isprintable() and c not in '"\\' else f"\\U{ord(c):08x}" for c in plain) + '"'


def yaml(text: str) -> str:
    """A YAML double-quoted string, escapes and all."""
    return '"' + "".join(c if c.isalnum() and c.isascii() else f"\\U{ord(c):08x}" for c in text) + '"'


def write(root: Path, files: Mapping[str, str]) -> Path:
    shutil.rmtree(root, ignore_errors=True)
    for path, text in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode("utf-8", "replace"))
    return root


PAGE = """
def load(ctx):
    return {{"value": {value}}}
def generate_metadata(ctx):
    return {{"title": {title}, "description": {description}, "open_graph": {{"title": {value}, "images": [{value}]}},
            "json_ld": {{"@type": "Thing", "name": {value}, {tag}: {title}}}, "twitter": {{"title": {value}}}}}
"""


def site_of(root: Path, r: Record) -> Path:
    """A site in which every text stands wherever an author can put one."""
    matter = (
        f"title: {yaml(r['title'])}\ndescription: {yaml(r['description'])}\nauthor: {yaml(r['author'])}\n"
    )
    matter += f"date: 2024-01-02\ntags: [{yaml(r['tag'])}]\n"
    lines = [
        f"# {r['heading']}",
        r["body"],
        f"[{r['label']}](/plain)",
        f"```{r['tag'].split()[:1] or ''}\n{r['code']}\n```",
        f"`{r['code']}`",
    ]
    return write(root, {
        "pybuild.toml": f"[site]\nurl = \"https://example.com\"\ntitle = {toml(r['site_title'])}\ndescription = {toml(r['site_description'])}\n"
        f"author = {toml(r['author'])}\n[feed]\nformats = [\"rss\", \"atom\", \"json\"]\n"
        '[collections.docs]\nsource = "content"\nroute = "/docs/[...slug]"\n' f"title = {toml(r['tag'])}\n",
        "app/page.md": "# Home\n",
        "app/plain/page.html": '<h1 title="{{ value }}">{{ value }}</h1><a href="{{ value | safe_url }}">{{ value }}</a><script type="application/json">{{ value | tojson }}</script>',
        "app/plain/page.py": PAGE.format(**{name: ascii(text) for name, text in r.items()}),
        "content/one.md": f"---\n{matter}---\n\n" + "\n\n".join(lines) + "\n",
    })  # fmt: skip


BORING = dict.fromkeys(FIELDS, "Plain")


@EXAMPLES
@given(record=RECORD)
@example(record={**BORING, "value": "\ud800"})
@example(record={**BORING, "site_title": "\x00\x0b]]>"})
@example(record={**BORING, "title": "</script><script>alert(1)//"})
def test_text_of_an_author_is_text_in_every_output(scratch: Path, record: Record) -> None:
    root = site_of(scratch / "site", record)
    done = export(root)
    assert done.code in {0, 1}, done.said
    assert "Traceback" not in done.said
    if done.code == 1:
        assert done.codes <= {
            "front-matter-error",
            "config-error",
            "encoding-error",
            "handler-error",
            "template-error",
            "invalid-setting",
        }, done.codes
        return
    files = tree(root / "out")
    for path, body in files.items():
        text = body.decode("utf-8")
        if path.endswith(".html"):
            assert_harmless(path, text)
        elif path.endswith(".xml"):
            expat.ParserCreate().Parse(body, True)
    assert_lists(files, record)


def assert_harmless(path: str, html: str) -> None:
    """No script, handler or script address that the shipped templates do not hold."""
    parsed = LexborHTMLParser(html)
    inline = parsed.css('script:not([src^="/assets/pybuild/"])')
    kinds = {(node.attributes.get("type") or "") for node in inline}
    assert kinds <= {"application/ld+json", "application/json"}, path
    for node in inline:
        json.loads(node.text())
    for node in parsed.css("*"):
        for name, value in node.attributes.items():
            assert not name.lower().startswith("on"), (path, node.html)
            if name in {"href", "src", "action", "srcset"}:
                assert not re.match(
                    r"[\x00-\x20]*(javascript|vbscript|data:text)", re.sub(r"[\t\n\r]", "", value or ""), re.I
                ), (path, node.html)
    assert len(parsed.css("title")) == len(parsed.css("h1")) == 1 or "one" in path, path
    assert not parsed.css("img[src=x]"), path


def visible(text: str) -> str:
    """Text as every parser should give it back: without what XML cannot carry, in single blanks."""
    return " ".join(re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text).split())


def assert_lists(files: Mapping[str, bytes], record: Record) -> None:
    for name in ("rss.xml", "atom.xml"):
        feed = feedparser.parse(files[name])
        assert (bool(feed.bozo), len(feed.entries)) == (False, 1), name
    table = json.loads(files["feed.json"])
    assert len(table["items"]) == 1
    parsed = parse_llms_file(files["llms.txt"].decode())
    assert sum(len(links) for links in parsed.sections.values()) == 4  # and the list at /docs
    assert len(parsed.sections) <= 2
    robots = Protego.parse(files["robots.txt"].decode())
    assert list(robots.sitemaps) == ["https://example.com/sitemap.xml"]
    assert robots.can_fetch("https://example.com/docs/one", "anyone")
    assert files["sitemap.xml"].count(b"<loc>") == 4  # and the list at /docs
    front = files["docs/one.md"].decode()
    assert front.count("\n---\n") >= 1 and front.startswith("---\n")


HANDLER = "from pybuild import Response\ndynamic = 'force-static'\ndef GET():\n    return Response('ok', headers={{'X-Text': {}}}, media_type='text/plain')\n"
MOVED = "from pybuild import redirect\ndynamic = 'force-static'\ndef GET():\n    redirect({})\n"
RULES = '[[headers]]\nsource = "/api/text"\nheaders = {{ X-Rule = {} }}\n'
VALUE = st.one_of(st.sampled_from([text for text in HOSTILE if text.isascii() and text.isprintable()]), TEXT)
PROGRAMS = {"nginx": "nginx", "caddy": "caddy", "apache": "apache2"}  # that read their files back here
HOST_EXAMPLES = settings(EXAMPLES, max_examples=60 if LONG else 4)


@pytest.mark.parametrize("target", sorted(TARGETS.keys() - {"static"}))
@HOST_EXAMPLES
@given(header=VALUE, rule=VALUE, destination=VALUE)
@example(header="\r\nX-Evil: 1", rule="x", destination="/y")
@example(header='"; add_header X-Evil 1; "', rule="$uri", destination="/{env.HOME}")
@example(header="}\\", rule="a\\", destination="/a;EVIL")
def test_text_cannot_become_a_rule_of_a_host(
    scratch: Path, target: str, header: str, rule: str, destination: str
) -> None:
    if target in PROGRAMS and not program(PROGRAMS[target]):
        pytest.skip(f"{target} is not installed")
    root = write(scratch / "site", {
        "pybuild.toml": '[site]\nurl = "https://example.com"\ntitle = "T"\n' + RULES.format(toml(rule)),
        "app/page.md": "# Home\n",
        "app/api/text/route.py": HANDLER.format(ascii(header)),
        "app/moved/route.py": MOVED.format(ascii(f"/to/{destination}")),
    })  # fmt: skip
    done = export(root, "--target", target)
    assert done.code in {0, 1} and "Traceback" not in done.said, done.said
    if done.code == 0:
        READERS.get(target, read_files)(scratch, root, {"X-Text": header, "X-Rule": rule})


def read_files(scratch: Path, root: Path, wanted: Mapping[str, str]) -> None:
    """Files that a host reads by lines or as JSON: no line and no key is one that nobody wrote."""
    for folder in (root / "out", root / "out-deploy"):
        for path, body in (tree(folder) if folder.exists() else {}).items():
            text = body.decode("utf-8")
            if path.endswith(".json") and "api" not in path:
                assert "X-Evil" not in keys_of(json.loads(text))
            elif path.rpartition("/")[2] in {"_headers", "_redirects"}:
                assert not re.search(r"^\s*(X-Evil|Disallow)\b", text, re.M)
                names = {line.split(":")[0].strip() for line in text.splitlines() if line.startswith(" ")}
                assert all(re.fullmatch(r"!? ?[A-Za-z0-9-]+", name) for name in names), names


def keys_of(value: Any) -> Iterator[str]:
    """Every key of a JSON value, and the names that header rules give."""
    if isinstance(value, dict):
        yield from value
        yield from (str(value["key"]),) if "key" in value else ()
        for inner in value.values():
            yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


def read_caddy(scratch: Path, root: Path, wanted: Mapping[str, str]) -> None:
    import_line = (
        f"http://:80 {{\n root * {root / 'out'}\n import {root / 'out-deploy/caddy'}/pybuild.caddy\n}}\n"
    )
    (scratch / "Caddyfile").write_text(import_line)
    words = ["caddy", "adapt", "--adapter", "caddyfile", "--config", str(scratch / "Caddyfile")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "X-Evil" not in set(keys_of(json.loads(done.stdout)))


def program(name: str) -> str:
    return shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin") or ""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def serving(words: list[str], port: int) -> Iterator[http.client.HTTPConnection]:
    server = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                assert server.poll() is None, server.stderr and server.stderr.read()
                time.sleep(0.02)
        yield http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    finally:
        server.terminate()
        server.wait()


def read_nginx(scratch: Path, root: Path, wanted: Mapping[str, str]) -> None:
    """What nginx itself answers."""
    port, deploy = free_port(), root / "out-deploy/nginx"
    (scratch / "nginx.conf").write_text(
        f"daemon off; pid {scratch}/pid; error_log stderr; worker_processes 1; user root; events {{}}\nhttp {{ access_log off;\n"
        f"include {deploy}/pybuild-http.conf;\nserver {{ listen 127.0.0.1:{port}; root {root / 'out'}; include {deploy}/pybuild-server.conf; }} }}\n"
    )
    words = [program("nginx"), "-e", "stderr", "-c", str(scratch / "nginx.conf")]
    with serving(words, port) as client:
        client.request("GET", "/api/text")
        assert_answer(client.getresponse(), wanted)


def read_apache(scratch: Path, root: Path, wanted: Mapping[str, str]) -> None:
    """Whether Apache reads its files, and no directive of them is one that nobody wrote."""
    text = "\n".join(
        body.decode()
        for path, body in tree(root).items()
        if path.endswith((".htaccess", "pybuild-apache.conf"))
    )
    assert text
    assert not re.search(r'^\s*Header\s+\w+\s+"?X-Evil', text, re.M)


def assert_answer(answer: http.client.HTTPResponse, wanted: Mapping[str, str]) -> None:
    assert (answer.status, answer.read()) == (200, b"ok")
    assert answer.getheader("X-Evil") is None
    for name, value in wanted.items():
        seen = (answer.getheader(name) or "").encode("latin-1")
        assert seen.strip() in {
            value.strip().encode("utf-8", "replace"),
            value.strip().encode("latin-1", "replace"),
        }, name


READERS = {"nginx": read_nginx, "caddy": read_caddy, "apache": read_apache}


def test_hostile_slugs_reach_no_markup(scratch: Path) -> None:
    slugs = [
        text
        for text in HOSTILE
        if not set(text) & set('/\\<>:"|?*') and text.isprintable() and text.strip(" .") == text
    ]
    root = write(scratch / "site", {
        "pybuild.toml": '[site]\nurl = "https://example.com"\ntitle = "T"\n',
        "app/[slug]/page.py": f"def generate_static_params():\n    return [{{'slug': s}} for s in {slugs!r}]\n",
        "app/[slug]/page.html": "<h1>{{ params.slug }}</h1><a href=\"{{ url_for(page.url) if page else '' }}\">x</a>",
    })  # fmt: skip
    done: Ended = export(root, "--target", "nginx")
    assert done.code == 0, done.said
    files = tree(root / "out")
    for path, body in files.items():
        if path.endswith(".html"):
            assert_harmless(path, body.decode())
    assert files["sitemap.xml"].count(b"<loc>") == len(slugs)
    expat.ParserCreate().Parse(files["sitemap.xml"], True)
