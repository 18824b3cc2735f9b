"""Eleventy 3, from npm: one layout, the feed plugin, a sitemap, the syntax highlighting plugin."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, write

PACKAGE = {
    "private": True,
    "dependencies": {
        "@11ty/eleventy": "3.1.8",
        "@11ty/eleventy-plugin-rss": "^3.0.0",
        "@11ty/eleventy-plugin-syntaxhighlight": "^5.0.0",
    },
    "overrides": {"@11ty/recursive-copy": "4.0.4"},  # what it asks for was withdrawn
}


def install(tools: Path) -> str:
    folder = tools / "eleventy"
    if not (folder / "node_modules/@11ty/eleventy").is_dir():
        write(folder / "package.json", json.dumps(PACKAGE))
        words = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(words, cwd=folder, check=True, stderr=subprocess.DEVNULL)
    return "3.1.8"


def prepare(site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "src/docs")
    write(site / "src/docs/docs.json", '{"layout": "base.njk", "tags": "docs"}')
    write(site / "src/index.md", "---\nlayout: base.njk\ntitle: Bench\n---\n# Bench\n")
    write(
        site / "src/_includes/base.njk",
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ title }}</title>'
        '<meta name="description" content="{{ description }}"></head>\n'
        '<body><header><a href="/">Bench</a></header><main><h1>{{ title }}</h1>{{ content | safe }}</main></body>\n</html>\n',
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
        '  config.addPlugin(feedPlugin, { type: "rss", outputPath: "/rss.xml", collection: { name: "docs", limit: 20 },\n'
        '    metadata: { language: "en", title: "Bench", base: "https://bench.example/", author: { name: "Bench" } } });\n'
        '  return { dir: { input: "src", output: "_site" }, markdownTemplateEngine: false };\n}\n',
    )
    write(site / "package.json", '{"type": "module"}')


def command(tools: Path, site: Path) -> Sequence[str]:
    modules = site / "node_modules"
    if not modules.exists():
        modules.symlink_to(tools / "eleventy/node_modules")
    return ["node", str(tools / "eleventy/node_modules/@11ty/eleventy/cmd.cjs"), "--quiet"]


PEER = Peer("Eleventy", install, prepare, command, "src/docs", "src/_includes/base.njk", "_site")
