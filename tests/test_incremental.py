"""After any edit an export with a cache makes the same bytes and the same findings as one without."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import LONG, Files, environment, start_command
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from incremental import (
    BOUNDED,
    CODE,
    EDITS,
    LOOK,
    OWN,
    PLAIN,
    Result,
    assert_same_as_clean,
    drop,
    put,
    run,
    unseen,
    write_site,
)

from pybuild.cache import fingerprint
from pybuild.cache import fingerprint as snapshot
from pybuild.cache.up_to_date import up_to_date_result
from pybuild.config.loader import load_config
from pybuild.config.schema import Options

NOW = "1717200000"  # June 2024: between the posts and the dates of the edit "future"
SETTLED = 20_000_000  # nanoseconds: as if every file of the test were old


@pytest.fixture(autouse=True)
def moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)


SITES = {"plain": {}, "bounded": BOUNDED, "code": CODE, "own": OWN, "look": LOOK}
MARGINS = {"young files": snapshot.MARGIN, "settled files": SETTLED}
EVERY = [(site, margin) for site in SITES for margin in MARGINS]


@pytest.mark.parametrize(("site", "margin"), EVERY if LONG else [("code", "settled files")])
def test_every_edit_alone(site: str, margin: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "MARGIN", MARGINS[margin])
    root = tmp_path / "site"
    write_site(root, PLAIN, SITES[site])
    first = assert_same_as_clean(root, tmp_path / "work")
    assert (first.cached, bool(first.findings)) == (0, True)
    for name, edit in EDITS.items():
        edit(root)
        try:
            assert_same_as_clean(root, tmp_path / "work")
        except AssertionError as fault:
            raise AssertionError(f"after {name}: {fault}") from fault


TAKEN = [  # after this edit, so many of the nine pages are taken over, or ten with a new one
    ("nothing", 9),
    ("body", 7),  # the page, and the one that shows excerpts of all
    ("public", 8),  # a page that shows texts of others depends on all files
    ("image", 8),
    ("anchor", 7),
    ("layout", 0),
    ("retitle", 4),  # pages that show the title: menus, lists, what is before and after
    ("feed", 7),  # one leaves the feed, and the settings file is a file too
    ("settings", 0),
    ("touch output", 8),
    ("lose output", 0),
    ("forget", 0),
]


@pytest.mark.parametrize(("name", "cached"), TAKEN)
def test_what_is_taken_over(name: str, cached: int, tmp_path: Path) -> None:
    write_site(tmp_path, PLAIN)
    run(tmp_path)
    EDITS[name](tmp_path)
    assert run(tmp_path).cached == cached


class Edits(RuleBasedStateMachine):
    """Edits in any order, with exports to two places and for two targets between them."""

    @initialize(code=st.sampled_from([{}, BOUNDED, CODE, OWN, LOOK]), settled=st.booleans())
    def start(self, code: dict[str, str], settled: bool) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.root = self.folder / "site"
        self.margin = snapshot.MARGIN
        snapshot.MARGIN = SETTLED if settled else self.margin
        write_site(self.root, PLAIN, code)
        run(self.root)

    @rule(names=st.lists(st.sampled_from(sorted(EDITS)), min_size=1, max_size=3))
    def edit(self, names: list[str]) -> None:
        for name in names:
            EDITS[name](self.root)
        assert_same_as_clean(self.root, self.folder / "work")

    @rule(host=st.sampled_from(["static", "nginx", "netlify"]), drafts=st.booleans(), future=st.booleans())
    def other_options(self, host: str, drafts: bool, future: bool) -> None:
        assert_same_as_clean(self.root, self.folder / "work", target=host, drafts=drafts, future=future)

    @rule(name=st.sampled_from(sorted(EDITS)))
    def elsewhere(self, name: str) -> None:
        EDITS[name](self.root)
        assert_same_as_clean(self.root, self.folder / "work", out="out-other")

    def teardown(self) -> None:
        snapshot.MARGIN = self.margin
        shutil.rmtree(self.folder, ignore_errors=True)


def test_edits_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Edits.TestCase
    machine.settings = settings(
        max_examples=60 if LONG else 3,
        stateful_step_count=30 if LONG else 6,
        derandomize=not LONG,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    machine().runTest()


def test_killed_at_any_moment(site: Callable[[Files], Path], tmp_path: Path) -> None:
    """Whatever moment the kill hits, the next export is equal to a clean one."""
    root = site(PLAIN)
    for number, delay in enumerate((0.02, 0.06, 0.1, 0.15, 0.2)):
        (root / "content/docs/b.md").write_text(f"# B\n\nText {number}.\n", "utf-8")
        export = start_command("export", str(root), "--quiet", env=environment(), is_session=True)
        time.sleep(delay)
        with contextlib.suppress(ProcessLookupError):  # it has ended
            os.killpg(export.pid, signal.SIGKILL)
        export.wait()
        assert_same_as_clean(root, tmp_path / "work")


def test_a_document_falls_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_site(tmp_path, PLAIN)
    EDITS["future"](tmp_path)
    assert run(tmp_path).counts[0] == 8
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(NOW) + 200 * 86400))
    assert run(tmp_path).counts[0] == 9
    monkeypatch.setenv("SOURCE_DATE_EPOCH", NOW)
    assert run(tmp_path).counts[0] == 8


def test_results_grow_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import time\nfrom pybuild import PlainTextResponse\ndynamic = 'force-static'\nrevalidate = 60\n"
    code += "def GET():\n    return PlainTextResponse(str(time.perf_counter_ns()))\n"
    write_site(tmp_path, PLAIN, {"app/t/route.py": code})
    seen = []
    for later in (0, 59, 60, 61):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(NOW) + later))
        seen.append(run(tmp_path).files["out/t"])
    assert (seen[0] == seen[1], seen[1] == seen[2], seen[2] == seen[3]) == (True, False, True)


def test_another_version_of_a_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, library = tmp_path / "site", tmp_path / "library"
    write_site(site, PLAIN)
    (library / "markdown_it_py-99.dist-info").mkdir(parents=True)
    assert (run(site).cached, run(site).cached) == (0, 9)
    monkeypatch.syspath_prepend(str(library))
    fingerprint.tool.cache_clear()
    assert run(site).cached == 0
    monkeypatch.undo()
    fingerprint.tool.cache_clear()


def test_a_hostile_file_in_the_cache_is_only_read(tmp_path: Path) -> None:
    write_site(tmp_path, PLAIN)
    first = run(tmp_path)
    for file in filter(Path.is_file, (tmp_path / ".pybuild/cache").rglob("*")):
        file.write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    assert run(tmp_path).files == first.files
    assert not (tmp_path / "owned").exists()
    assert (tmp_path / ".pybuild/cache").stat().st_mode & 0o777 == 0o700


def test_an_export_without_the_cache_leaves_no_wrong_record(tmp_path: Path) -> None:
    """Python that always runs does so after `--no-cache` too."""
    write_site(tmp_path, PLAIN)
    (tmp_path / "app/now").mkdir(parents=True)
    (tmp_path / "app/now/page.py").write_text("def load(ctx):\n    return {}\n")
    (tmp_path / "app/now/page.html").write_text("now")
    run(tmp_path, cache=False)
    assert up_to_date_result(load_config(tmp_path, Options())[0]) is None


INPUTS = [  # spellings of the same files, and one of no file
    ("['./data/*.txt']", "data/n.txt"),
    ("['data']", "data/deep/n.txt"),
    ("['data/']", "data/n.txt"),
    ("['data//']", "data/n.txt"),
    ("['*.txt']", "n.txt"),
]


@pytest.mark.parametrize(("inputs", "file"), INPUTS)
def test_spellings_of_inputs(inputs: str, file: str, tmp_path: Path) -> None:
    code = f"from pybuild import PlainTextResponse\ndynamic = 'force-static'\ninputs = {inputs}\n"
    code += f"def GET():\n    with open({file!r}) as f:\n        return PlainTextResponse(f.read())\n"
    root = tmp_path / "site"
    write_site(root, PLAIN, {"app/t/route.py": code, file: "old"})
    run(root)
    put(root, file, "new")
    assert assert_same_as_clean(root, tmp_path / "work").files["out/t"] == b"new"


@pytest.mark.parametrize("path", ["public/a.pyc", "public/__pycache__/a.pyc"])
def test_compiled_python_that_is_published_is_a_file(path: str, tmp_path: Path) -> None:
    root = tmp_path / "site"
    write_site(root, PLAIN, {path: "old"})
    run(root)
    put(root, path, "new")
    assert run(root).files[f"out/{path.removeprefix('public/')}"] == b"new"


def test_a_defaced_page_is_mended(tmp_path: Path) -> None:
    """Changed in place, with its size and its time set back: by the next export, and by one without the cache."""
    root = tmp_path / "site"
    write_site(root, PLAIN)
    first = run(root)
    for options in ({}, {"cache": False}):
        unseen(root, "out/docs/b.html", "defaced")
        assert run(root, **options).files == first.files


LINKING = "# From\n\n[doc](gone.md) [page](/docs/gone) [file](/gone.txt) [beside](gone.pdf) [anchor](a.md#gone) [alias](/gone)\n"
TARGETS = {  # what comes, and the broken links that are left
    "a document": ("content/docs/gone.md", "# Gone\n"),
    "a page": ("app/docs/gone/page.md", "# Gone\n"),
    "a public file": ("public/gone.txt", "x"),
    "a public file beside the site's folder": ("public/gone/index.html", "x"),
    "a file beside it": ("content/docs/gone.pdf", "x"),
    "an anchor": ("content/docs/a.md", "# A\n\n## Gone\n"),
    "an alias": ("content/docs/b.md", "---\naliases: [/gone]\n---\n# B\n"),
    "a handler": ("app/gone.txt/route.py", "def GET(request):\n    return 'x'\n"),
}


def broken(result: Result) -> int:
    return sum(finding.code in ("broken-link", "broken-anchor") for finding in result.findings)


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_what_links_name_comes_and_goes(name: str, tmp_path: Path) -> None:
    """A page is as it would be from nothing when what its links name comes, and when it goes again."""
    root, (path, text) = tmp_path / "site", TARGETS[name]
    write_site(root, PLAIN, {"content/docs/from.md": LINKING})
    before = assert_same_as_clean(root, tmp_path / "work")
    old = (root / path).read_text("utf-8") if (root / path).exists() else None
    put(root, path, text)
    with_it = assert_same_as_clean(root, tmp_path / "work")
    assert broken(with_it) < broken(before)
    if old is None:
        drop(root, path)
        with contextlib.suppress(OSError):
            (root / path).parent.rmdir()
    else:
        put(root, path, old)
    assert assert_same_as_clean(root, tmp_path / "work").findings == before.findings
