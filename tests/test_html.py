"""The HTML of whole exports, held against the Nu checker (validator.w3.org/nu, npm `vnu-jar`)."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import SAMPLE_TIME, Files, Run, copy_sample, run_command
from markdown_pages import markdown_pages, with_sound_html

ROOT = Path(__file__).resolve().parent.parent
JAR = ROOT / ".tools/node_modules/vnu-jar/build/dist/vnu.jar"
COLLECTION = """[site]
url = "https://example.com"
title = "Checked"
[collections.pages]
source = "content"
route = "/[[...slug]]"
"""
OF_AUTHORS = (
    "skipping",
    "top-level heading only",
    "Section lacks heading",
)  # what the words say, not the markup


@pytest.fixture
def faults() -> Callable[..., list[str]]:
    """Everything the Nu checker says of the HTML files below folders, but for what only authors can mend."""
    missing = [
        name for name, there in (("java", shutil.which("java")), (str(JAR), JAR.is_file())) if not there
    ]
    if missing:
        assert not os.environ.get("CI"), f"the Nu checker needs {', '.join(missing)}"
        pytest.skip(f"the Nu checker needs {', '.join(missing)}")

    def ask(*folders: Path) -> list[str]:
        files = sorted(file for folder in folders for file in folder.rglob("*.html"))
        words = [
            "java",
            "-XX:TieredStopAtLevel=1",
            "-Xss8m",
            "-jar",
            JAR,
            "--format",
            "json",
            "--exit-zero-always",
            "--stdout",
            *files,
        ]
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=300)
        found = [
            m for m in json.loads(done.stdout)["messages"] if not any(w in m["message"] for w in OF_AUTHORS)
        ]
        return [f"{m['url']}:{m.get('lastLine')}: {m['message']}" for m in found]

    return ask


def test_the_sample_site_and_markdown_of_every_kind_are_valid(
    tmp_path: Path,
    site: Callable[[Files], Path],
    export: Callable[..., Run],
    faults: Callable[..., list[str]],
) -> None:
    """The checker starts slowly, and is asked once."""
    root = copy_sample(tmp_path / "sample")
    sample = run_command(root, "export", str(root), "--format", "json", env=SAMPLE_TIME)
    assert sample.code == 0
    outputs = [sample.out, *(markdown_of_every_kind(html, site, export) for html in (False, True))]
    assert [len(list(out.rglob("*.html"))) > 50 for out in outputs] == [True] * 3
    div_in_text = "No “p” element in scope"  # where an author's <div> comes after "- [ ]", in a paragraph
    found = faults(*outputs)
    assert [fault for fault in found if not ("/raw/" in fault and div_in_text in fault)] == []


def markdown_of_every_kind(html: bool, site: Callable[..., Path], export: Callable[..., Run]) -> Path:
    pages = {f"content/{name}": text for name, text in markdown_pages(50, seed=7).items()}
    if html:
        pages = {name: with_sound_html(text) for name, text in pages.items()}
    settings = COLLECTION + f"[markdown]\nhtml = {str(html).lower()}\n"
    run = export(site({"pybuild.toml": settings, **pages}, "raw" if html else "escaped"))
    codes = {one["code"] for one in run.summary["diagnostics"]} - {"rules-lost"}
    # Template tags, footnotes that are indented code, schemes that are taken out, raw HTML that is shown.
    assert codes == {"unknown-export", "broken-anchor"}
    assert (run.code, run.summary["pages"]) == (0, 51)  # and the home page
    return run.out


def test_real_markdown_is_valid(
    site: Callable[[Files], Path], export: Callable[..., Run], faults: Callable[..., list[str]]
) -> None:
    folder = os.environ.get("PYBUILD_CORPUS")
    if not folder:
        pytest.skip("PYBUILD_CORPUS names no folder of Markdown")
    files = random.Random(7).sample(sorted(Path(folder).rglob("*.md")), 50)
    pages = {f"content/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files}
    run = export(site({"pybuild.toml": COLLECTION + "[markdown]\nhtml = false\n", **pages}), "--future")
    assert run.code == 0
    assert run.summary["pages"] > 50  # and the pages that list them
    assert faults(run.out) == []
