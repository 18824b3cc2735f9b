"""Pelican, from PyPI: articles by path, a feed, an index, the sitemap plugin; its cache of read content is on."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, pip, write

VERSION = "4.12.0"
BASE = (
    '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{% block title %}Pages{% endblock %}</title>'
    '{% block head %}{% endblock %}</head>\n<body><header><a href="/">Bench</a></header>'
    "<main>{% block content %}{% endblock %}</main></body>\n</html>\n"
)
ARTICLE = (
    '{% extends "base.html" %}{% block title %}{{ article.title }}{% endblock %}'
    '{% block head %}<meta name="description" content="{{ article.description }}">'
    '<link rel="canonical" href="{{ SITEURL }}/{{ article.url }}">{% endblock %}'
    "{% block content %}<h1>{{ article.title }}</h1>{{ article.content }}{% endblock %}"
)
INDEX = (
    '{% extends "base.html" %}{% block content %}<h1>Pages</h1><ul>{% for one in articles[:100] %}'
    '<li><a href="/{{ one.url }}">{{ one.title }}</a></li>{% endfor %}</ul>{% endblock %}'
)
SETTINGS = """SITENAME = "Bench"
SITEURL = "https://bench.example"
PATH = "content"
OUTPUT_PATH = "output"
THEME = "theme"
TIMEZONE = "UTC"
AUTHOR = "Bench"
PATH_METADATA = r"(?P<path_no_ext>.*)\\.md"
ARTICLE_URL = ARTICLE_SAVE_AS = "{path_no_ext}.html"
DIRECT_TEMPLATES = ["index"]
AUTHOR_SAVE_AS = CATEGORY_SAVE_AS = TAG_SAVE_AS = ""
FEED_ALL_RSS = "rss.xml"
FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = AUTHOR_FEED_ATOM = AUTHOR_FEED_RSS = None
FEED_MAX_ITEMS = 20
CACHE_CONTENT = True
LOAD_CONTENT_CACHE = True
CONTENT_CACHING_LAYER = "generator"
PLUGINS = ["sitemap"]
SITEMAP = {"format": "xml"}
"""


def install(tools: Path) -> str:
    pip(tools / "pelican", f"pelican[markdown]=={VERSION}", "pelican-sitemap==1.2.2")
    return VERSION


def prepare(tools: Path, site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "content/docs")
    write(site / "pelicanconf.py", SETTINGS)
    templates = site / "theme/templates"
    (site / "theme/static").mkdir(parents=True)
    for name, text in {
        "base": BASE,
        "article": ARTICLE,
        "index": INDEX,
        "page": "{{ page.content }}",
    }.items():
        write(templates / f"{name}.html", text)


def command(tools: Path) -> Sequence[str]:
    return [str(tools / "pelican/bin/pelican"), "--quiet", "--settings", "pelicanconf.py"]


PEER = Peer(
    "Pelican",
    install,
    prepare,
    command,
    content="content/docs",
    layout="theme/templates/base.html",
    index="theme/templates/index.html",
    out="output",
    state=("cache",),
)
