from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pybuild.config.loader import Config
from pybuild.config.schema import Options, Settings, Site
from pybuild.diagnostics import Diagnostic, Location
from pybuild.site_files.user_shapes import manifest_bytes, robots_bytes, sitemap_bytes, sitemap_index_bytes

AT = Location("app/sitemap.py", 3)
SCHEMA = etree.XMLSchema(etree.parse(Path(__file__).parents[1] / "data" / "sitemap.xsd"))


def said(written) -> list[str]:
    """The findings as text; all are at the place the caller gave."""
    _, findings = written
    assert {(f.code, f.location) for f in findings} <= {("bad-response", AT)}
    assert all(isinstance(f, Diagnostic) and f.is_error for f in findings)
    return [f"{f.message} -> {f.hint}" for f in findings]


def test_the_whole_sitemap(config) -> None:
    entries = [
        {
            "url": "https://acme.example/a?x=1&y=2",
            "last_modified": datetime(2024, 5, 1, 10, tzinfo=UTC),
            "change_frequency": "weekly",
            "priority": 1,
            "alternates": {"languages": {"de": "/de/a"}},
            "images": ["/i.png"],
            "videos": [
                {
                    "title": "V & W",
                    "thumbnail_loc": "/t.png",
                    "description": "D",
                    "family_friendly": True,
                    "restriction": {"relationship": "allow", "content": "AT DE"},
                    "publication_date": date(2024, 1, 2),
                    "tag": ["x", "y"],
                }
            ],
        },
        {"url": "/b", "last_modified": "2024-05-01", "priority": 0.25},
    ]
    body, findings = sitemap_bytes(entries, config(), AT)
    assert findings == ()
    assert (
        body.decode()
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml" \
xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" \
xmlns:video="http://www.google.com/schemas/sitemap-video/1.1">
<url><loc>https://acme.example/a?x=1&amp;y=2</loc><lastmod>2024-05-01T10:00:00+00:00</lastmod>\
<changefreq>weekly</changefreq><priority>1.0</priority>\
<xhtml:link rel="alternate" hreflang="de" href="https://acme.example/de/a"/>\
<image:image><image:loc>https://acme.example/i.png</image:loc></image:image>\
<video:video><video:thumbnail_loc>https://acme.example/t.png</video:thumbnail_loc>\
<video:title>V &amp; W</video:title><video:description>D</video:description>\
<video:publication_date>2024-01-02</video:publication_date><video:family_friendly>yes</video:family_friendly>\
<video:restriction relationship="allow">AT DE</video:restriction><video:tag>x</video:tag><video:tag>y</video:tag>\
</video:video></url>
<url><loc>https://acme.example/b</loc><lastmod>2024-05-01</lastmod><priority>0.25</priority></url>
</urlset>
"""
    )


def test_a_generator_of_entries_is_a_list(config) -> None:
    body, findings = sitemap_bytes(({"url": f"/{n}"} for n in range(3)), config(), AT)
    SCHEMA.assertValid(etree.fromstring(body))
    assert (body.count(b"<loc>"), findings) == (3, ())


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("/a", 'sitemap: "sitemap" must be a list of entries, not text -> write a list of entries'),
        ({"url": "/a"}, 'sitemap: "sitemap" must be a list of entries, not a mapping -> write a list of entries'),
        (None, 'sitemap: "sitemap" must be a list of entries, not None -> write a list of entries'),
        (["/a"], 'sitemap: "[0]" must be a mapping, not text -> write a mapping'),
        ([{}], 'sitemap: [0] has no "url" -> add "url" with the address of the page'),
        ([{"url": "/a", "lastModified": 1}], 'sitemap: unknown key "lastModified" in "[0]" -> did you mean "last_modified"?'),
        ([{"url": "/a", "last_modified": "soon"}], "sitemap: \"[0].last_modified\" is not a date: 'soon' -> write a date such as 2024-01-05"),
        ([{"url": "/a", "change_frequency": "week"}], 'sitemap: "[0].change_frequency" cannot be "week" -> did you mean "weekly"?'),
        ([{"url": "/a", "priority": 2}], 'sitemap: "[0].priority" is 2 -> write a number from 0 to 1'),
        ([{"url": "/a", "priority": "1"}], 'sitemap: "[0].priority" must be a number, not text -> write a number'),
        ([{"url": "ftp://a"}], 'sitemap: "[0].url" is not an address of the web: "ftp://a" -> write a path such as "/about", or an address that starts with https://'),
        ([{"url": "/" + "a" * 2100}], "sitemap: [0].url has 2121 characters -> keep it below 2048"),
        ([{"url": "/a", "alternates": {"languages": ["de"]}}], 'sitemap: "[0].alternates.languages" must be a mapping, not a list -> write a mapping'),
        ([{"url": "/a", "videos": {"title": "T", "thumbnail_loc": "/t"}}], 'sitemap: [0].videos has no "description" -> add "description"; search engines need it'),
    ],
)  # fmt: skip
def test_wrong_sitemaps(config, entries, message) -> None:
    assert said(sitemap_bytes(entries, config(), AT)) == [message]


def test_a_sitemap_past_the_limit_is_told(config) -> None:
    [message] = said(sitemap_bytes([{"url": "/a"}] * 50_001, config(), AT))
    assert message.startswith("sitemap: it has 50001 entries")
    assert message.endswith("-> return the ids of several sitemaps from generate_sitemaps()")


def test_the_index_of_several_sitemaps(config) -> None:
    body = sitemap_index_bytes(["sitemap/0.xml", "sitemap/ü.xml"], config(url="https://a.example/b"))
    locations = [row[0].text for row in etree.fromstring(body)]
    assert locations == ["https://a.example/b/sitemap/0.xml", "https://a.example/b/sitemap/%C3%BC.xml"]


def test_robots_of_one_rule_and_of_several(config) -> None:
    one = {"rules": {"disallow": "/private/", "allow": "/"}, "sitemap": "/sitemap.xml"}
    assert robots_bytes(one, config(), AT) == (
        b"User-agent: *\nDisallow: /private/\n\nSitemap: https://acme.example/sitemap.xml\n",
        (),
    )
    several = {
        "rules": [
            {"user_agent": ["A", "B"], "disallow": ["/x", "/y"], "crawl_delay": 1.5},
            {"user_agent": "C", "allow": "/", "disallow": "", "content_signal": "search=yes"},
        ],
        "sitemap": ["https://a.example/s.xml", "https://b.example/s.xml"],
        "host": "https://acme.example",
    }
    assert robots_bytes(several, config(), AT) == (
        b"User-agent: A\nUser-agent: B\nDisallow: /x\nDisallow: /y\nCrawl-delay: 1.5\n\n"
        b"User-agent: C\nContent-Signal: search=yes\nDisallow:\n\n"
        b"Host: https://acme.example\nSitemap: https://a.example/s.xml\nSitemap: https://b.example/s.xml\n",
        (),
    )


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ([], 'robots: "robots" must be a mapping, not a list -> write a mapping'),
        ({}, 'robots: robots() returned no rules -> return {"rules": {"user_agent": "*", "allow": "/"}}, or delete the file: the default says where the sitemap is'),
        ({"rule": {}}, 'robots: unknown key "rule" in "robots" -> did you mean "rules"?'),
        ({"rules": {"userAgent": "*"}}, 'robots: unknown key "userAgent" in "rules" -> did you mean "user_agent"?'),
        ({"rules": {"disallow": "/a\nb"}}, "robots: \"disallow\": '/a\\nb' holds '\\n', which ends the value or the line -> write a path such as \"/private/\""),
        ({"rules": {"allow": "b"}}, "robots: \"allow\": 'b' does not start with \"/\" -> write a path such as \"/private/open/\""),
        ({"rules": {"user_agent": 1}}, 'robots: "user_agent" must be text, not a number -> write text'),
        ({"rules": {"crawl_delay": "1"}}, 'robots: "crawl_delay" must be a number, not text -> write a number'),
    ],
)  # fmt: skip
def test_wrong_robots(config, shape, message) -> None:
    assert said(robots_bytes(shape, config(), AT)) == [message]


def test_the_whole_manifest(config) -> None:
    shape = {
        "name": "Acme",
        "short_name": "A",
        "start_url": "/",
        "display": "standalone",
        "icons": [{"src": "/icon.png", "sizes": "192x192", "type": "image/png"}],
        "shortcuts": [{"name": "New", "url": "/new", "icons": [{"src": "https://cdn.example/i.png"}]}],
    }
    body, findings = manifest_bytes(shape, config(url="https://a.example/b"), AT)
    assert findings == ()
    assert json.loads(body) == {
        **shape,
        "start_url": "/b/",
        "icons": [{"src": "/b/icon.png", "sizes": "192x192", "type": "image/png"}],
        "shortcuts": [{"name": "New", "url": "/b/new", "icons": [{"src": "https://cdn.example/i.png"}]}],
    }


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (None, 'manifest: "manifest" must be a mapping, not None -> write a mapping'),
        ({"shortName": "A"}, 'manifest: unknown key "shortName" in "manifest" -> did you mean "short_name"?'),
        ({"icons": "/i.png"}, 'manifest: "icons" must be a list, not text -> write a list'),
        ({"icons": [{"url": "/i.png"}]}, 'manifest: unknown key "url" in "icons" -> use one of form_factor, label, platform, purpose, sizes, src, type'),
        ({"display": "standalon"}, 'manifest: "display" cannot be "standalon" -> did you mean "standalone"?'),
        ({"categories": {1}}, "manifest: it cannot be written as JSON: Object of type set is not JSON serializable -> use text, numbers, lists and mappings"),
    ],
)  # fmt: skip
def test_wrong_manifests(config, shape, message) -> None:
    assert said(manifest_bytes(shape, config(), AT)) == [message]


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=9)
SCALARS = ANY_TEXT | st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.datetimes()
KEYS = st.sampled_from(
    [
        "url",
        "last_modified",
        "priority",
        "alternates",
        "languages",
        "images",
        "videos",
        "tag",
        "title",
        "live",
    ]
    + ["rules", "user_agent", "allow", "crawl_delay", "sitemap", "host", "content_loc", "uploader", "content"]
    + ["name", "icons", "src", "start_url", "shortcuts", "display", "categories"]
)
SHAPES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@settings(derandomize=True, max_examples=400)
@given(SHAPES)
def test_whatever_a_site_returns_is_written_or_told(shape) -> None:
    site = Config(Path("/"), "", Settings(site=Site(url="https://a.example", title="A")), Options())
    body, findings = sitemap_bytes([shape], site, AT)
    assert len(etree.fromstring(body)) == 1 or findings
    body, findings = robots_bytes(shape, site, AT)
    assert body.endswith(b"\n") or findings
    body, findings = manifest_bytes(shape, site, AT)
    assert findings or json.loads(body or b"{}") == {} or json.loads(body)
