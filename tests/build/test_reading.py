"""Documents that workers read are those that the first process would have read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from harness import Files

from pybuild import publish
from pybuild.build.pipeline import PhaseGate, discovered
from pybuild.build.reading import read_documents
from pybuild.cache.session import BuildCache
from pybuild.config.loader import load_config
from pybuild.config.schema import Options

MANY = 1_010
ODD = {
    "content/docs/date.md": "---\ntitle: A\ndate: 2024-01-05\ntags: [x, 1.10]\nown: {1: 2, b: [null, 0.5]}\n---\n",
    "content/docs/include.md": '# B\n\n::: include file="page-1.md"\n',
    "content/docs/warned.md": "---\nTitle: C\n---\n",
    "content/docs/other.txt": "no document",
    "content/docs/.hidden.md": "# Hidden\n",
}
SITE: Files = {
    "pybuild.toml": '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n',
    **{f"content/docs/page-{number}.md": f"# Page *{number}*\n" for number in range(MANY)},
    **ODD,
}


def test_workers_read_what_has_no_finding(site: Callable[[Files], Path]) -> None:
    root = site(SITE)
    config, _ = load_config(root, Options(jobs=2, engine="processes"))
    cache = BuildCache(config, publish.output_at(config.root, config.out), is_read=True)
    files = cache.unread()
    ahead = dict(read_documents(config, files))
    assert set(files) - set(ahead) == {"content/docs/warned.md"}
    assert set(ahead) == {file for file in SITE if file.endswith(".md")} - {"content/docs/warned.md"}

    gates = PhaseGate(strict=False), PhaseGate(strict=False)
    cache.read_ahead(ahead.items())
    sites = [discovered(config, gates[0], cache.front)[0], discovered(config, gates[1])[0]]
    entries = [list(found.collections["docs"]) for found in sites]
    assert entries[0] == entries[1] and len(entries[0]) == MANY + 3
    assert gates[0].findings == gates[1].findings
    assert [str(finding.location) for finding in gates[0].findings] == ["content/docs/warned.md:2"]


def test_few_documents_and_one_worker_start_none(site: Callable[[Files], Path]) -> None:
    config, _ = load_config(site({"content/docs/a.md": "# A\n"}), Options(jobs=2, engine="processes"))
    assert list(read_documents(config, ["content/docs/a.md"])) == []
    alone, _ = load_config(config.root, Options(jobs=1, engine="processes"))
    assert list(read_documents(alone, ["content/docs/a.md"] * MANY)) == []
