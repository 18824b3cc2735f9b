"""A store that is cut off at each request: the same bytes, or one finding and nothing published."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from clusters import Machines, errors, on, stored, tree
from harness import LONG, SAMPLE_TIME, SETTINGS, Files, run_command
from proxies import Cutter, proxy

from pybuild.objects import Objects
from pybuild.publish.store import read_pointer

PAGES: Files = {"app/page.md": "# Home\n", "app/a/page.md": "# A\n", "app/b/page.md": "# B\n"}
EVERY = 1 if LONG else 6


@pytest.fixture(scope="module")
def cut(s3: dict[str, str]) -> Iterator[tuple[Cutter, dict[str, str]]]:
    """A proxy before the server for S3, and the environment that leads to it."""
    cutter = Cutter(int(s3["AWS_ENDPOINT_URL"].rpartition(":")[2]))
    with proxy(cutter) as address:
        yield cutter, {**SAMPLE_TIME, **s3, "AWS_ENDPOINT_URL": address}


def points(count: int, first: int) -> list[int]:
    """The requests to cut off at: each in a long run, else some, the last two always."""
    return sorted({*range(first % EVERY, count, EVERY), count - 2, count - 1})


@pytest.fixture
def a_site(site: Any, cut: Any, s3: dict[str, str], monkeypatch: pytest.MonkeyPatch, request: Any) -> Any:
    """A site that is published twice over: `(its folder, the store, how to edit it)`; each name has a prefix of its own."""
    for name, value in s3.items():
        monkeypatch.setenv(name, value)

    def make(name: str, publish: str) -> tuple[Path, str]:
        root, url = site(PAGES, name), f"s3://bucket/{name}"
        stored(root, url, publish)
        return root, url

    return make


def edit(root: Path, number: int) -> None:
    (root / "app/a/page.md").write_text(f"# A {number}\n\nText {number}.\n")


def export(root: Path, env: dict[str, str], *options: str) -> Any:
    return run_command(root, "export", str(root), "--format", "json", *options, env=env)


def served(url: str) -> tuple[str, dict[str, bytes]]:
    """The build that a store serves, and what of it can be asked for."""
    build = read_pointer(url).build
    objects = Objects(url)
    return build, {path: objects.get(f"v/{build}/{path}") for path in ("index.html", "a.html", "b.html")}


@pytest.mark.parametrize("kind", ["once", "answer", "lasting"])
def test_a_store_that_is_published_to_is_whole_wherever_it_was_cut_off(
    kind: str, a_site: Any, cut: Any
) -> None:
    cutter, env = cut
    root, url = a_site(f"versions-{kind}", "versions")
    cutter.arm(-1)
    assert export(root, env, "--engine", "serial").code == 0
    cutter.arm(-1)
    edit(root, 0)
    assert export(root, env, "--engine", "serial").code == 0
    requests = list(cutter.seen)
    assert requests[0].startswith("GET") and requests[-1] == f"PUT /bucket/versions-{kind}/current.json"
    before = tree(root / "out"), served(url)
    for number, point in enumerate(points(len(requests), ["once", "answer", "lasting"].index(kind)), 1):
        edit(root, number)
        cutter.arm(point, is_answer=kind == "answer", is_lasting=kind == "lasting")
        done = export(root, env, "--engine", "serial")
        cutter.arm(-1)
        found = errors(done.summary)
        build, bodies = served(url)
        if done.code == 0:
            assert kind != "lasting" or point >= len(requests)
            assert found == [] and build != before[1][0]
            assert bodies == {path: tree(root / "out")[path] for path in bodies}
        else:
            assert kind == "lasting" and len(found) == 1 and found[0][0] in ("engine-error", "publish-error")
            assert (tree(root / "out"), served(url)) == before
            assert export(root, env, "--engine", "serial").code == 0
        before = tree(root / "out"), served(url)


def test_a_pointer_whose_answers_are_all_lost_is_not_said_to_be_as_it_was(a_site: Any, cut: Any) -> None:
    """The write was done, and nobody can tell: the next export finds it so."""
    cutter, env = cut
    root, url = a_site("unknown", "versions")
    cutter.arm(-1)
    assert export(root, env, "--engine", "serial").code == 0
    edit(root, 1)
    last = len(cutter.seen) - 1
    cutter.arm(last, is_answer=True, is_lasting=True)
    old, done = tree(root / "out"), export(root, env, "--engine", "serial")
    cutter.arm(-1)
    ((code, _, _, message),) = errors(done.summary)
    assert code == "publish-error" and message.startswith(f"cannot tell whether {url} serves this build")
    assert tree(root / "out") == old
    assert export(root, env, "--engine", "serial").code == 0
    assert served(url)[1]["a.html"] == (root / "out/a.html").read_bytes() != old["a.html"]


@pytest.mark.parametrize("kind", ["once", "lasting"])
def test_workers_whose_store_is_cut_off_publish_the_same_bytes_or_nothing(
    kind: str, machines: Machines, a_site: Any, cut: Any, tmp_path: Path
) -> None:
    cutter, env = cut
    root, url = a_site(f"out-{kind}", "out")
    plain = tmp_path / "plain"
    shutil.copytree(root, plain)
    (plain / "pybuild.toml").write_text(SETTINGS)
    cutter.arm(-1)
    assert export(root, env, *on(machines)).code == 0
    edit(root, 0)
    cutter.arm(-1)
    assert export(root, env, *on(machines)).code == 0
    count = len(cutter.seen)
    for number, point in enumerate(points(count, 2)[:: 1 if LONG else 2], 1):
        edit(root, number)
        edit(plain, number)
        before = tree(root / "out"), read_pointer(url)
        cutter.arm(point, is_lasting=kind == "lasting")
        done = export(root, env, *on(machines))
        cutter.arm(-1)
        found = errors(done.summary)
        if done.code != 0:
            assert kind == "lasting" and len(found) == 1, found
            assert found[0][0] in ("engine-error", "publish-error")
            assert tree(root / "out") == before[0] and read_pointer(url).build == before[1].build
            assert export(root, env, *on(machines)).code == 0
        assert export(plain, env, "--engine", "serial").code == 0
        assert tree(root / "out") == tree(plain / "out")
