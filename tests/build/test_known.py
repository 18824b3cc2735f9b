"""What is known before code runs: open where only code can tell."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness import Files, Run, run_command

SETTINGS = '{}\n[site]\nurl = "https://example.com"\ntitle = "T"\n{}'
PAGE = "# Home\n\n[a](/made) ![b](/made.png)\n"


def _found(root: Path) -> list[str]:
    run: Run = run_command(root, "check", str(root), "--format", "json")
    return [f["message"] for f in run.summary["diagnostics"]]


@pytest.mark.parametrize(
    "before, after, found",
    [
        ("", "", ["/made", "/made.png"]),
        ("", '[build]\nbefore = ["true"]\n', ["/made"]),
        ('redirects = "redirects.py"', "", []),
    ],
)
def test_what_only_code_makes_is_taken_as_right(
    site: Callable[[Files], Path], before: str, after: str, found: list[str]
) -> None:
    code = "def redirects():\n    return []\n"
    files = {"pybuild.toml": SETTINGS.format(before, after), "app/page.md": PAGE, "redirects.py": code}
    assert _found(site(files)) == [f'the link "{link}" leads nowhere' for link in found]


def test_extensions_may_change_what_documents_say(site: Callable[[Files], Path]) -> None:
    files = {"pybuild.toml": SETTINGS.format("", ""), "app/page.md": PAGE}
    files |= {
        "extensions.py": "raise SystemExit('code of the site runs')\ndef outputs(site, pages):\n    yield\n"
    }
    assert _found(site(files)) == []
