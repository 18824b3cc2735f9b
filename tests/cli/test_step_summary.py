"""The summary of a job on GitHub Actions."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from harness import SETTINGS, Files, run_command

MakeSite = Callable[[Files], Path]
HEAD = (
    "<table><tr><th>pages</th><th>rendered</th><th>taken over</th><th>files</th>"
    "<th>errors</th><th>warnings</th><th>seconds</th></tr><tr>"
)


def exported(root: Path, file: Path, *words: str, **env: str) -> str:
    """What an export adds to the job summary, without seconds."""
    file.write_text("")
    run_command(root, "export", str(root), *words, env={"GITHUB_STEP_SUMMARY": str(file), **env})
    return re.sub(r"<td>\d+\.\d</td></tr>", "<td>S</td></tr>", file.read_text("utf-8"))


def test_what_was_made_and_taken_over(site: MakeSite, tmp_path: Path) -> None:
    root = site({"app/page.md": "# A", "app/b/page.md": "# B"})
    target = ("--target", "nginx")
    first, second = (exported(root, tmp_path / "summary", *target) for _ in range(2))
    cells = re.findall(r"<td>(\d+|S)</td>", first)
    files = cells[3]
    assert first == (
        f"### Exported\n\n{HEAD}<td>2</td><td>2</td><td>0</td><td>{files}</td><td>0</td><td>0</td><td>S</td></tr></table>\n\n"
    )
    assert second == first.replace("<td>2</td><td>2</td><td>0</td>", "<td>2</td><td>0</td><td>2</td>")


def test_findings_are_text(site: MakeSite, tmp_path: Path) -> None:
    root = site({"app/page.md": "# A", "pybuild.toml": f'{SETTINGS}"<b>|`no`" = 1\n'})
    text = exported(root, tmp_path / "summary")
    assert text.startswith("### Not exported\n")
    assert "<td>error</td><td><code>config-error</code></td><td>pybuild.toml:4</td>" in text
    assert "unknown setting &quot;&lt;b&gt;|`no`&quot; in [site]<br>fix: " in text


def test_secrets_are_masked(site: MakeSite, tmp_path: Path) -> None:
    root = site(
        {"app/page.md": "# A", "pybuild.toml": f'{SETTINGS}[build]\nbefore = ["exit 1 # VALUE-12345"]\n'}
    )
    text = exported(root, tmp_path / "summary", MY_TOKEN="VALUE-12345")
    assert text.startswith("### Not exported\n")
    assert "VALUE-12345" not in text and "MY_TOKEN" in text


def test_a_site_with_errors(site: MakeSite, tmp_path: Path) -> None:
    root = site({"app/page.md": "# A", "app/api/route.py": "def GET():\n    pass\n"})
    text = exported(root, tmp_path / "summary", "--format", "github")
    assert text.startswith("### Not exported\n")
    assert "<td>error</td><td><code>not-force-static</code></td><td>app/api/route.py:1" in text


def test_a_summary_that_cannot_be_written_harms_nothing(site: MakeSite, tmp_path: Path) -> None:
    root = site({"app/page.md": "# A"})
    assert run_command(root, "export", str(root), env={"GITHUB_STEP_SUMMARY": str(tmp_path)}).code == 0
