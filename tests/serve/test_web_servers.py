"""Real web servers on a finished export: `pybuild preview --with`."""

import shutil
import signal
from pathlib import Path

import pytest
from harness import open_up, run_command
from previewing import fetch, make_site, previewed

from pybuild.hosts import TARGETS
from pybuild.publish.publication import Publication
from pybuild.serve.command import NotInstalled, find_program
from pybuild.serve.web_servers import ENGINES

BAD = """
[site]
url = "https://a.example"
title = "Bad"
[[proxies]]
source = "/x/:path*"
destination = "http://nowhere.invalid/:path*"
"""


def installed(engine: str) -> None:
    try:
        find_program(engine)
    except NotInstalled as fault:
        pytest.skip(str(fault))


def test_every_engine_has_its_target() -> None:
    assert ENGINES.keys() <= TARGETS.keys()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_serves_by_the_same_rules(site: Path, publication: Publication, engine: str) -> None:
    """The export was made for plain files; the engine gets the rules all the same, with its secrets."""
    installed(engine)
    open_up(site / "out")
    with previewed(site, "--with", engine, UP_TOKEN="Bearer s3cret") as (port, process):
        page = fetch(port, "/docs/a", Accept="text/markdown")
        proxied = fetch(port, "/up/x")
        process.send_signal(signal.SIGINT)
        assert process.wait(6) == 0
    assert page.body == (publication.output.out / "docs/a.md").read_bytes()
    assert page.headers["content-type"].replace(" ", "") == "text/markdown;charset=utf-8"
    assert b"Bearer s3cret" in proxied.body
    with pytest.raises(ConnectionRefusedError):
        fetch(port, "/")


def test_nothing_is_left_behind(site: Path, tmp_path: Path) -> None:
    installed("nginx")
    with previewed(site, "--with", "nginx", TMPDIR=str(tmp_path)) as (port, _):
        (folder,) = tmp_path.glob("pybuild-*")
        assert (folder / "secrets.conf").stat().st_mode & 0o777 == 0o600
        assert fetch(port, "/").status == 200
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_does_not_start_says_why(tmp_path: Path) -> None:
    installed("nginx")
    make_site(tmp_path, **{"pybuild.toml": BAD})
    done = run_command(tmp_path, "preview", str(tmp_path), "--with", "nginx", "--port", "0")
    assert done.code == 1
    assert done.stderr.startswith("error[engine-error]: nginx did not start: ")
    assert 'host not found in upstream "nowhere.invalid:80"' in done.stderr


def test_an_engine_that_is_not_there(site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unknown = run_command(site, "preview", str(site), "--with", "iis")
    assert (unknown.code, unknown.stderr.splitlines()[-1]) == (
        2, 'Error: there is no engine "iis"; choose one of nginx, caddy, apache, haproxy, varnish',
    )  # fmt: skip
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(NotInstalled, match="Caddy is not installed; on Debian, run apt-get install caddy"):
        find_program("caddy")
