"""The index of every word, made by Pagefind from the finished pages.

Owns which pages go into it, and that it is made only when their texts changed: the files of the last export are taken else.
Pagefind runs as a process of its own, and holds all texts while it does. Source: pagefind.app, "Python API".
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import pkgutil
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pybuild.build.outputs import Index
from pybuild.config.loader import Config
from pybuild.diagnostics import Diagnostic, Location
from pybuild.look.files import IMMUTABLE
from pybuild.publish import Stage
from pybuild.publish.state import make_folders, read_file, replace_file
from pybuild.records import Artifact, Files, Page
from pybuild.urls import encode, page_href

ORIGIN = "[search]"
FOLDER = "pagefind"
_MAIN = re.compile(r"<main\b")
_HASHED = re.compile(r"\.pf_(?:meta|index|fragment|filter)$")
_UNUSED = re.compile(r"pagefind-(?!worker\.|entry\.)[\w-]+\.(?:js|css)$")  # looks of Pagefind's own


def index_of(config: Config, stage: Stage) -> Index | None:
    """What makes the index of a site; None where it is not searched by Pagefind."""
    if config.settings.search.engine != "pagefind":
        return None
    return lambda pages, files: _full_text(config, pages, files, stage)


def _full_text(
    config: Config, pages: Sequence[Page], files: Files, stage: Stage
) -> Iterator[Artifact | Diagnostic]:
    """The files of the index of the pages that are searched. Finding: `engine-error`."""
    is_kept = config.options.cache and not config.options.verify_reproducible
    shown = [page for page in pages if page.is_searched and page.indexed]
    said = "\n".join(f"{page.url} {page.language} {_digest(files, page)}" for page in shown)
    digest = hashlib.sha256(f"{version('pagefind')}\n{said}".encode()).hexdigest()
    known = _known(config, digest, stage) if is_kept else None
    if known is not None:
        yield from known
        return
    try:
        made = asyncio.run(_made(config, shown, stage))
    except (OSError, RuntimeError, ValueError, KeyError) as fault:
        message = f"Pagefind made no index: {fault or type(fault).__name__}"
        hint = 'write engine = "titles" below [search], or install pybuild-export[search] again'
        yield Diagnostic("engine-error", message, Location(config.file), hint)
        return
    with contextlib.suppress(OSError):
        make_folders(_note(config).parent)
        note = {"digest": digest, "paths": [artifact.path for artifact in made]}
        replace_file(_note(config), [json.dumps(note).encode()])
    yield from made


def _digest(files: Files, page: Page) -> str:
    """Of the text of a page: of its Markdown variant, and of its title."""
    file = files.get(page.variant_path) or files.get(page.path)
    return f"{file.digest if file else ''} {page.title}"


async def _made(config: Config, pages: Sequence[Page], stage: Stage) -> list[Artifact]:
    # A PagefindIndex that is used as a context writes its files into the folder pybuild was called in; a service does not.
    service: Any = pkgutil.resolve_name("pagefind.service:PagefindService")
    async with service() as running:
        opened = await running.create_index()
        for page in pages:
            html = _read(stage, page.path)
            if "data-pagefind-body" not in html:
                html = _MAIN.sub("<main data-pagefind-body", html, count=1)
            url = encode(config.site.base_path + page_href(page.url, trailing_slash=config.trailing_slash))
            await opened.add_html_file(content=html, url=url)
        found = [(str(file["path"]), bytes(file["content"])) for file in await opened.get_files()]
    used = (
        (path.removeprefix(f"{FOLDER}/"), body) for path, body in sorted(found) if not _UNUSED.search(path)
    )
    return [_artifact(f"{FOLDER}/{path}", body) for path, body in used]


def _artifact(path: str, body: bytes) -> Artifact:
    return Artifact(path, ORIGIN, body, headers=IMMUTABLE if _HASHED.search(path) else ())


def _read(stage: Stage, path: str) -> str:
    for folder in (stage.tree, stage.output.out):
        with contextlib.suppress(FileNotFoundError):
            return (folder / path).read_text("utf-8")
    return ""


def _note(config: Config) -> Path:
    """Where is written what the index of an output folder was made of."""
    name = hashlib.sha256(str(config.out).encode()).hexdigest()[:8]
    return config.state / "cache" / f"pagefind-{name}.json"


def _known(config: Config, digest: str, stage: Stage) -> list[Artifact] | None:
    """The index of the last export, where it is of the same texts and whole."""
    with contextlib.suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(read_file(_note(config)))
        if said["digest"] == digest and all(str(path).startswith(f"{FOLDER}/") for path in said["paths"]):
            rows = stage.previous.rows
            if all(stage.holds(path, rows[path].digest) for path in said["paths"]):
                return [_artifact(path, (stage.output.out / path).read_bytes()) for path in said["paths"]]
    return None
