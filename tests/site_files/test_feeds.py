"""Outside truth: feedparser finds nothing wrong; the rules of the RSS, Atom and JSON Feed texts."""

from __future__ import annotations

import json
from pathlib import Path

import feedparser
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from pybuild.config.loader import Config
from pybuild.config.schema import Feed, Options, Settings, Site
from pybuild.diagnostics import Location, warning
from pybuild.records import Page
from pybuild.site_files.feeds import Person, feeds, parse_person
from pybuild.site_files.xml_text import one_line, xml_text

ALL = Feed(formats=("atom", "json"))
MAY, JUNE = "2024-05-01T10:00:00+02:00", "2024-06-02T00:00:00+00:00"


def by_path(made) -> dict[str, bytes]:
    return {artifact.path: artifact.body for artifact in made}


@pytest.fixture
def posts(page):
    return [
        page(
            "/blog/a", "A & <b>", date=MAY, description="Sum", content="<p>x &amp; y</p>", tags=("t & u", "v")
        ),
        page(
            "/blog/b",
            "B",
            date=JUNE,
            updated="2024-07-01T00:00:00+00:00",
            content="<p>ü</p>",
            guid="b-1",
            authors=("Jo",),
        ),
        page("/about", "About"),
    ]


def test_the_whole_rss_file(posts, config) -> None:
    [made] = feeds(posts, config(author="Ann", description="All of it"))
    assert (made.path, made.media_type) == ("rss.xml", "application/rss+xml; charset=utf-8")
    assert (
        made.body.decode()
        == """\
<?xml version='1.0' encoding='UTF-8'?>
<rss xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:atom="http://www.w3.org/2005/Atom" \
xmlns:content="http://purl.org/rss/1.0/modules/content/" version="2.0">
  <channel>
    <title>Acme</title>
    <link>https://acme.example/</link>
    <description>All of it</description>
    <atom:link href="https://acme.example/rss.xml" rel="self" type="application/rss+xml"/>
    <docs>http://www.rssboard.org/rss-specification</docs>
    <generator>pybuild</generator>
    <language>en</language>
    <lastBuildDate>Mon, 01 Jul 2024 00:00:00 +0000</lastBuildDate>
    <item>
      <title>B</title>
      <link>https://acme.example/blog/b</link>
      <content:encoded>&lt;p&gt;ü&lt;/p&gt;</content:encoded>
      <guid isPermaLink="false">b-1</guid>
      <pubDate>Sun, 02 Jun 2024 00:00:00 +0000</pubDate>
      <dc:creator>Jo</dc:creator>
    </item>
    <item>
      <title>A &amp; &lt;b&gt;</title>
      <link>https://acme.example/blog/a</link>
      <description>Sum</description>
      <content:encoded>&lt;p&gt;x &amp;amp; y&lt;/p&gt;</content:encoded>
      <guid isPermaLink="true">https://acme.example/blog/a</guid>
      <category>t &amp; u</category>
      <category>v</category>
      <pubDate>Wed, 01 May 2024 10:00:00 +0200</pubDate>
      <dc:creator>Ann</dc:creator>
    </item>
  </channel>
</rss>
"""
    )


def test_the_whole_atom_file(posts, config) -> None:
    made = by_path(feeds(posts, config(feed=ALL, description="All of it", language="de")))
    assert (
        made["atom.xml"].decode()
        == """\
<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
  <id>https://acme.example/</id>
  <title>Acme</title>
  <updated>2024-07-01T00:00:00+00:00</updated>
  <author>
    <name>Acme</name>
  </author>
  <link href="https://acme.example/atom.xml" rel="self" type="application/atom+xml"/>
  <link href="https://acme.example/" rel="alternate" type="text/html"/>
  <generator>pybuild</generator>
  <subtitle>All of it</subtitle>
  <entry>
    <id>urn:uuid:eac5e2eb-2b60-5777-be09-736eac724eee</id>
    <title>B</title>
    <updated>2024-07-01T00:00:00+00:00</updated>
    <author>
      <name>Jo</name>
    </author>
    <content type="html">&lt;p&gt;ü&lt;/p&gt;</content>
    <link href="https://acme.example/blog/b"/>
    <published>2024-06-02T00:00:00+00:00</published>
  </entry>
  <entry>
    <id>https://acme.example/blog/a</id>
    <title>A &amp; &lt;b&gt;</title>
    <updated>2024-05-01T10:00:00+02:00</updated>
    <content type="html">&lt;p&gt;x &amp;amp; y&lt;/p&gt;</content>
    <link href="https://acme.example/blog/a"/>
    <summary>Sum</summary>
    <category term="t &amp; u"/>
    <category term="v"/>
    <published>2024-05-01T10:00:00+02:00</published>
  </entry>
</feed>
"""
    )


def test_the_whole_json_feed(posts, config) -> None:
    made = by_path(feeds(posts, config(feed=ALL, author="Ann <ann@acme.example>")))
    assert json.loads(made["feed.json"]) == {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Acme",
        "home_page_url": "https://acme.example/",
        "feed_url": "https://acme.example/feed.json",
        "description": "Acme",
        "language": "en",
        "authors": [{"name": "Ann"}],
        "items": [
            {
                "id": "b-1",
                "url": "https://acme.example/blog/b",
                "title": "B",
                "content_html": "<p>ü</p>",
                "date_published": JUNE,
                "date_modified": "2024-07-01T00:00:00+00:00",
                "authors": [{"name": "Jo"}],
            },
            {
                "id": "https://acme.example/blog/a",
                "url": "https://acme.example/blog/a",
                "title": "A & <b>",
                "summary": "Sum",
                "content_html": "<p>x &amp; y</p>",
                "date_published": MAY,
                "date_modified": MAY,
                "tags": ["t & u", "v"],
            },
        ],
    }


