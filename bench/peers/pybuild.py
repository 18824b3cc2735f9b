"""pybuild with every feature on (variants, link check, sitemap, feed, llms.txt, atomic publish), one peer an engine."""

from __future__ import annotations

import compileall
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from peers.base import Peer, write

PACKAGE = Path(__file__).parents[2] / "pybuild"
NATIVE = tuple(name for name in ("pyromark",) if find_spec(name))


def install(engine: str) -> Callable[[Path], str]:
    def own_version(tools: Path) -> str:
        words = [sys.executable, "-m", "pybuild", "--version"]
        return subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()[-1]

    def compiled(tools: Path) -> str:
        compileall.compile_dir(PACKAGE, quiet=1)  # as pip does, whatever the environment says of bytecode
        return version(engine) if engine else own_version(tools)

    return compiled


def prepare(engine: str) -> Callable[[Path, Path, Path], None]:
    def make(tools: Path, site: Path, corpus: Path) -> None:
        shutil.copytree(corpus, site / "content/docs")
        markdown = f'[markdown]\nengine = "{engine}"\n\n' if engine else ""
        write(
            site / "pybuild.toml",
            '[site]\nurl = "https://bench.example"\ntitle = "Bench"\n\n[build]\ngit_dates = false\n\n'
            f'{markdown}[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n',
        )
        write(site / "app/page.md", "# Bench\n")
        write(
            site / "app/docs/page.html",
            "<h1>Pages</h1>\n<ul>\n{% for page in (collections.docs | sort(attribute='date', reverse=true))[:100] %}"
            '<li><a href="{{ page.url }}">{{ page.title }}</a></li>\n{% endfor %}</ul>\n',
        )
        write(
            site / "app/layout.html",
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n{{ head }}\n</head>\n<body>\n'
            '<header><a href="/">Bench</a></header>\n<main>{{ children }}</main>\n'
            '<footer><a href="/sitemap.xml">Sitemap</a></footer>\n</body>\n</html>\n',
        )

    return make


def command(tools: Path) -> Sequence[str]:
    return [sys.executable, "-m", "pybuild", "export", "--quiet"]


def peer(engine: str) -> Peer:
    return Peer(
        f"pybuild, {engine}" if engine else "pybuild",
        install(engine),
        prepare(engine),
        command,
        content="content/docs",
        layout="app/layout.html",
        index="app/docs/page.html",
        out="out",
        state=(".pybuild",),
        largest=100_000,
        descriptors=64,
    )


PEERS = (peer(""), *map(peer, NATIVE))
