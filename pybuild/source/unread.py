"""Files and folders that look published, or used, and are not.

Owns one warning for each kind of them, with a count and the move that mends it. Names that are nearly special in a
folder of `app/` are `routing.conventions`' to say. Reads texts of the site only to see whether something else
uses a file; runs nothing. Source: docs/routing.md, "Files that mean something".
"""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from pybuild.config.schema import Collection
from pybuild.diagnostics import Diagnostic, Location, warning
from pybuild.files import Found, walk
from pybuild.routing.conventions import is_server_file, odd_file, special_file

_FOR_PUBLIC = frozenset(
    ("llms.txt", "llms-full.txt", "rss.xml", "atom.xml", "feed.xml", "feed.json", "humans.txt", "ads.txt", "app-ads.txt")
    + ("security.txt", "404.html", "CNAME", ".nojekyll", ".htaccess", "browserconfig.xml", "_headers", "_redirects")
)  # fmt: skip
_AT_ROOT = (_FOR_PUBLIC | {"robots.txt", "favicon.ico"}) - {"404.html", ".nojekyll", ".htaccess"}
_OWN_FOLDERS = ("app", "content", "data", "public", "templates")
_OF_OTHERS = ("_posts", "content", "posts")  # folders of documents
_PAGE_SUFFIXES = (".md", ".html", ".py", ".js", ".jsx", ".ts", ".tsx", ".mdx")
_DOCUMENTS = (".md", ".markdown", ".mdx", ".rst", ".adoc", ".org", ".ipynb")
_SKIPPED = frozenset(
    {"node_modules", "__pycache__", "out", "venv", "site-packages", "dist", "build", "public"}
)
_DIRECTIVES = (b"use server", b"use client")
_DEPTH = 6  # folders below the site in which modules and templates are sought


def unread_files(root: Path, collections: Mapping[str, Collection]) -> Iterator[Diagnostic]:
    """Find what an author may take for published. Code: the warning `unknown-export`."""
    yield from _in_app(root)
    yield from _folders(root, collections)
    yield from _beside_public(root)
    yield from _directives(root)


def _in_app(root: Path) -> Iterator[Diagnostic]:
    pages: list[str] = []
    copies: list[str] = []
    for found in walk(root, "app", skip=lambda path: path.rpartition("/")[2].startswith(("_", ".#"))):
        if not isinstance(found, Found):
            continue
        name = found.path.rpartition("/")[2]
        if special_file(name) or odd_file(name) or is_server_file(name):
            continue
        if name in _FOR_PUBLIC or f"/{found.path}".startswith("/.well-known/"):
            copies.append(f"app/{found.path}")
        elif name.endswith((*_DOCUMENTS, ".html")) and not name.lower().startswith("readme"):
            pages.append(f"app/{found.path}")
    if pages:
        used = texts_of(root, (".py", ".html"))
        pages = [file for file in pages if not _is_mentioned(file, used)]
    if pages:
        stem, _, suffix = pages[0].rpartition(".")
        suffix = "html" if suffix == "html" else "md"
        yield _one(
            pages,
            "is not published: a page is a folder with a file named page",
            f"move it to {stem}/page.{suffix}",
        )
    if copies:
        yield _one(
            copies,
            "is not published: app/ holds routes",
            f"move it to public/{copies[0].removeprefix('app/')}",
        )


def _one(files: list[str], what: str, hint: str) -> Diagnostic:
    """One warning for all files of a kind, at the first of them."""
    more = f" (and so for {len(files) - 1} more)" if len(files) > 1 else ""
    return warning("unknown-export", f"{files[0]} {what}{more}", Location(files[0]), hint)


def texts_of(root: Path, suffixes: tuple[str, ...]) -> dict[str, bytes]:
    """The modules and templates of the site, by their path."""
    found: dict[str, bytes] = {}
    for folder, folders, names in os.walk(root):
        inside = Path(folder).relative_to(root)
        is_deep = len(inside.parts) >= _DEPTH
        folders[:] = (
            [] if is_deep else sorted(f for f in folders if f not in _SKIPPED and not f.startswith("."))
        )
        for name in sorted(names):
            if name.endswith(suffixes) and (file := Path(folder) / name).is_file():
                found[(inside / name).as_posix()] = file.read_bytes()
    return found


def _is_mentioned(file: str, texts: Mapping[str, bytes]) -> bool:
    name = file.rpartition("/")[2].encode()
    return any(name in text for path, text in texts.items() if path != file)


