"""MkDocs, from PyPI, with a theme of one template and its search off. It makes no feed and no list by date."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, pip, write

VERSION = "1.6.1"


def install(tools: Path) -> str:
    pip(tools / "mkdocs", f"mkdocs=={VERSION}")
    return VERSION


def prepare(tools: Path, site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "docs/docs")
    write(site / "docs/index.md", "# Bench\n")
    write(site / "docs/docs/index.md", "# Pages\n\nA list by hand.\n")
    write(
        site / "mkdocs.yml",
        "site_name: Bench\nsite_url: https://bench.example/\nplugins: []\ntheme:\n  name: null\n  custom_dir: theme\n",
    )
    write(
        site / "theme/main.html",
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ page.title }}</title>'
        '<meta name="description" content="{{ page.meta.description }}"><link rel="canonical" href="{{ page.canonical_url }}">'
        '</head>\n<body><header><a href="/">Bench</a></header><main>{{ page.content }}</main></body>\n</html>\n',
    )
    write(
        site / "theme/sitemap.xml",
        '<?xml version="1.0" encoding="utf-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "{% for file in pages %}<url><loc>{{ file.page.canonical_url }}</loc></url>{% endfor %}</urlset>",
    )
    write(site / "theme/mkdocs_theme.yml", "static_templates: [sitemap.xml]\n")


def command(tools: Path) -> Sequence[str]:
    return [str(tools / "mkdocs/bin/mkdocs"), "build", "--quiet"]


PEER = Peer(
    "MkDocs",
    install,
    prepare,
    command,
    content="docs/docs",
    layout="theme/main.html",
    index="docs/docs/index.md",
    out="site",
)
