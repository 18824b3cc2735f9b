"""Many handlers over a source that counts what it is asked: once cold, never again in vain, and only what changed."""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from fetch_source import Reply, Source, source
from harness import LONG, Run

__all__ = ["source"]
Site = Callable[..., Path]
Export = Callable[..., Run]
RECORDS = 2000 if LONG else 60
HANDLER = """
from pybuild import JSONResponse, fetch

dynamic = "force-static"
inputs = []


def generate_static_params():
    return [{"slug": str(number)} for number in range(%d)]


def GET(request, ctx):
    names = fetch("%s").json()
    record = fetch("%s/" + ctx.params["slug"]).json()
    return JSONResponse({**record, "name": names[int(ctx.params["slug"]) %% 2]})
"""


class Records:
    """Records with their versions; each answer has an ETag."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.versions = dict.fromkeys(range(RECORDS), 1)
        self.unchanged = 0
        source.text("/names", '["a", "b"]', ETag='"names"')
        for number in range(RECORDS):
            source.replies[f"/r/{number}"] = self._reply(number)

    def _reply(self, number: int) -> Callable[[BaseHTTPRequestHandler], Reply]:
        def reply(asked: BaseHTTPRequestHandler) -> Reply:
            tag = f'"{self.versions[number]}"'
            if asked.headers.get("If-None-Match") == tag:
                self.unchanged += 1
                return 304, {"ETag": tag}, b""
            return 200, {"ETag": tag}, b'{"version": %d}' % self.versions[number]

        return reply


@pytest.fixture
def records(source: Source) -> Iterator[Records]:
    yield Records(source)


def handler(records: Records, text: str = HANDLER) -> str:
    return text % (RECORDS, records.source.url("/names"), records.source.url("/r"))


def rendered(run: Run) -> int:
    """How many answers were sent anew, by the figures of the export."""
    return int(run.summary["fetch"].get("answers sent", 0))


def test_many_handlers_over_one_source(records: Records, site: Site, export: Export, tmp_path: Path) -> None:
    root = site({"app/api/[slug]/route.py": handler(records), "app/page.md": "# x\n"})
    asked = records.source.asked
    cold = export(root, "--jobs", "2", "--timings")
    assert (cold.code, cold.findings) == (0, [])
    assert (len(asked), set(asked.values())) == (RECORDS + 1, {1})
    assert rendered(cold) == RECORDS + 1

    asked.clear()
    before = cold.tree()
    again = export(root, "--jobs", "2", "--timings")
    assert set(asked.values()) == {1} and records.unchanged == RECORDS
    assert rendered(again) == 1  # the list of names has a body: its source takes no validator
    assert again.tree() == before

    records.versions[7] = 2
    asked.clear()
    changed = export(root, "--jobs", "2", "--timings", "--explain", "/api/7")
    assert set(asked.values()) == {1} and rendered(changed) == 2
    assert "/api/7: rendered: changed since: what it fetched\n" in changed.stderr
    after = changed.tree()
    assert [path for path in after if after[path] != before[path]] == ["api/7"]
    clean = tmp_path / "clean"
    shutil.copytree(root, clean, ignore=shutil.ignore_patterns("out", ".pybuild"))
    assert export(clean).tree() == changed.tree()


def test_answers_that_hold_for_ever_leave_nothing_to_do(records: Records, site: Site, export: Export) -> None:
    page = (
        "from pybuild import fetch\ninputs = []\n"
        f"def load(ctx):\n    return {{'names': fetch('{records.source.url('/names')}', revalidate=3600).json()}}\n"
    )
    root = site({"app/page.py": page, "app/page.html": "<h1>{{ names | join }}</h1>"})
    export(root)
    records.source.asked.clear()
    assert export(root, "--timings").summary["timings"].keys() <= {"before", "up_to_date_result"}
    assert not records.source.asked


KEEPING = {
    "app/a/route.py": """
from pybuild import JSONResponse, fetch

dynamic = "force-static"


def GET():
    return JSONResponse(fetch("%s", on_error="keep", retries=0).json())
""",
    "app/b/page.py": """
from pybuild import fetch
inputs = []