@pytest.mark.parametrize("path", ["rss.xml", "atom.xml"])
def test_feedparser_reads_back_what_was_written(posts, config, path) -> None:
    read = feedparser.parse(by_path(feeds(posts, config(feed=ALL)))[path])
    assert (read.bozo, read.feed.title, read.feed.link) == (False, "Acme", "https://acme.example/")
    assert [entry.link for entry in read.entries] == [
        "https://acme.example/blog/b",
        "https://acme.example/blog/a",
    ]
    assert [entry.content[0].value for entry in read.entries] == ["<p>ü</p>", "<p>x &amp; y</p>"]
    assert read.entries[1].summary == "Sum"
    assert [tag.term for tag in read.entries[1].tags] == ["t & u", "v"]
    assert read.entries[0].published_parsed[:3] == (2024, 6, 2)
    [self_link] = [link for link in read.feed.links if link.rel == "self"]
    assert self_link.href == f"https://acme.example/{path}"


def test_a_feed_without_entries_is_valid_and_has_no_date_of_today(config) -> None:
    made = by_path(feeds([], config(feed=ALL)))
    assert list(made) == ["rss.xml", "atom.xml", "feed.json"]
    assert b"lastBuildDate" not in made["rss.xml"]
    assert b"<updated>1970-01-01T00:00:00+00:00</updated>" in made["atom.xml"]
    assert json.loads(made["feed.json"])["items"] == []
    assert not any(feedparser.parse(made[path]).bozo for path in ("rss.xml", "atom.xml"))


def test_two_entries_never_share_a_guid(page, config) -> None:
    pages = [
        page("/new", date=JUNE, guid="x"),
        page("/old", date=MAY, guid="x", file="content/old.md", line=1),
    ]
    finding, made = feeds(pages, config())
    assert finding == warning(
        "front-matter-error",
        'the guid "x" belongs to a newer page too',
        Location("content/old.md", 1),
        "give each page a guid of its own, or delete this one",
    )
    guids = etree.fromstring(made.body).findall(".//guid")
    assert [(g.text, g.get("isPermaLink")) for g in guids] == [
        ("x", "false"),
        ("https://acme.example/old", "true"),
    ]


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("", None),
        ("Jo", Person("Jo")),
        ("Jo <jo@a.example>", Person("Jo", "jo@a.example")),
        ("jo@a.example", Person("jo@a.example", "jo@a.example")),
        ("<jo@a.example>", Person("jo@a.example", "jo@a.example")),
        ("Jo, of <Acme>", Person("Jo, of <Acme>")),
    ],
)
def test_people(text: str, person: Person | None) -> None:
    assert parse_person(text) == person


def test_an_address_makes_an_rss_author(page, config) -> None:
    [made] = feeds([page("/a", date=MAY, authors=("Jo <jo@a.example>",))], config(author="Ann"))
    assert etree.fromstring(made.body).findtext(".//item/author") == "jo@a.example (Jo)"
    assert b"dc:creator" not in made.body


def test_every_author_of_an_entry_is_named(page, config) -> None:
    entry = page("/a", date=MAY, authors=("Ann <ann@a.example>", "Bob"))
    made = by_path(feeds([entry], config(feed=ALL, author="Site")))
    creators = etree.fromstring(made["rss.xml"]).iterfind(".//item/{http://purl.org/dc/elements/1.1/}creator")
    assert [creator.text for creator in creators] == ["Ann", "Bob"]
    assert [author["name"] for author in feedparser.parse(made["atom.xml"]).entries[0].authors] == [
        "Ann",
        "Bob",
    ]
    assert json.loads(made["feed.json"])["items"][0]["authors"] == [{"name": "Ann"}, {"name": "Bob"}]


def test_a_page_without_text_still_makes_an_item(page, config) -> None:
    made = by_path(feeds([page("/a", "\x00", date=MAY)], config(feed=ALL)))
    assert feedparser.parse(made["rss.xml"]).entries[0].title == "/a"
    assert json.loads(made["feed.json"])["items"][0]["content_text"] == "/a"


@settings(derandomize=True, max_examples=60)
@given(st.text(st.characters(exclude_categories=()), max_size=30))
def test_any_text_gives_feeds_that_parse_to_it(text: str) -> None:
    site = Site(url="https://acme.example", title=text, description=text, author=text)
    config = Config(Path("/"), "pybuild.toml", Settings(site=site, feed=ALL), Options())
    page = Page(
        "/a",
        "https://acme.example/a",
        "a.html",
        text,
        description=text,
        date=MAY,
        authors=(text,),
        guid=text,
        tags=(text,),
        content=text,
    )
    made = by_path(feeds([page], config))
    item = etree.fromstring(made["rss.xml"]).find("channel/item")
    assert item.findtext("title") == (one_line(text) or "/a")
    content = item.findtext("{http://purl.org/rss/1.0/modules/content/}encoded") or ""
    assert content == xml_text(text)
    etree.fromstring(made["atom.xml"])
    json.loads(made["feed.json"])


def test_two_feeds_of_the_same_pages_are_equal(posts, config) -> None:
    assert by_path(feeds(posts, config(feed=ALL))) == by_path(feeds(posts[::-1], config(feed=ALL)))
