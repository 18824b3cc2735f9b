"""Exports whose workers see no disk of ours, and sites in a store: a folder, and a real S3 server."""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import obstore
import pytest
from clusters import Machines, stored, tree
from harness import SAMPLE_TIME, Files, copy_sample, run_command
from obstore.store import from_url

from pybuild.objects import Objects, StoreFault
from pybuild.publish.store import clean_store, read_pointer

MakeSite = Callable[..., Path]
LATER = {"SOURCE_DATE_EPOCH": "4102444800"}  # 2100: past every grace
PAGES: Files = {"app/page.md": "# Home\n", "app/a/page.md": "# A\n", "app/b/page.md": "# B\n"}


def export(root: Path, *options: str, env: dict[str, str] = SAMPLE_TIME) -> Any:
    return run_command(root, "export", str(root), "--format", "json", *options, env=env)


def test_workers_without_our_disk_give_the_same_bytes(
    machines: Machines, s3: dict[str, str], tmp_path: Path
) -> None:
    here, there = copy_sample(tmp_path / "here"), copy_sample(tmp_path / "there")
    stored(there, "s3://bucket/sample")
    (there / ".env").write_text("DATABASE_PASSWORD=hunter2hunter2\n")
    (here / ".env").write_text("DATABASE_PASSWORD=hunter2hunter2\n")
    assert export(here).code == 0
    done = export(there, "--engine", "dask", "--cluster", machines.address, env={**SAMPLE_TIME, **s3})
    assert done.code == 0, done.stdout
    assert tree(there / "out") == tree(here / "out")
    assert not (there / ".pybuild/cluster").exists()


def test_site_code_runs_in_a_copy_without_secrets_and_is_blamed_by_its_own_lines(
    machines: Machines, site: MakeSite, tmp_path: Path
) -> None:
    code = (
        "from pathlib import Path\nfrom pybuild import PlainTextResponse\n\n"
        'dynamic = "force-static"\n\n\ndef GET():\n'
        '    return PlainTextResponse(" ".join(sorted(p.name for p in Path().iterdir())))\n'
    )
    root = site({"app/x/route.py": code, ".env": "A=b", "deploy.pem": "key", "lib/x.py": "", "notes.txt": ""})
    stored(root, f"file://{tmp_path}/store")
    options = ("--engine", "dask", "--cluster", machines.address)
    done = export(root, *options)
    assert done.code == 0, done.stdout
    assert (root / "out/x").read_text() == "app lib notes.txt pybuild.toml"
    (root / "app/x/route.py").write_text(
        code.replace("    return", "    import os; os.kill(os.getpid(), 11)\n    return")
    )
    here, there = export(root, "--no-cache"), export(root, "--no-cache", *options)
    assert there.summary["diagnostics"] == here.summary["diagnostics"]
    assert there.findings == ["app/x/route.py:8: error[handler-error]"]


@pytest.mark.parametrize("kind", ["s3", "file"])
def test_builds_in_a_store(
    kind: str, site: MakeSite, s3: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    url = "s3://bucket/builds" if kind == "s3" else f"file://{tmp_path}/store"
    root = site(PAGES)
    stored(root, url, "versions")
    builds = []
    for text in ("# A\n", "# A2\n", "# A3\n"):
        (root / "app/a/page.md").write_text(text)
        done = export(root)
        assert done.code == 0, done.stdout
        builds.append(read_pointer(url).build)
        served = Objects(url).get(f"v/{builds[-1]}/a.html")
        assert served == (root / "out/a.html").read_bytes()
    assert len(set(builds)) == 3
    objects = Objects(url)
    objects.put(f"v/{builds[0]}/foreign.txt", b"ours")
    assert run_command(root, "clean", str(root), "--store").code == 0
    assert objects.read(f"v/{builds[0]}/a.html") is not None  # within the grace
    assert run_command(root, "clean", str(root), "--store", env=LATER).code == 0
    assert [objects.read(f"v/{build}/a.html") is None for build in builds] == [True, False, False]
    assert objects.get(f"v/{builds[0]}/foreign.txt") == b"ours"


def test_types_and_headers_go_along(
    site: MakeSite, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    handler = (
        "from pybuild import Response\n\n"
        'dynamic = "force-static"\n\n\ndef GET():\n'
        '    return Response("same", media_type="{}", headers={{"Cache-Control": "max-age=60", "Vary": "Accept"}})\n'
    )
    root = site(
        {"app/x/route.py": handler.format("text/csv"), "app/y/route.py": handler.format("text/calendar")}
    )
    stored(root, "s3://bucket/types", "versions")
    done = export(root, env={**SAMPLE_TIME, **s3})
    assert done.code == 0, done.stdout
    build = read_pointer("s3://bucket/types").build
    for path, kind in (("x", "text/csv; charset=utf-8"), ("y", "text/calendar; charset=utf-8")):
        found = obstore.get(from_url("s3://bucket/types"), f"v/{build}/{path}")
        assert found.attributes == {"Content-Type": kind, "Cache-Control": "max-age=60"}
        assert bytes(found.bytes()) == b"same"


@pytest.mark.parametrize("kind", ["s3", "file"])
def test_of_two_publishers_one_is_locked_out(
    kind: str, site: MakeSite, s3: dict[str, str], tmp_path: Path
) -> None:
    """The second publishes while the first renders."""
    url = "s3://bucket/two" if kind == "s3" else f"file://{tmp_path}/store"
    other = site({"app/page.md": "# Other\n"}, "other")
    stored(other, url)
    command = [sys.executable, "-m", "pybuild", "export", str(other)]
    code = (
        "import subprocess\nfrom pybuild import PlainTextResponse\n\n"
        'dynamic = "force-static"\n\n\ndef GET():\n'
        f"    subprocess.run({command}, check=True, capture_output=True)\n"
        '    return PlainTextResponse("x")\n'
    )
    root = site({"app/x/route.py": code})
    stored(root, url)
    done = export(root, env={**SAMPLE_TIME, **s3})
    assert (done.code, done.findings) == (1, ["error[locked]"]), done.stdout
    assert done.messages == [
        f"somebody else has published to {url} since this export began; nothing was changed"
    ]
    assert not (root / "out").exists()


def test_a_pointer_moves_only_from_what_was_read(s3: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in s3.items():
        monkeypatch.setenv(name, value)
    objects = Objects("s3://bucket/pointer")
    assert objects.replace("current.json", b"1", None) and not objects.replace("current.json", b"2", None)
    _, version, _ = objects.read("current.json") or (b"", None, None)
    assert objects.replace("current.json", b"2", version) and not objects.replace(
        "current.json", b"3", version
    )
    assert objects.get("current.json") == b"2"


def test_what_is_no_store_is_named(site: MakeSite, tmp_path: Path) -> None:
    root = site({"app/page.md": "# Home\n"})
    stored(root, "nowhere://x")
    done = export(root)
    assert (
        done.findings == ["error[engine-error]"]
        and "the store nowhere://x cannot be used: " in done.messages[0]
    )
    with pytest.raises(StoreFault):
        Objects(f"file://{tmp_path}/new").get("nothing")
    assert clean_store(f"file://{tmp_path}/new", 0, datetime.datetime.now(datetime.UTC)) == (0, ())
    assert os.listdir(tmp_path / "new") == []
