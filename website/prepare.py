"""Fills the site of the documentation: `docs/`, the changelog, and a page of the API made from docstrings.

Everything goes below `content/` and `public/`, which git does not know. `nox --session docs` runs this and then exports.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import griffe

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
CONTENT = HERE / "content/docs"
_STARLETTE = "https://www.starlette.io/"


def copy_docs() -> None:
    """Copy the pages; README.md of a folder is its index, and links to it lead there."""
    shutil.rmtree(HERE / "content", ignore_errors=True)
    for page in sorted((ROOT / "docs").rglob("*.md")):
        path = page.relative_to(ROOT / "docs")
        file = CONTENT / path.with_name("index.md" if path.name == "README.md" else path.name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(page.read_text("utf-8").replace("README.md)", "index.md)"), "utf-8")
    hosts = sorted(page.stem for page in (CONTENT / "hosts").glob("*.md"))
    listed = "".join(f"* [{name}]({name}.md)\n" for name in hosts)
    (CONTENT / "hosts/index.md").write_text(
        f"# Hosts\n\nWhat each one can do, and how to deploy.\n\n{listed}", "utf-8"
    )


def changelog() -> str:
    """The changelog, with what is not released yet above its releases."""
    fragments = [
        " ".join(file.read_text("utf-8").split()) for file in sorted((ROOT / "changelog.d").glob("*.md"))
    ]
    ahead = "## Not released yet\n\n" + "".join(f"* {text}\n" for text in fragments) if fragments else ""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return text.replace("<!-- releases -->\n", ahead)


def api() -> str:
    """The names of `pybuild.__all__` with their signatures and docstrings."""
    package = griffe.load("pybuild", search_paths=[str(ROOT)])
    exported = [str(name).strip("'\"") for name in package.exports or ()]
    parts = ["---\ntitle: API\ndescription: What a site imports from pybuild, from its docstrings.\n---\n"]
    parts += [_entry(name, package[name]) for name in exported if not name.startswith("__")]
    return "\n".join(parts)


def _entry(name: str, found: griffe.Object | griffe.Alias) -> str:
    try:
        target = found.final_target if isinstance(found, griffe.Alias) else found
    except griffe.AliasResolutionError:
        return f"## {name}\n\nThe class of [Starlette]({_STARLETTE}).\n"
    lines = [f"## {name}", _signature(name, target), _text(target)]
    for member, inner in target.members.items():
        if not member.startswith("_") and inner.docstring and not inner.is_alias:
            lines += [f"### {name}.{member}", _signature(member, inner), _text(inner)]
    return "\n\n".join(filter(None, lines)) + "\n"


def _signature(name: str, found: griffe.Object) -> str:
    if isinstance(found, griffe.Function):
        shown = ", ".join(_parameters(found))
        returns = f" -> {found.returns}" if found.returns is not None else ""
        return f"```python\n{name}({shown}){returns}\n```"
    if isinstance(found, griffe.Attribute) and found.annotation is not None:
        return f"```python\n{name}: {found.annotation}\n```"
    return ""


def _parameters(function: griffe.Function) -> Iterator[str]:
    keyword_only = False
    for parameter in function.parameters:
        if parameter.name in {"self", "cls"}:
            continue
        if parameter.kind is griffe.ParameterKind.keyword_only and not keyword_only:
            keyword_only = True
            yield "*"
        stars = {"variadic positional": "*", "variadic keyword": "**"}.get(
            str(parameter.kind and parameter.kind.value), ""
        )
        keyword_only = keyword_only or stars == "*"
        annotation = f": {parameter.annotation}" if parameter.annotation is not None else ""
        default = f" = {parameter.default}" if parameter.default is not None and not stars else ""
        yield f"{stars}{parameter.name}{annotation}{default}"


def _text(found: griffe.Object) -> str:
    """A docstring as Markdown: spaces of wrapped lines are kept, names in backticks stay."""
    return re.sub(r"\n(?=\S)", " ", found.docstring.value) if found.docstring else ""


def main() -> None:
    """Fill the site."""
    copy_docs()
    (CONTENT / "changelog.md").write_text(changelog(), "utf-8")
    (CONTENT / "api.md").write_text(api(), "utf-8")
    schema = subprocess.run(
        [sys.executable, "-m", "pybuild", "schema"], check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(schema), "it is a schema"
    (HERE / "public").mkdir(exist_ok=True)
    (HERE / "public/schema.json").write_text(schema, "utf-8")


if __name__ == "__main__":
    main()