def load(ctx):
    return {"names": fetch("%s", on_error="keep", retries=0).json()}
""",
    "app/b/page.html": "<h1>{{ names | join }}</h1><a href='/'>home</a>",
    "app/c/page.py": """
from pybuild import fetch


def load(ctx):
    return {"names": lambda: fetch("%s", on_error="keep", retries=0).json()}
""",
    "app/c/page.html": "<h1>{{ names() | join }}</h1>",
    "app/page.md": "# x\n\n[b](/b)\n",
}


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_what_the_last_export_made_stays_where_a_source_is_down(
    records: Records, site: Site, export: Export, tmp_path: Path, engine: str
) -> None:
    url = records.source.url("/names")
    root = site({name: text.replace("%s", url) for name, text in KEEPING.items()})
    records.source.replies["/names"] = lambda _: (503, {}, b"")
    down = export(root, "--engine", engine)
    assert (down.code, down.findings) == (
        1,
        ["app/a/route.py:8: error[fetch-error]", "app/b/page.py:7: error[fetch-error]"]
        + ["app/c/page.py:6: error[fetch-error]"],
    )
    records.source.text("/names", '["a", "b"]')
    before = export(root, "--engine", engine).tree()
    records.source.replies["/names"] = lambda _: (503, {}, b"")
    for _ in range(2):
        kept = export(root, "--engine", engine)
        assert (kept.code, kept.tree() == before) == (0, True)
        assert kept.messages == [
            f"GET /a failed: {url} answered 503; what the last export made stays",
            f"load for /b failed: {url} answered 503; what the last export made stays",
            f"the template app/c/page.html failed: {url} answered 503; what the last export made stays",
        ]
    assert export(root, "--strict").code == 1
    assert export(root, "--no-cache").code == 1
    records.source.text("/names", '["c"]')
    again = export(root, "--engine", engine)
    assert (again.findings, again.text("a")) == ([], '["c"]')
    assert "<h1>c</h1>" in again.text("b.html") and "<h1>c</h1>" in again.text("c.html")
    clean = tmp_path / "clean"
    shutil.copytree(root, clean, ignore=shutil.ignore_patterns("out", ".pybuild"))
    assert export(clean).tree() == again.tree()
    records.source.replies["/names"] = lambda _: (503, {}, b"")
    (root / "out/a").write_text("changed")
    assert export(root, "--engine", engine).code == 1


def test_an_answer_that_has_to_be_asked_for_again_is(records: Records, site: Site, export: Export) -> None:
    page = (
        "from pybuild import fetch\ninputs = []\n"
        f"def load(ctx):\n    return {{'names': fetch('{records.source.url('/names')}').json()}}\n"
    )
    root = site({"app/page.py": page, "app/page.html": "<h1>{{ names | join }}</h1>"})
    assert "<h1>ab</h1>" in export(root).text("index.html")
    records.source.text("/names", '["c"]')
    assert "<h1>c</h1>" in export(root).text("index.html")


def test_what_an_import_fetches_belongs_to_every_page(records: Records, site: Site, export: Export) -> None:
    shared = f"from pybuild import fetch\nNAMES = fetch('{records.source.url('/names')}').json()\n"
    page = "from lib import NAMES\ninputs = []\ndef load(ctx):\n    return {'names': NAMES}\n"
    files = {"lib.py": shared}
    for name in ("a", "b"):
        files |= {f"app/{name}/page.py": page, f"app/{name}/page.html": "<h1>{{ names | join }}</h1>"}
    root = site(files)
    export(root, "--jobs", "1")
    records.source.text("/names", '["c"]')
    run = export(root, "--jobs", "1")
    assert [re.findall("<h1>(.*)</h1>", run.text(path)) for path in ("a.html", "b.html")] == [["c"], ["c"]]


def test_what_an_import_fetches_may_be_down(records: Records, site: Site, export: Export) -> None:
    url = records.source.url("/names")
    shared = f"from pybuild import fetch\nNAMES = fetch('{url}', on_error='keep', retries=0).json()\n"
    page = "from lib import NAMES\ndef load(ctx):\n    return {'names': NAMES}\n"
    files = {"lib.py": shared}
    for name in ("a", "b"):
        files |= {f"app/{name}/page.py": page, f"app/{name}/page.html": "<h1>{{ names | join }}</h1>"}
    root = site(files)
    before = export(root).tree()
    records.source.text("/names", "", status=500)
    down = export(root)
    assert (down.code, down.tree() == before) == (0, True)
    assert {finding.partition(": ")[2] for finding in down.findings} == {"warning[fetch-error]"}


def test_a_source_that_lies_about_its_etag(records: Records, site: Site, export: Export) -> None:
    page = (
        "from pybuild import fetch\ninputs = []\n"
        f"def load(ctx):\n    return {{'names': fetch('{records.source.url('/names')}').json()}}\n"
    )
    root = site({"app/page.py": page, "app/page.html": "<h1>{{ names | join }}</h1>"})
    export(root)
    records.source.text("/names", '["new"]', ETag='"names"')
    assert "<h1>new</h1>" in export(root).text("index.html")


def test_a_source_that_is_down_leaves_the_old_output(records: Records, site: Site, export: Export) -> None:
    url = records.source.url("/names")
    page = f"from pybuild import fetch\ninputs = []\ndef load(ctx):\n    return {{'names': fetch('{url}', retries=0).json()}}\n"
    root = site({"app/page.py": page, "app/page.html": "<h1>{{ names | join }}</h1>"})
    before = export(root).tree()
    records.source.text("/names", "gone", status=503)
    run = export(root)
    assert (run.code, run.findings) == (1, ["app/page.py:4: error[fetch-error]"])
    assert f"{url} answered 503" in run.messages[0]
    assert run.tree() == before
    assert export(root, "--offline").code == 0  # what is kept is still there


@pytest.mark.parametrize(
    ("inputs", "call", "lasts"),
    [
        ("inputs = []", "", True),
        ("", "", False),
        ("inputs = []", "fetch(URL, revalidate=3600)", True),
        ("inputs = []", "fetch(URL)", False),
        ("inputs = []", "fetch(URL, revalidate=3600, headers={'X-Key': 'a'})", False),
    ],
)
def test_whether_nothing_changed_where_an_extension_adds_files(
    records: Records, site: Site, export: Export, inputs: str, call: str, lasts: bool
) -> None:
    code = f"""from pybuild import fetch
{inputs}
URL = "{records.source.url("/names")}"
def outputs(site, pages):
    {call}
    yield "a.txt", "a"
