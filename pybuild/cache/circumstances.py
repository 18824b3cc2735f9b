"""What an export depends on besides the files of the site.

Owns the digests of the tool, the libraries, the settings and the history. Reads the environment only as the
configuration gives it. Knows no page.
Sources: packaging.python.org, "Recording installed projects"; gitrepository-layout(5).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from pybuild.config import Config, Options
from pybuild.settings import Build, Feed, Llms, Negotiation, Robots, Sitemap

_PACKAGE = Path(__file__).parent.parent
_LENGTH = 16  # hexadecimal digits of a short digest


def short(*parts: str) -> str:
    """A digest of texts, short enough to be kept for every page."""
    text = "\0".join(parts).encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:_LENGTH]


def short_of(parts: Iterable[str]) -> str:
    """The same of many texts, one in memory at a time."""
    sha = hashlib.sha256()
    for part in parts:
        sha.update(part.encode("utf-8", "surrogatepass") + b"\0")
    return sha.hexdigest()[:_LENGTH]


@cache
def tool() -> str:
    """The digest of this program with its templates, of Python, and of all that is installed beside it."""
    sha = hashlib.sha256(sys.version.encode())
    for folder in (_PACKAGE, _PACKAGE.parent / "templates"):
        for path, file in sorted(_sources(folder)):
            sha.update(f"\0{path}\0".encode() + Path(file).read_bytes())
    sha.update("\0".join(sorted(_distributions())).encode("utf-8", "surrogateescape"))
    return sha.hexdigest()[:_LENGTH]


def _sources(folder: Path) -> Iterator[tuple[str, str]]:
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name != "__pycache__"]
        for name in names:
            file = f"{where}/{name}"
            yield file.removeprefix(str(folder)), file


def _distributions() -> Iterator[str]:
    """The folders that name an installed project and its version."""
    for place in sys.path:
        with contextlib.suppress(OSError):
            yield from (name for name in os.listdir(place) if name.endswith((".dist-info", ".egg-info")))


def of_run(config: Config) -> str:
    """The digest of all that options and environment say, and of the history of the files; settings are a file."""
    options = replace(config.options, jobs=None, engine=None, cache=True, allow_shrink=False)
    outside = (config.public_env, sorted(config.secrets.items()), config.home)
    places = (config.target, str(config.out), str(config.deploy))
    return short(tool(), repr(options), repr(outside), *places, history(config.root))


def of_pages(config: Config) -> str:
    """The digest of what every page may depend on: the settings that reach pages, and the environment."""
    settings = replace(
        config.settings,
        build=Build(),
        targets={},
        feed=replace(config.settings.feed, limit=Feed().limit, collections=()),
        robots=Robots(),
        negotiation=Negotiation(),
        sitemap=Sitemap(enabled=config.settings.sitemap.enabled),
        llms=Llms(enabled=config.settings.llms.enabled),
    )
    base = Options(base_url=config.options.base_url)
    return short(
        tool(), repr(settings), repr(base), repr((config.public_env, sorted(config.secrets.items())))
    )


def of_markdown(config: Config) -> str:
    """The name of the folder for rendered Markdown: of the program and of the settings that reach it."""
    return f"markdown-{short(tool(), repr(config.settings.markdown))}"


def history(root: Path) -> str:
    """The digest of the git history a site stands in: its newest commit and its index; "" outside of git."""
    found = next((p / ".git" for p in (root, *root.parents) if os.path.lexists(p / ".git")), None)
    if found is None:
        return ""
    folder = found
    with contextlib.suppress(OSError):
        if found.is_file():
            folder = (found.parent / found.read_text("utf-8").removeprefix("gitdir:").strip()).resolve()
    shared = (folder / _text(folder / "commondir").strip()).resolve()
    head = _text(folder / "HEAD")
    named = head.removeprefix("ref:").strip()
    files = (folder / "index", shared / "shallow", shared / "packed-refs", shared / "reftable/tables.list")
    return short(head, _text(shared / named) if head != named else "", *_stamps(files))


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""


def _stamps(files: Iterable[Path]) -> Iterator[str]:
    for file in files:
        with contextlib.suppress(OSError):
            seen = file.stat()
            yield f"{file.name} {seen.st_size} {seen.st_mtime_ns} {seen.st_ctime_ns} {seen.st_ino}"
