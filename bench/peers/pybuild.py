"""pybuild with every feature on: variants, link check, sitemap, feed, llms.txt, atomic publish."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, write


def install(tools: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pybuild", "--version"], capture_output=True, text=True, check=True
    )
    return done.stdout.split()[-1]


def prepare(site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "content/docs")
    write(
        site / "pybuild.toml",
        '[site]\nurl = "https://bench.example"\ntitle = "Bench"\n\n[build]\ngit_dates = false\n\n'
        '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n',
    )
    write(site / "app/page.md", "# Bench\n")
    write(
        site / "app/layout.html",
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{{ head }}\n</head>\n<body>\n'
        '<header><a href="/">Bench</a></header>\n<main>{{ children }}</main>\n'
        '<footer><a href="/sitemap.xml">Sitemap</a></footer>\n</body>\n</html>\n',
    )


def command(tools: Path, site: Path) -> Sequence[str]:
    return [sys.executable, "-m", "pybuild", "export", "--quiet"]


PEER = Peer("pybuild", install, prepare, command, "content/docs", "app/layout.html", "out", (".pybuild",))
