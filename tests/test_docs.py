"""The documentation held against the program: every snippet runs, every setting and every code is described.

A block whose first line is a comment with a path is a file of the page's own site: `# app/page.py`,
`{# app/page.html #}`, `<!-- content/a.md -->`. All of them together are exported, without a finding. A path
below `out/` is a file of the result, given in full. Settings are read also where they have no path, commands
are held against the command line, and links between pages are followed.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import json
import re
import shlex
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from errors_examples import EXAMPLES, SITE
from harness import Run, run_command

import pybuild
from pybuild.cli.main import cli
from pybuild.config.loader import load_config
from pybuild.config.schema import Settings
from pybuild.diagnostics import CODES
from pybuild.files import shipped_templates
from pybuild.hosts import TARGETS
from pybuild.markdown.blocks import KINDS
from pybuild.markdown.heading_ids import slug
from pybuild.metadata.fields import OG_ORDER, TWITTER_ORDER
from pybuild.metadata.layers import DOCUMENT_KEYS, KEYS
from pybuild.render.documents import Document
from pybuild.render.page import PageView
from pybuild.routing.conventions import MetadataKind
from pybuild.routing.module_facts import IMAGE_SETTINGS, SETTINGS
from pybuild.rules.model import ConditionType
from pybuild.rules.negotiate import negotiate
from pybuild.site_files import OUTPUTS

DOCS = Path(__file__).parent.parent / "docs"
LOOK = shipped_templates() / "default"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.M | re.S)
_TITLE = re.compile(r"(?:# |<!-- |\{# |/\* )([\w./\[\]()@%-]+\.\w+)(?: -->| #\}| \*/)?\n")
_UNSEEN = {"name", "location"}  # fields of a collection that are no keys
_INNER = {"body", "entry"}  # of a document, for pybuild itself


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    path: str  # "" where it has no title
    text: str  # without the title


@functools.cache
def text_of(page: str) -> str:
    return (DOCS / page).read_text("utf-8")


def blocks(page: str, *languages: str) -> list[Block]:
    found = [_block(match[1], match[2]) for match in _BLOCK.finditer(text_of(page))]
    return [block for block in found if not languages or block.language in languages]


def _block(language: str, text: str) -> Block:
    title = _TITLE.match(text)
    return Block(language, title[1], text[title.end() :]) if title else Block(language, "", text)


def site_of(page: str) -> dict[str, str]:
    """The files a page shows; several blocks of one path are one file."""
    files: dict[str, str] = {}
    for block in blocks(page):
        if block.path and not block.path.startswith("out/"):
            files[block.path] = files.get(block.path, "") + block.text
    settings = files.get("pybuild.toml", "")
    return {**files, "pybuild.toml": settings if "[site]" in settings else f"{settings}\n{SITE}"}


WITH_FILES = [page for page in PAGES if page != "five-minutes.md" and any(b.path for b in blocks(page))]


@pytest.mark.parametrize("page", WITH_FILES)
def test_the_files_of_a_page_are_a_site(
    page: str, site: Callable[..., Path], export: Callable[..., Run]
) -> None:
    files = site_of(page)
    has_home = page == "metadata.md" or any(path.startswith("app/page.") for path in files)
    if not has_home and 'route = "/[' not in files["pybuild.toml"]:
        files = {"app/page.md": "# Home\n", **files}
    run = export(site({path: text for path, text in files.items() if path != "pyproject.toml"}))
    # the page of rules shows redirects and rewrites without the pages they lead to
    findings = [f for f in run.findings if page != "rules.md" or ": error[" in f]
    assert (findings, run.code) == ([], 0), run.stderr
    shown = {block.path: block.text for block in blocks(page) if block.path.startswith("out/")}
    assert {path: run.text(path.removeprefix("out/")) for path in shown} == shown


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "toml")])
def test_settings_are_read(page: str, tmp_path: Path) -> None:
    settings = [b for b in blocks(page, "toml") if b.path in ("", "pybuild.toml", "pyproject.toml")]
    for number, block in enumerate(settings):
        folder = tmp_path / str(number)
        folder.mkdir()
        name = block.path or "pybuild.toml"
        text = block.text if "site]" in block.text else f"{block.text}\n{SITE}"
        (folder / name).write_text(text, "utf-8")
        assert load_config(folder)[1] == (), block.text


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "python", "json")])
def test_code_and_json_can_be_parsed(page: str) -> None:
    for block in blocks(page, "python"):
        ast.parse(block.text)
    for block in blocks(page, "json"):
        json.loads(block.text)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh", "yaml")])
def test_commands_exist(page: str) -> None:
    for block in blocks(page, "sh", "yaml"):
        for found in re.finditer(r"(?:^|\s)pybuild (\w+[^\n|&;]*)", block.text):
            name, *words = shlex.split(found[1], comments=True)
            options = {spelling for p in cli.commands[name].params for spelling in p.opts}
            assert {word for word in words if word.startswith("-")} <= options, found[0]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_pages_and_headings(page: str) -> None:
    prose = _BLOCK.sub("", text_of(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", prose)):
        name, _, anchor = target.partition("#")
        if "://" in target or name.endswith("/"):
            continue
        headings = re.findall(r"^#+ (.+)$", _BLOCK.sub("", text_of(name or page)), re.M)
        assert not anchor or anchor in {slug(heading.replace("`", "")) for heading in headings}, target


def test_the_index_names_every_page() -> None:
    named = set(re.findall(r"\]\((\w[\w.-]*\.md)\)", text_of("README.md")))
    assert named >= {*PAGES} - {"README.md"}


def _settings(kind: Any, table: str = "") -> Iterator[tuple[str, object, str]]:
    """Each table, with None, and each key with its default and sentence; tables by name are one, as `[collections.NAME]`."""
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        held = () if typing.get_origin(hint) is tuple else typing.get_args(hint)
        inner = next((k for k in (hint, *held) if dataclasses.is_dataclass(k)), None)
        if field.name in _UNSEEN:
            continue
        if inner is not None:
            name = f"{table}.{field.name}".removeprefix(".")
            name = table if field.metadata.get("rest") else name
            name = name if inner is hint else f"{name}.NAME"
            yield from ((f"[{name}]", None, ""), *_settings(inner, name))
        elif field.default is dataclasses.MISSING and not table:
            yield f"[{field.name}]", None, ""
        elif field.default is dataclasses.MISSING:
            yield f"{table}.{field.name}", {}, field.metadata.get("sentence", "")
        else:
            yield f"{table}.{field.name}".removeprefix("."), field.default, field.metadata.get("sentence", "")


@pytest.mark.parametrize(("key", "default", "sentence"), list(_settings(Settings)))
def test_every_setting_is_described_with_its_default(key: str, default: object, sentence: str) -> None:
    text = text_of("settings.md")
    if default is None:
        assert f"## `{key}`" in text
        return
    table, _, name = key.rpartition(".")
    part = text.partition(f"## `[{table}]`")[2].partition("\n## ")[0] if table else text
    row = f"| `{name}` | `{_written(default)}` | "
    assert row in part
    assert sentence, f"{key} has no sentence in config/schema.py"
    described = re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", part.partition(row)[2])  # links by their text
    assert described.startswith(sentence)


def _written(default: object) -> str:
    """A default as TOML writes it; JSON writes texts, lists and truth alike."""
    whole = isinstance(default, float) and default.is_integer()
    return json.dumps(int(typing.cast(float, default)) if whole else default)


def test_every_code_is_described() -> None:
    assert sorted(re.findall(r"^## (\S+)$", text_of("errors.md"), re.M)) == sorted(CODES)


def _told(root: Path, name: str) -> str:
    """What a broken site is told."""
    example = EXAMPLES[name]
    for files in (example.before, {"pybuild.toml": SITE, **example.files}):
        for path, content in {"pybuild.toml": SITE, **files}.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        if files is example.before and files:
            run_command(root, "export", str(root))
            for path in files:
                (root / path).unlink()
    arguments = [word.format(root=root) for word in example.arguments]
    done = run_command(root, "export", str(root), *arguments, env=example.env)
    return done.stderr.replace(str(root), "/home/me/site")


def _findings(text: str) -> dict[str, str]:
    """Whole findings by their heads: `app/a/route.py:6:1: error[bad-response]`."""
    found = re.findall(r"^((?:\S.*?: )?(?:error|warning)\[[\w-]+\])(.*\n(?:  .*\n)*)", text, re.M)
    return {head: head + rest for head, rest in found}


def test_what_errors_quote_is_what_is_said(
    tmp_path_factory: pytest.TempPathFactory, update_goldens: bool
) -> None:
    texts = [_told(tmp_path_factory.mktemp(name) / "site", name) for name in EXAMPLES]
    said = {head: text for one in reversed(texts) for head, text in _findings(one).items()}
    page = text_of("errors.md")
    quoted = [block.text for block in blocks("errors.md") if block.language == "text"]
    true = {text: "".join(said[head] for head in _findings(text)) for text in quoted}
    if update_goldens:
        for text, now in true.items():
            page = page.replace(text, now)
        (DOCS / "errors.md").write_text(page, "utf-8")
    assert quoted == list(true.values())


NAMES: Mapping[str, tuple[str, Iterable[str]]] = {
    "what a site imports": ("python-api.md", pybuild.__all__),
    "templates of the look": ("look.md", [f"default/{f.name}" for f in LOOK.glob("*.html")]),
    "targets": ("rules.md", TARGETS),
    "outputs": ("outputs.md", [output.path for output in OUTPUTS if output.path]),
    "types of conditions": ("rules.md", typing.get_args(ConditionType)),
    "settings of modules": ("handlers.md", SETTINGS),
    "settings of images": ("metadata.md", IMAGE_SETTINGS - SETTINGS),
    "keys of metadata": ("metadata.md", KEYS | {*OG_ORDER, *TWITTER_ORDER}),
    "kinds of admonitions": ("markdown.md", KINDS),
    "names of a page": ("templates.md", [n for n in dir(PageView) if n[0] != "_" and n != "around"]),
    "names of a document": ("templates.md", [n for n in dir(Document) if n[0] != "_" and n not in _INNER]),
    "keys of front matter": ("content.md", DOCUMENT_KEYS),
    "metadata files": ("routing.md", typing.get_args(MetadataKind)),
}


@pytest.mark.parametrize("what", NAMES)
def test_every_name_is_described(what: str) -> None:
    page, names = NAMES[what]
    assert [name for name in names if not re.search(rf"`{re.escape(name)}\b", text_of(page))] == []


def test_the_table_of_accept_fields_is_true() -> None:
    part = text_of("rules.md").partition("## Markdown by Accept")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (HTML|Markdown)(.*) \|$", part, re.M)
    said = {field: answer for fields, answer, _ in rows for field in re.findall(r"`([^`]+/[^`]+)`", fields)}
    chosen = {field: negotiate([field]) for field in said}
    assert {field: "Markdown" if found == "md" else "HTML" for field, found in chosen.items()} == said
    assert [field for field, found in chosen.items() if found == "none"] == ["image/png"]


def test_every_command_is_described() -> None:
    assert [n for n in cli.commands if not re.search(rf"^\| `{n}[ `]", text_of("publishing.md"), re.M)] == []


def test_every_option_of_export_is_described() -> None:
    text = text_of("publishing.md")
    parameters = [p for p in cli.commands["export"].params if isinstance(p, click.Option)]
    assert [
        p.opts[0] for p in parameters if f"`{p.opts[-1]}" not in text and f"`{p.opts[0]}" not in text
    ] == []
