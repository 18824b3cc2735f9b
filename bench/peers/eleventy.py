"""Eleventy 3, from npm: one layout, an index, the feed plugin, a sitemap, the syntax highlighting plugin."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, npm, write

VERSION = "3.1.8"
PACKAGES = {
    "@11ty/eleventy": VERSION,
    "@11ty/eleventy-plugin-rss": "3.0.0",
    "@11ty/eleventy-plugin-syntaxhighlight": "5.0.2",
}


def install(tools: Path) -> str:
    npm(
        tools / "eleventy", PACKAGES, overrides={"@11ty/recursive-copy": "4.0.4"}
    )  # what it asks for was withdrawn
    return VERSION


def prepare(tools: Path, site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "src/docs")
    (site / "node_modules").symlink_to(tools / "eleventy/node_modules")
    write(site / "package.json", '{"type": "module"}')
    write(site / "src/docs/docs.json", '{"layout": "base.njk", "tags": "docs"}')
    write(site / "src/index.md", "---\nlayout: base.njk\ntitle: Bench\n---\n# Bench\n")
    write(
        site / "src/_includes/base.njk",
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ title }}</title>'
        '<meta name="description" content="{{ description }}"></head>\n'
        '<body><header><a href="/">Bench</a></header><main><h1>{{ title }}</h1>{{ content | safe }}</main></body>\n</html>\n',
    )
    write(
        site / "src/pages.njk",
        "---\nlayout: base.njk\ntitle: Pages\npermalink: /docs/\n---\n<ul>{% for page in collections.docs | newest %}"
        '<li><a href="{{ page.url }}">{{ page.data.title }}</a></li>{% endfor %}</ul>\n',
    )
    write(
        site / "src/sitemap.njk",
        "---\npermalink: /sitemap.xml\neleventyExcludeFromCollections: true\n---\n"
        '<?xml version="1.0" encoding="utf-8"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
        "{% for page in collections.all %}<url><loc>https://bench.example{{ page.url }}</loc></url>{% endfor %}</urlset>",
    )
    write(
        site / "eleventy.config.mjs",
        'import { feedPlugin } from "@11ty/eleventy-plugin-rss";\n'
        'import syntaxHighlight from "@11ty/eleventy-plugin-syntaxhighlight";\n'
        "export default function (config) {\n  config.addPlugin(syntaxHighlight);\n"
        '  config.addFilter("newest", (pages) => pages.slice(-100).reverse());\n'
        '  config.addPlugin(feedPlugin, { type: "rss", outputPath: "/rss.xml", collection: { name: "docs", limit: 20 },\n'
        '    metadata: { language: "en", title: "Bench", base: "https://bench.example/", author: { name: "Bench" } } });\n'
        '  return { dir: { input: "src", output: "_site" }, markdownTemplateEngine: false };\n}\n',
    )


def command(tools: Path) -> Sequence[str]:
    return ["node", str(tools / "eleventy/node_modules/@11ty/eleventy/cmd.cjs"), "--quiet"]


PEER = Peer(
    "Eleventy",
    install,
    prepare,
    command,
    content="src/docs",
    layout="src/_includes/base.njk",
    index="src/pages.njk",
    out="_site",
)
