"""The index of every word: which pages it has, when it is made, and what it says where Pagefind is missing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Files, Run, run_command

from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.look.files import look_faults

SETTINGS = (
    '[site]\nurl = "https://example.com/base"\ntitle = "T"\n[build]\ngit_dates = false\n'
    '[search]\nengine = "pagefind"\n[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
)
FILES: Files = {
    "pybuild.toml": SETTINGS,
    "content/docs/index.md": "# Docs\n\nAll about hammers.\n",
    "content/docs/a.md": "# A\n\nAnvils.\n",
    "content/docs/hidden.md": "---\nsearch: false\n---\n# Hidden\n",
    "content/docs/noindex.md": "---\nrobots: noindex\n---\n# Noindex\n",
    "app/own/layout.html": '<!doctype html><html lang="en"><head>{{ head }}</head><body><main>{{ children }}</main></body></html>',
    "app/own/page.md": "# Own\n\nA layout of its own.\n",
}
Exported = Callable[..., Run]


def addresses(run: Run) -> list[str]:
    fragments = sorted((run.out / "pagefind/fragment").iterdir())
    found = (gzip.decompress(file.read_bytes()).removeprefix(b"pagefind_dcd") for file in fragments)
    return sorted(json.loads(text)["url"] for text in found)


def pagefind_of(run: Run) -> dict[str, bytes]:
    return {path: (run.out / path).read_bytes() for path in run.files if path.startswith("pagefind/")}


def test_it_has_the_pages_that_are_searched(site: Callable[[Files], Path], export: Exported) -> None:
    pytest.importorskip("pagefind")
    root = site(FILES)
    run = export(root)
    assert run.code == 0, run.stderr
    assert addresses(run) == ["/base/docs", "/base/docs/a", "/base/own"]
    assert {"pagefind/pagefind.js", "pagefind/pagefind-worker.js", "pagefind/pagefind-entry.json"} <= set(
        run.files
    )
    assert [path for path in run.files if "ui" in path.partition("pagefind/")[2]] == []
    assert 'data-pb-pagefind="/base/pagefind/pagefind.js"' in (run.out / "docs.html").read_text("utf-8")


def test_it_is_made_when_texts_changed_and_kept_else(site: Callable[[Files], Path], export: Exported) -> None:
    pytest.importorskip("pagefind")
    root = site(FILES)
    first = pagefind_of(export(root))
    (root / "templates/default").mkdir(parents=True)
    (root / "templates/default/footer.html").write_text("<footer>Other</footer>")
    assert pagefind_of(export(root)) == first
    assert pagefind_of(export(root, "--no-cache")) == first
    (root / "content/docs/a.md").write_text("# A\n\nAnvils and tongs.\n")
    assert pagefind_of(export(root)).keys() != first.keys()


def test_nothing_is_written_where_it_was_called(site: Callable[[Files], Path], tmp_path: Path) -> None:
    pytest.importorskip("pagefind")
    root = site({**FILES, "pagefind/of-the-site.txt": "mine"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder in (elsewhere, root):
        assert run_command(root, "export", str(root), "--no-cache", cwd=folder).code == 0
    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in (root / "pagefind").iterdir()] == ["of-the-site.txt"]


def test_a_strict_policy_lets_it_run(site: Callable[[Files], Path], export: Exported) -> None:
    pytest.importorskip("pagefind")
    root = site({**FILES, "pybuild.toml": SETTINGS + '[security]\nheaders = "strict"\n'})
    assert export(root, "--target", "nginx").code == 0
    rules = "".join(file.read_text("utf-8") for file in (root / "out-deploy").rglob("*") if file.is_file())
    assert "script-src 'self' 'wasm-unsafe-eval'" in rules


def test_without_the_extra_the_line_says_what_to_run(
    site: Callable[[Files], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pybuild.look.files.find_spec", lambda name: None)
    config, _ = load_config(site(FILES), Options())
    (fault,) = look_faults(config)
    assert (fault.code, fault.location.line) == ("config-error", 7)
    assert fault.message == 'search.engine is "pagefind", which is not installed'
    assert fault.hint == 'run: pip install "pybuild-export[search]"'
