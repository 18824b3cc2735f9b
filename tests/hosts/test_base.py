"""What all targets share: findings, their severity, and rule files that do not grow with the site."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pybuild.build.rules import derive
from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic, Location
from pybuild.hosts import TARGETS, Compiled, compile_rules
from pybuild.records import File, Page, by_path

SERVERS = ["nginx", "caddy", "apache", "haproxy", "varnish"]
START = '[site]\nurl = "https://a.example"\ntitle = "T"\n'


def test_hosts_by_name() -> None:
    assert [target.name for target in TARGETS.values()] == list(TARGETS)
    assert "nowhere" not in TARGETS and TARGETS.get("nowhere") is None


@pytest.mark.parametrize("target", ["nginx", "caddy", "firebase"])
@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("/s/:p", "[^/&=+;#]+"),
        ("/s/:p([a-z&]+)", "[^/&=+;#]+"),
        ("/s/:p(.)", "[^/&=+;#]+"),
        ("/s/:p*", "[^/&=+;#]+)*"),
        (r"/s/:p([^/\\w])", "[^/&=+;#]+"),
        ("/s/:p([^/&=+;#]+)", ""),
        (r"/s/:p(\\d{2}|new\\.x)", ""),
    ],
)
def test_a_value_that_a_host_cannot_encode_for_a_query(
    compiled: Callable[..., Compiled], target: str, source: str, refused: str
) -> None:
    text = f'[[redirects]]\nsource = "{source}"\ndestination = "/find?q=:p"\nstatus = 301\n'
    found = [one for one in compiled(target, text).findings if one.code == "unsupported-rule"]
    assert len(found) == bool(refused)
    assert all(one.location.line == 4 and refused in one.hint for one in found)


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Compiled]:
    def make(target: str, text: str = "", *paths: str) -> Compiled:
        (tmp_path / "pybuild.toml").write_text(START + text, encoding="utf-8")
        config, findings = load_config(tmp_path, Options())
        assert findings == ()
        files = [File(path, "x", "0" * 64, 1) for path in paths]
        pages = [Page("/", "", "index.html", "t", variant_path="index.md")] if "index.md" in paths else []
        rules, _ = derive(config, pages, by_path(files), [])
        return compile_rules(TARGETS[target], rules, by_path(files), config)

    return make


RULES = """
[[redirects]]
source = "/a"
destination = "/index"
status = 301
[[headers]]
source = "/b"
headers = { X-A = "1" }
[[headers]]
source = "/c"
headers = { X-A = "1" }
"""
BORROWED = """
[[redirects]]
source = "/a"
destination = "/:lang"
status = 301
has = [{ type = "host", value = "(?<lang>en|de).a.example" }]
"""


def test_static_says_once_what_is_lost(compiled: Callable) -> None:
    assert compiled("static", RULES, "index.html", "index.md") == Compiled(
        findings=(
            Diagnostic(
                "rules-lost",
                "plain files do without: Markdown by the Accept header, 1 redirect, 2 header rules",
                Location(),
                'Markdown stays at each page\'s ".md" address, which <link rel="alternate"> names; '
                "choose a host with --target to keep them",
                severity="warning",
            ),
        )
    )


def test_static_is_silent_where_nothing_is_lost(compiled: Callable) -> None:
    assert compiled("static", "", "index.html") == Compiled()


@pytest.mark.parametrize("target", SERVERS)
@pytest.mark.parametrize(("text", "severity"), [("", "error"), ("on_unsupported = 'warn'", "warning")])
def test_an_unsupported_rule(compiled: Callable, target: str, text: str, severity: str) -> None:
    found = compiled(target, f"{BORROWED}[targets.{target}]\n{text}\n").findings
    assert [(one.code, one.severity, one.location.line, one.message) for one in found] == [
        (
            "unsupported-rule",
            severity,
            5,
            f'{target} cannot express the redirect for "/a": :lang comes from a condition, '
            "and such a value cannot be made safe for an address there",
        )
    ]


@pytest.mark.parametrize("target", ["nginx", "caddy", "apache", "varnish"])  # HAProxy sees no files
def test_rule_files_do_not_grow_with_the_pages(compiled: Callable, target: str) -> None:
    def size(pages: int) -> int:
        paths = [f"docs/{n}.{suffix}" for n in range(pages) for suffix in ("html", "md")]
        made = compiled(target, RULES, "index.html", "index.md", *paths)
        return sum(len(artifact.body) for artifact in (*made.site, *made.deploy))

    assert size(2) == size(500)


@pytest.mark.parametrize("target", SERVERS)
def test_the_same_rules_make_the_same_bytes(compiled: Callable, target: str) -> None:
    paths = ("index.html", "index.md", "404.html")
    assert compiled(target, RULES, *paths) == compiled(target, RULES, *reversed(paths))


@pytest.mark.parametrize("target", SERVERS)
def test_a_secret_is_named_and_not_written(
    compiled: Callable, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PB_SECRET_TOKEN", "do-not-write-me")
    text = """
[[proxies]]
source = "/up"
destination = "http://b.example/"
headers = { Authorization = { env = "PB_SECRET_TOKEN" } }
"""
    made = compiled(target, text)
    bodies = b"".join(artifact.body for artifact in (*made.site, *made.deploy))
    assert (b"do-not-write-me" in bodies, b"PB_SECRET_TOKEN" in bodies) == (False, True)