def _folders(root: Path, collections: Mapping[str, Collection]) -> Iterator[Diagnostic]:
    sources = {collection.source.strip("/") for collection in collections.values()}
    names = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    for name in names:
        plain = name.lower()
        if (
            plain in _OWN_FOLDERS
            and name != plain
            and not _is_same(root / name, root / plain)
            and name not in sources
        ):
            where = f"put its files into {plain}/" if plain in names else f"rename it to {plain}"
            yield warning(
                "unknown-export", f"the folder {name} is not read: {plain} is", Location(name), where
            )
    for name in ("pages", "src/app", "src/pages"):
        files = (
            []
            if any(source.split("/")[0] == name.split("/")[0] for source in sources)
            else _pages(root, name)
        )
        if files and not (name == "pages" and _is_named(root, b"pages")):
            message = f"the folder {name} is not read: routes lie in app/ beside the settings"
            if name == "src/app" and "app" in names:
                message = "the folder src/app is not read, for there is an app/ beside the settings"
            yield warning(
                "unknown-export",
                message,
                Location(name),
                f"move its files to app/, such as {_moved(name, files[0])}",
            )
    for name in _OF_OTHERS:
        if name not in names or any(source == name or source.startswith(f"{name}/") for source in sources):
            continue
        files = [f for f in _under(root, name) if f.endswith(_DOCUMENTS)]
        if files and not _is_named(root, name.encode()):
            kind = "docs" if name == "content" else "blog"
            hint = f'write [collections.{kind}] with source = "{name}" and route = "/{kind}/[...slug]" into the settings'
            yield _one(files, "is not published: no collection names its folder and no module reads it", hint)


def _beside_public(root: Path) -> Iterator[Diagnostic]:
    """Find files that hosts and crawlers look for and the folder `static`, where nothing else names them."""
    files = [name for name in sorted(os.listdir(root)) if name in _AT_ROOT]
    is_static = (root / "static").is_dir()
    texts = texts_of(root, (".py", ".toml")) if files or is_static else {}
    files = [name for name in files if not _is_mentioned(name, texts)]
    if files:
        yield _one(files, "is not published: public/ is", f"move it to public/{files[0]}")
    named = (b'"static"', b"'static'", b"static/")
    if is_static and not any(word in text for text in texts.values() for word in named):
        message = "the folder static is not read: public is"
        where = "put its files into public/" if (root / "public").is_dir() else "rename it to public"
        yield warning("unknown-export", message, Location("static"), where)


def _is_same(one: Path, other: Path) -> bool:
    """Whether two names are one folder, as where letter case does not count."""
    return other.is_dir() and one.samefile(other)


def _under(root: Path, folder: str) -> list[str]:
    return [
        f"{folder}/{found.path}"
        for found in walk(root, folder, skip=lambda path: False)
        if isinstance(found, Found)
    ]


def _pages(root: Path, folder: str) -> list[str]:
    return (
        [file for file in _under(root, folder) if file.endswith(_PAGE_SUFFIXES)]
        if (root / folder).is_dir()
        else []
    )


def _moved(folder: str, file: str) -> str:
    """Where a page of a folder of pages belongs: `pages/about.md` → `app/about/page.md`."""
    inside = file.removeprefix(f"{folder}/")
    around, _, name = inside.rpartition("/")
    stem, _, suffix = name.partition(".")
    if folder.endswith("app"):
        return f"app/{inside}"
    return "/".join(filter(None, ("app", around, "" if stem == "index" else stem, f"page.{suffix}")))


def _is_named(root: Path, folder: bytes) -> bool:
    """Whether a module of the site names a folder."""
    return any(folder in text for text in texts_of(root, (".py",)).values())


def _directives(root: Path) -> Iterator[Diagnostic]:
    """Find "use server" and "use client" in modules beside `app/`; the modules of routes are read there."""
    for path, text in texts_of(root, (".py",)).items():
        if not any(word in text for word in _DIRECTIVES):
            continue
        if path.startswith("app/") and special_file(path.rpartition("/")[2]):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue  # whoever imports it says so
        for node in ast.walk(tree):
            body = node.body if isinstance(node, ast.Module | ast.FunctionDef | ast.AsyncFunctionDef) else []
            first = body[0] if body else None
            word = (
                first.value.value
                if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
                else None
            )
            if first is not None and isinstance(word, str) and word.encode() in _DIRECTIVES:
                message = f'"{word}" has no meaning in an export: there is no server and no client bundle'
                yield warning(
                    "unsupported-feature",
                    message,
                    Location(path, first.lineno, first.col_offset + 1),
                    "delete the line",
                )
