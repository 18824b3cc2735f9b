"""Settings from text, and files without a disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pybuild.build.rules import derive
from pybuild.config.loader import Config, load_config
from pybuild.config.schema import Options
from pybuild.diagnostics import Diagnostic
from pybuild.records import File, Headers, Page, Redirection, by_path
from pybuild.rules.model import RuleSet

Derived = tuple[RuleSet, tuple[Diagnostic, ...]]


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Config]:
    """Read settings, `site` given."""

    def read(text: str = "", *, url: str = "https://a.example") -> Config:
        site = f'[site]\nurl = "{url}"\ntitle = "T"\n'
        head, tables = (text, "") if not text.lstrip().startswith("[") else ("", text)
        (tmp_path / "pybuild.toml").write_text(f"{head}\n{site}{tables}", encoding="utf-8")
        found, findings = load_config(tmp_path, Options())
        assert findings == ()
        return found

    return read


@pytest.fixture
def file() -> Callable[..., File]:
    """A file of an export; its digest is its path."""

    def make(path: str, url: str = "", *, media: str = "", headers: Headers = ()) -> File:
        return File(path, f"app/{path}", path.encode().hex().ljust(64, "0")[:64], 1, url, media, headers)

    return make


@pytest.fixture
def derived(config: Callable[..., Config], file: Callable[..., File]) -> Callable[..., Derived]:
    """Derive the rules of settings and of paths; pages have variants where a `.md` stands beside them."""

    def make(
        text: str = "",
        paths: str = "",
        *,
        files: tuple[File, ...] = (),
        answered: tuple[Redirection, ...] = (),
    ) -> Derived:
        listed = [*(file(path) for path in paths.split()), *files]
        known = {one.path for one in listed}
        pages = [
            Page(
                "/" + path[:-5],
                "",
                path,
                "t",
                variant_path=path[:-5] + ".md" if path[:-5] + ".md" in known else "",
            )
            for path in sorted(known)
            if path.endswith(".html")
        ]
        return derive(config(text), pages, by_path(listed), answered)

    return make
