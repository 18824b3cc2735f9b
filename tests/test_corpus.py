"""An export of real documentation: eight folders of Markdown that nobody wrote for this program.

`PYBUILD_CORPUS` names a folder whose subfolders become collections; without it the test is skipped by name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import SETTINGS, Files, Run

COLLECTION = '[collections.{0}]\nsource = "content/{0}"\nroute = "/{0}/[[...slug]]"\n'


@pytest.fixture
def corpus() -> Iterator[Path]:
    folder = os.environ.get("PYBUILD_CORPUS")
    if not folder:
        pytest.skip("PYBUILD_CORPUS names no folder of Markdown")
    yield Path(folder)


def test_every_page_has_html_and_a_variant_and_every_broken_link_a_place(
    corpus: Path, site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    names = sorted(folder.name for folder in corpus.iterdir() if folder.is_dir())
    documents = sorted(file.relative_to(corpus) for name in names for file in (corpus / name).rglob("*.md"))
    settings = SETTINGS + "".join(COLLECTION.format(name) for name in names)
    root = site({f"content/{file.as_posix()}": (corpus / file).read_bytes() for file in documents})
    (root / "pybuild.toml").write_text(settings, "utf-8")
    run = export(root, "--future", "--drafts", timeout=600)
    assert run.code == 0
    assert run.summary["pages"] > len(documents)  # and the pages that list them
    assert "Traceback" not in run.stderr
    files = set(run.files)
    for file in documents:
        url = file.with_suffix("").as_posix().removesuffix("/index")
        assert {f"{url}.html", f"{url}.md"} <= files
    found = [d for d in run.summary["diagnostics"] if d["code"] != "rules-lost"]
    assert {d["code"] for d in found} <= {"broken-link", "broken-anchor", "unknown-export"}
    assert all(d["file"].startswith("content/") and d["line"] for d in found)