"""
    root = site({"app/page.md": "# x\n", "extensions.py": code})
    before, again = export(root), export(root, "--timings")
    assert (before.code, again.tree()) == (0, before.tree())
    assert ("render" not in again.summary["timings"]) is lasts


def slow(_: BaseHTTPRequestHandler) -> Reply:
    time.sleep(1)
    return 200, {}, b"{}"


@pytest.mark.parametrize(
    ("reply", "options", "said"),
    [
        (lambda _: (503, {"Retry-After": "0"}, b""), "retries=1", "answered 503 (2 tries)"),
        (lambda _: (200, {"X-Endless": "1"}, b""), "max_bytes=5000", "sends more than 5,000 bytes"),
        (lambda _: (302, {"Location": "/x"}, b""), "retries=0", "redirects more than 10 times"),
        (
            lambda _: (302, {"Location": "file:///etc/passwd"}, b""),
            "retries=0",
            "redirects to file:, which is not asked",
        ),
        (slow, "timeout=0.2, retries=0", "could not be asked: ReadTimeout"),
    ],
    ids=["down", "endless", "redirecting", "redirecting away", "slow"],
)
def test_the_finding_of_a_source_that_fails(
    source: Source, site: Site, export: Export, reply: Callable[..., Reply], options: str, said: str
) -> None:
    source.replies["/x"] = reply
    page = f"from pybuild import fetch\ndef load(ctx):\n    return fetch('{source.url('/x')}', {options}).json()\n"
    run = export(site({"app/page.py": page, "app/page.html": "<h1>x</h1>"}))
    assert (run.code, run.findings) == (1, ["app/page.py:3: error[fetch-error]"])
    assert run.messages[0].startswith(f"load for / failed: {source.url('/x')} {said}")
