"""What is asked, by what was published."""

from pathlib import Path

import pytest
from previewing import make_site, published

from pybuild.hosts.base import ALL_FEATURES
from pybuild.publish.publication import Publication
from pybuild.rules.patterns import parse_pattern
from pybuild.verify.probes import as_deployed, count, example_url, make_cases


@pytest.fixture(scope="module")
def publication(tmp_path_factory: pytest.TempPathFactory) -> Publication:
    return published(make_site(tmp_path_factory.mktemp("site"), target="nginx"))


def asked(
    publication: Publication, features: frozenset = ALL_FEATURES, **options: int
) -> list[tuple[str, str, int]]:
    """Each question once, as method, address and wanted status, without how it is asked."""
    rules = as_deployed(publication.rules, "", features, frozenset())
    cases = make_cases(publication, rules, features=features, **options)
    rows = [(p.request.method, p.request.target, p.outcome.status) for case in cases for p in case]
    return sorted({row for row in rows if not row[1].startswith("/verify-")})


def test_every_address_is_asked_for(publication: Publication) -> None:
    gets = {(target, status) for method, target, status in asked(publication) if method == "GET"}
    gets = {one for one in gets if not one[0].startswith("/assets/pybuild/")}
    assert gets == {
        ("/", 200), ("/index.md", 200), ("/docs/a", 200), ("/docs/a.md", 200), ("/docs/caf%C3%A9%201", 200),
        ("/docs/caf%C3%A9%201.md", 200), ("/api/posts", 200), ("/big.bin", 200), ("/small.txt", 200),
        ("/empty.txt", 200), ("/llms.txt", 200), ("/llms-full.txt", 200), ("/robots.txt", 200), ("/search.json", 200),
        ("/sitemap.xml", 200), ("/rss.xml", 200), ("/old/verify?verify=1", 308), ("/%C3%A9t%C3%A9/verify?verify=1", 307),
        ("/docs/a/?verify=1", 308), ("/docs/caf%C3%A9%201/?verify=1", 308), ("/beta", 200),
    }  # fmt: skip


def test_plain_files_are_not_held_to_rules(publication: Publication) -> None:
    gets = {target for method, target, _ in asked(publication, frozenset()) if method == "GET"}
    assert gets >= {"/docs/a", "/docs/a.md", "/api/posts", "/big.bin"}
    assert not any("verify=1" in target for target in gets)


def test_one_page_is_asked_for_in_all_ways(publication: Publication) -> None:
    rules = as_deployed(publication.rules, "/base/", ALL_FEATURES, frozenset())
    case = next(c for c in make_cases(publication, rules) if c[0].request.target == "/base/docs/a")
    rows = [(p.request.method, p.request.target, p.who, p.outcome.path, p.revalidates) for p in case]
    page = "/base/docs/a"
    assert rows == [
        ("GET", page, "an agent", "docs/a.md", False),
        ("GET", page, "a browser", "docs/a.html", False),
        ("GET", page, "a client that takes Markdown but prefers HTML", "docs/a.html", False),
        ("HEAD", page, "HEAD", "docs/a.md", False),
        ("GET", page, "an agent", "docs/a.md", True),
        ("GET", page, "a browser", "docs/a.html", True),
        ("GET", "/base/docs/a.md", "", "docs/a.md", False),
    ]


def test_a_sample_is_smaller_and_always_the_same(publication: Publication) -> None:
    assert asked(publication, sample=1) == asked(publication, sample=1)
    assert 0 < len(asked(publication, sample=1)) < len(asked(publication))
    assert asked(publication, sample=10_000) == asked(publication)


def test_rules_that_the_target_left_out_are_not_asked_for(publication: Publication) -> None:
    place = publication.rules.redirects[0].location
    rules = as_deployed(publication.rules, "", ALL_FEATURES, {place})
    assert [rule.source.source for rule in rules.redirects] == ["/été/:x"]
    assert count(make_cases(publication, rules)) == count(make_cases(publication, publication.rules)) - 1


@pytest.mark.parametrize(
    ("source", "url"),
    [("/a", "/a"), ("/a/:b", "/a/verify"), ("/:a*", "/verify"), (r"/:a(\d+)", "/1"), (r"/:a(\d{4})/:b?", "/2026/2026"),
     ("/(.*)", "/verify"), ("/:a(zz)", None)],
)  # fmt: skip
def test_examples(source: str, url: str | None) -> None:
    assert example_url(parse_pattern(source)) == url


def test_dotfiles_are_not_asked_for(tmp_path: Path) -> None:
    files = {"public/.nojekyll": "", "public/.well-known/security.txt": "Contact: mailto:a@a.example"}
    targets = {target for _, target, _ in asked(published(make_site(tmp_path, **files)))}
    assert "/.well-known/security.txt" in targets
    assert "/.nojekyll" not in targets
