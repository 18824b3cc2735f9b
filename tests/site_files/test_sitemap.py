"""Outside truth: sitemaps.org's own schema, in tests/data; its extensions are checked by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pybuild.config.schema import Sitemap
from pybuild.diagnostics import Location, warning
from pybuild.records import Artifact
from pybuild.site_files.sitemap import Entry, index_document, newest, sitemap, url_element, urlset_document

NS = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9"}
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "sitemap.xsd"))


def validate(body: bytes) -> etree._Element:
    """Hold a urlset against the schema, less the extensions, whose schemas are not in it."""
    root = etree.fromstring(body)
    plain = etree.fromstring(body)
    for element in plain.xpath("//*[namespace-uri() != $own]", own=NS["s"]):
        element.getparent().remove(element)
    SCHEMA.assertValid(plain)
    return root


def locations(body: bytes) -> list[str]:
    return etree.fromstring(body).xpath("//s:loc/text()", namespaces=NS)


def test_the_whole_file(page, config) -> None:
    pages = [
        page("/b & c", updated="2024-05-01T10:00:00+02:00", images=("https://acme.example/i?a=1&b=2",)),
        page("/", alternates=(("de", "https://acme.example/de"),)),
        page("/drafts/x"),
        page("/secret", indexed=False),
        page("/404"),
    ]
    made = list(sitemap(pages, config(sitemap=Sitemap(exclude=("/drafts/**",)))))
    body = b"""<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml" \
xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
<url><loc>https://acme.example/</loc>\
<xhtml:link rel="alternate" hreflang="de" href="https://acme.example/de"/>\
<xhtml:link rel="alternate" hreflang="en" href="https://acme.example/"/></url>
<url><loc>https://acme.example/b%20&amp;%20c</loc><lastmod>2024-05-01T10:00:00+02:00</lastmod>\
<image:image><image:loc>https://acme.example/i?a=1&amp;b=2</image:loc></image:image></url>
</urlset>
"""
    assert made == [Artifact("sitemap.xml", "[sitemap]", body)]
    validate(body)


def test_off_and_empty(page, config) -> None:
    assert list(sitemap([page("/")], config(sitemap=Sitemap(enabled=False)))) == []
    [empty] = sitemap([], config())
    assert locations(empty.body) == []


def test_past_the_url_limit_an_index_lists_the_parts(page, config) -> None:
    day = "2024-01-0{}T00:00:00+00:00".format
    pages = [page(f"/{n}", updated=day(n)) for n in (1, 2, 3)] + [page("/4"), page("/5", date=day(5))]
    made = {a.path: a.body for a in sitemap(pages, config(), max_urls=2)}
    assert list(made) == ["sitemap-1.xml", "sitemap-2.xml", "sitemap-3.xml", "sitemap.xml"]
    parts = [made[f"sitemap-{number}.xml"] for number in (1, 2, 3)]
    assert [loc for part in parts for loc in locations(part)] == [p.href for p in pages]
    assert [len(validate(part)) for part in parts] == [2, 2, 1]
    index = etree.fromstring(made["sitemap.xml"])
    assert [[child.text for child in row] for row in index] == [
        ["https://acme.example/sitemap-1.xml", day(2)],
        ["https://acme.example/sitemap-2.xml"],  # one of its dates is unknown
        ["https://acme.example/sitemap-3.xml", day(5)],
    ]


def test_exactly_at_the_limits_it_stays_one_file(page, config) -> None:
    pages = [page(f"/{n}") for n in range(4)]
    [whole] = sitemap(pages, config(), max_urls=4)
    parts = list(sitemap(pages, config(), max_bytes=600))
    assert whole.path == "sitemap.xml"
    assert [a.path for a in parts[-2:]] == ["sitemap-4.xml", "sitemap.xml"]
    assert all(len(a.body) <= 600 for a in parts[:-1])


def test_the_true_limit(page, config) -> None:
    one = page("/0")
    pages = [
        type(one)(url=f"/{n:05}", href=f"https://acme.example/{n:05}", path=f"{n:05}.html", title="t")
        for n in range(50_001)
    ]
    made = list(sitemap(pages, config()))
    assert [(a.path, len(locations(a.body))) for a in made] == [
        ("sitemap-1.xml", 50_000),
        ("sitemap-2.xml", 1),
        ("sitemap.xml", 2),
    ]
    validate(made[0].body)
    [at_limit] = sitemap(pages[:50_000], config())
    assert at_limit.path == "sitemap.xml"


def test_an_address_too_long_is_left_out_and_told(page, config) -> None:
    long = page("/" + "a" * 2100, "Long", file="content/a.md", line=3)
    found, made = sitemap([long, page("/b")], config())
    assert found == warning(
        "rule-limit",
        "the address of 'Long' has 2121 characters; sitemaps take fewer than 2048",
        Location("content/a.md", 3),
        "shorten the names of its folders",
    )
    assert locations(made.body) == ["https://acme.example/b"]


def test_the_page_names_itself_once_among_its_translations(page, config) -> None:
    known = (("de", "https://acme.example/de"), ("en", "https://acme.example/a"))
    [made] = sitemap([page("/a", alternates=known)], config())
    assert made.body.count(b"xhtml:link") == 2


@settings(derandomize=True, max_examples=100)
@given(st.text(st.characters(exclude_categories=()), max_size=20))
def test_any_text_gives_a_file_that_parses(text: str) -> None:
    entry = Entry("https://a.example/" + text, alternates=((text, text),), images=(text,))
    assert len(etree.fromstring(urlset_document([url_element(entry)]))) == 1
    assert len(etree.fromstring(index_document([(text, "")]))) == 1


def test_newest_compares_moments_not_text() -> None:
    later = "2024-01-01T23:00:00-05:00"
    assert newest(["2024-01-02T01:00:00+00:00", later]) == later
    assert datetime.fromisoformat(later).tzinfo
    assert [newest([]), newest([later, ""])] == ["", ""]
