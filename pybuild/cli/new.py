"""The `new` command: a starter written to a folder, so that a site begins with something that works.

Owns what may be in the folder before, and the title and address put into a starter's files. The starters
are folders of `templates/starters/`, each a whole site. Knows no route and no page.
Source: TOML 1.0, "Basic strings"; CommonMark 0.31, "Backslash escapes".
"""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from pybuild.cli.report import Report
from pybuild.config.checks import site_address
from pybuild.files import shipped_templates
from pybuild.language_tags import NAMES, is_language_tag, language_hint

STARTERS = ("docs", "blog", "api")  # the first where nobody is asked
_KEPT = frozenset({".git", ".gitignore", "LICENSE", "README.md"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an author asks of a new site. None leaves it to the starter or to the folder's name."""

    template: str | None = None
    title: str | None = None
    url: str | None = None
    languages: str | None = None  # codes with commas between, the default one first


def new(folder: Path, wishes: Wishes) -> int:
    """Write a starter to `folder`. Raises a usage error (exit 2) where that cannot be; nothing is left then."""
    _check(folder, wishes)
    template = wishes.template or STARTERS[0]
    if not wishes.template and sys.stdin.isatty() and sys.stdout.isatty():
        template = click.prompt("Starter", type=click.Choice(STARTERS), default=STARTERS[0])
    codes = _codes(wishes.languages)
    files = starter_files(template, title=wishes.title or title_of(folder), url=wishes.url, languages=codes)
    try:
        written = _write(folder, files)
    except OSError as fault:
        raise click.UsageError(f'"{fault.filename}" cannot be written: {fault.strerror}') from None
    report = Report("text", folder)
    report.say(f"Made {folder} from the starter {template}: {written} files")
    enter = "" if folder == Path() else f"  cd {shlex.quote(str(folder))}\n"
    report.say(f"\n{enter}  pybuild dev\n  pybuild export")
    return 0


def _check(folder: Path, wishes: Wishes) -> None:
    if folder.exists() and not folder.is_dir():
        raise click.UsageError(f'"{folder}" is a file; name a folder that is absent or empty')
    try:
        others = sorted({entry.name for entry in folder.iterdir()} - _KEPT) if folder.exists() else []
    except OSError as fault:
        raise click.UsageError(f'"{folder}" cannot be read: {fault.strerror}') from None
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise click.UsageError(
            f'"{folder}" is not empty: it has {others[0]!r}{more}; name a folder that is absent or empty'
        )
    if wishes.title is not None and not (wishes.title.strip() and wishes.title.isprintable()):
        raise click.UsageError("--title must be one line of text")
    if odd := next((code for code in _codes(wishes.languages) if not is_language_tag(code)), None):
        raise click.UsageError(f"--languages has {odd!r}, which is no language tag: {language_hint(odd)}")
    if wishes.url is not None and site_address(wishes.url) is None:
        raise click.UsageError(
            f"--url is not an absolute address: {wishes.url!r}; write one such as https://example.com"
        )


def _codes(written: str | None) -> tuple[str, ...]:
    """The languages that are asked for, each once: `en,de` → `("en", "de")`."""
    codes = (code.strip() for code in (written or "").split(","))
    return tuple(dict.fromkeys(codes)) if written is not None else ()


def title_of(folder: Path) -> str:
    """A title from the name of a folder: `my-docs` → `My docs`."""
    words = " ".join(re.split(r"[-_\s]+", folder.resolve().name)).strip()
    return words[:1].upper() + words[1:] if words.isprintable() and words else "My site"


def starter_files(
    template: str, *, title: str, url: str | None, languages: Sequence[str] = ()
) -> Mapping[str, bytes]:
    """The files of a starter by their paths, with this title, address and languages in place of its own."""
    root = shipped_templates() / "starters" / template
    found = (file for file in sorted(root.rglob("*")) if file.is_file() and file.suffix != ".pyc")
    files = {file.relative_to(root).as_posix(): file.read_bytes() for file in found}
    settings = _set_key(files["pybuild.toml"].decode(), "title", title)
    settings = settings if url is None else _set_key(settings, "url", url)
    heading = re.sub(r"([^\w\s])", r"\\\1", title, flags=re.ASCII)
    readme = re.sub(r"\A# .*", lambda _: f"# {heading}", files["README.md"].decode())
    settings += _languages_table(languages)
    own = {"pybuild.toml": settings.encode(), "README.md": readme.encode()}
    return {**files, **own, **dict(_first_pages(languages, files) if template == "docs" else ())}


def _languages_table(languages: Sequence[str]) -> str:
    """The settings of languages; each gets the name that its speakers write."""
    if not languages:
        return ""
    tables = [f'\n[languages]\ndefault = "{languages[0]}"\n']
    for code in languages[1:]:
        label = NAMES.get(code.partition("-")[0].lower(), code)
        tables.append(f'\n[languages.{code}]\nlabel = "{label}"\n')
    return "".join(tables)


def _first_pages(languages: Sequence[str], files: Mapping[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The first page in each language that a starter has it in; the starters themselves are in English."""
    folder = shipped_templates() / "starters" / "languages"
    for code in languages:
        name = code.partition("-")[0].lower()
        file = folder / f"{name}.md"
        text = files["app/page.md"] if name == "en" else file.read_bytes() if file.is_file() else None
        if text is not None:
            yield "app/page.md" if code == languages[0] else f"app/page.{code}.md", text


def _set_key(settings: str, key: str, value: str) -> str:
    """Replace the first value of a key. JSON's text is TOML's, for what can be printed."""
    quoted = json.dumps(value, ensure_ascii=False)
    return re.sub(rf'(?m)^{key} = "[^"]*"', lambda _: f"{key} = {quoted}", settings, count=1)


def _write(folder: Path, files: Mapping[str, bytes]) -> int:
    """Write what is not there yet, and count it; after a fault, remove what was made."""
    made: list[Path] = []
    written = 0
    try:
        for path, content in files.items():
            file = folder / path
            folders = (file.parent, *file.parent.parents)
            for missing in reversed([path for path in folders if not path.exists()]):  # the outermost first
                missing.mkdir()
                made.append(missing)
            if path not in _KEPT or not file.exists():
                with file.open("xb") as stream:
                    made.append(file)
                    stream.write(content)
                written += 1
    except BaseException:
        for path_made in reversed(made):
            path_made.rmdir() if path_made.is_dir() else path_made.unlink()
        raise
    return written
