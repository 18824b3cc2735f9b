"""The running `pybuild dev`: addresses of its own, who may ask, changes and what they tell, its end."""

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from developing import Server, developed
from harness import run_command
from incremental import put, write_site
from previewing import fetch, talk

from pybuild.dev.messages import SCRIPT

FILES = {
    "pybuild.toml": '[site]\nurl = "https://a.example/base"\ntitle = "A"\n[build]\ngit_dates = false\n'
    '[[headers]]\nsource = "/:path*"\nheaders = { Cache-Control = "public" }\n'
    '[[proxies]]\nsource = "/up/:path*"\ndestination = "http://127.0.0.1:1/:path*"\nheaders = { A = { env = "UP_TOKEN" } }\n',
    "app/page.md": "# Home\n",
    "app/code/page.py": "def load(ctx):\n    return {'n': 1}\n",
    "app/code/page.html": "<h1>{{ n }}</h1>",
    "public/x.css": "a {}",
    "public/big.bin": "0123456789" * 50_000,
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    root = tmp_path_factory.mktemp("served") / "site"
    write_site(root, FILES)
    with developed(root, "--allowed-host", "My.Example", UP_TOKEN="s3cret-s3cret") as server:
        yield server


def test_nothing_may_be_kept(server: Server) -> None:
    for target, status in (
        ("/base/", 200),
        ("/base/x.css", 200),
        ("/base/nope", 404),
        ("/", 404),
        ("/_pybuild/dev.js", 200),
    ):
        seen = server.get(target)
        assert (seen.status, seen.headers["cache-control"]) == (status, "no-store"), target
    assert server.get("/base/", Host="evil.example").headers["cache-control"] == "no-store"


def test_large_files_and_their_parts(server: Server) -> None:
    assert server.get("/base/big.bin").body == FILES["public/big.bin"].encode()
    part = server.get("/base/big.bin", Range="bytes=5-300000")
    assert (part.status, part.body) == (206, FILES["public/big.bin"].encode()[5:300_001])


@pytest.mark.parametrize(
    ("host", "status"),
    [("localhost", 200), ("127.0.0.1:1", 200), ("192.168.1.7:3000", 200), ("[::1]:3000", 200), ("my.example", 200), ("evil.example", 421), ("127.0.0.1.evil.example", 421)],
)  # fmt: skip
def test_who_is_answered(server: Server, host: str, status: int) -> None:
    assert server.get("/base/", Host=host).status == status
    assert server.get("/_pybuild/findings.json", Host=host).status == status


def test_no_other_site_reads_findings(server: Server) -> None:
    own = f"http://127.0.0.1:{server.port}"
    assert server.get("/_pybuild/findings.json", Origin=own).status == 200
    for origin in ("https://evil.example", "null", f"http://localhost:{server.port}"):
        for name in ("findings", "findings.json", "events", "dev.js"):
            assert server.get(f"/_pybuild/{name}", Origin=origin).status == 403


def test_the_addresses_of_its_own(server: Server) -> None:
    kinds = {
        name: server.get(f"/_pybuild/{name}").headers["content-type"]
        for name in ("dev.js", "dev.css", "findings", "findings.json")
    }
    assert kinds == {
        "dev.js": "text/javascript; charset=utf-8",
        "dev.css": "text/css; charset=utf-8",
        "findings": "text/html; charset=utf-8",
        "findings.json": "application/json",
    }
    assert server.get("/_pybuild/nope").status == 404
    assert fetch(server.port, "/_pybuild/findings", "POST", b"").status == 405


def events(server: Server) -> Iterator[tuple[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/_pybuild/events")
    answer = connection.getresponse()
    assert answer.getheader("Content-Type") == "text/event-stream; charset=utf-8"
    name = ""
    while line := answer.readline().decode().rstrip("\n"):
        name = line.removeprefix("event: ") if line.startswith("event:") else name
        if line.startswith("data:"):
            yield name, line.removeprefix("data: ").removeprefix("data:")
            answer.readline()


def test_an_error_comes_and_goes(server: Server) -> None:
    assert server.get("/base/code").status == 200
    stream = events(server)
    assert next(stream)[0] == "hello"
    put(server.root, "app/code/page.py", "def load(ctx):\n    return {'n': 1 / 0, 's': 's3cret-s3cret'}\n")
    assert next(stream)[0] == "reload"
    seen = server.get("/base/code", Accept="text/html")
    assert (seen.status, b"<h1>1</h1>" in seen.body, seen.body.count(SCRIPT)) == (500, True, 1)
    said = json.loads(server.get("/_pybuild/findings.json?path=/base/code").body)
    assert (said["version"], said["ok"]) == (1, False)
    (finding,) = said["page"]["failed"]
    assert (finding["code"], finding["file"], finding["line"]) == ("handler-error", "app/code/page.py", 2)
    assert [(line["line"], line["text"]) for line in finding["source"] if line["marked"]] == [
        (2, "    return {'n': 1 / 0, 's': '$UP_TOKEN'}")
    ]
    assert b"app/code/page.py:2" in server.get("/_pybuild/findings").body
    assert b"s3cret" not in server.get("/_pybuild/findings").body
    assert server.get("/base/").status == 200
    put(server.root, "app/code/page.py", FILES["app/code/page.py"])
    assert next(stream)[0] == "reload"
    assert server.get("/base/code").status == 200
    assert json.loads(server.get("/_pybuild/findings.json").body)["diagnostics"] == []
    put(server.root, "public/x.css", "a { color: red }")
    name, data = next(stream)
    assert (name, json.loads(data)["paths"]) == ("style", ["/base/x.css"])


def test_findings_are_text(server: Server) -> None:
    put(server.root, "app/evil/page.md", "---\ntitle: [<script>alert(1)</script>\n---\n")
    seen = server.until("/_pybuild/findings", lambda seen: b"app/evil/page.md" in seen.body)
    assert b"<script>alert" not in seen.body
    shutil.rmtree(server.root / "app/evil")
    server.until("/_pybuild/findings", lambda seen: b"app/evil" not in seen.body)


def test_folders_may_go_and_come_back(server: Server) -> None:
    kept = server.root.with_name("kept")
    shutil.copytree(server.root, kept)
    shutil.rmtree(server.root / "app")
    server.until("/base/", lambda seen: seen.status == 404)
    shutil.copytree(kept / "app", server.root / "app")
    server.until("/base/", lambda seen: seen.status == 200)
    (server.root / "pybuild.toml").write_text("=")
    server.until("/base/", lambda seen: seen.status == 500)
    for number in range(1000):
        put(server.root, f"app/n{number}/page.md", "# N\n")
    shutil.copy(kept / "pybuild.toml", server.root / "pybuild.toml")
    server.until("/base/n999", lambda seen: seen.status == 200)
    shutil.rmtree(server.root)
    assert server.get("/base/").status in {200, 404, 500, 503}
    shutil.copytree(kept, server.root)
    server.until("/base/", lambda seen: seen.status == 200)
    shutil.rmtree(kept)


def test_a_page_that_hangs_stops_no_other(server: Server) -> None:
    put(server.root, "app/code/page.py", "def load(ctx):\n    while True: pass\n")
    server.until("/_pybuild/findings", lambda seen: seen.status == 200)
    server.until("/base/", lambda seen: seen.status == 200)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.sendall(b"GET /base/code HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert server.get("/base/").status == 200
        put(server.root, "app/code/page.py", FILES["app/code/page.py"])
        server.until("/base/code", lambda seen: seen.status == 200)


def test_one_process_reads_the_site_however_many_ask(tmp_path: Path) -> None:
    write_site(tmp_path / "site", FILES)
    put(
        tmp_path / "site",
        "app/[n]/page.py",
        "import pathlib, time\n\n\ndef generate_static_params():\n"
        "    with pathlib.Path('../asked').open('a') as file:\n        file.write('x')\n"
        "    while not pathlib.Path('../go').exists():\n        time.sleep(0.01)\n"
        "    return [{'n': '1'}]\n",
    )
    put(tmp_path / "site", "app/[n]/page.html", "<h1>{{ params.n }}</h1>")
    with developed(tmp_path / "site") as server, ThreadPoolExecutor() as pool:
        answers = [pool.submit(server.get, f"/base/{name}") for name in ("", "1", "code")]
        while not (tmp_path / "asked").exists():
            time.sleep(0.01)
        time.sleep(1)  # longer than a page that is busy is waited for
        assert (tmp_path / "asked").read_text() == "x"
        put(tmp_path, "go", "")
        assert [answer.result().status for answer in answers] == [200, 200, 200]


def test_junk_ends_nothing(server: Server) -> None:
    assert talk(server.port, b"\0\0\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    assert server.get("/_pybuild/../base/").status == 404
    assert server.get("/base/..%2f..%2fpybuild.toml").status in {400, 404}


def test_nothing_is_written_and_nothing_is_left(tmp_path: Path) -> None:
    root = tmp_path / "site"
    write_site(root, FILES)
    with developed(root) as server:
        assert server.get("/base/code").status == 200
        done = run_command(root, "export", str(root))
        assert done.code == 0, done.stderr
        shutil.rmtree(root / "out"), shutil.rmtree(root / ".pybuild")
        assert server.get("/base/code").status == 200
        children = [
            int(name)
            for name in os.listdir("/proc")
            if name.isdecimal() and _parent(name) == server.process.pid
        ]
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(20) == 0
    assert not (root / "out").exists()
    assert not (root / ".pybuild").exists()
    for _ in range(200):
        if not any(Path(f"/proc/{pid}").exists() for pid in children):
            return
        time.sleep(0.05)
    raise AssertionError(
        [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children if Path(f"/proc/{pid}").exists()]
    )


def _parent(pid: str) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_ports(tmp_path: Path, server: Server) -> None:
    done = run_command(server.root, "dev", str(server.root), "--port", str(server.port))
    assert done.code == 2
    assert (
        f"cannot listen on 127.0.0.1 port {server.port}: Address already in use; choose another with --port"
        in done.stderr
    )


def test_the_default_port_in_use(tmp_path: Path) -> None:
    write_site(tmp_path / "site", {name: FILES[name] for name in ("pybuild.toml", "app/page.md")})
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # somebody has it already
            holder.bind(("127.0.0.1", 3000))
            holder.listen()
        with developed(tmp_path / "site", port=None) as server:
            assert server.port > 3000
            assert server.get("/base/").status == 200
            said = (tmp_path / "dev.log").read_text()
            assert f"port 3000 is in use, so this is port {server.port}" in said


def test_beyond_this_machine(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        outer = probe.getsockname()[0]
    write_site(tmp_path / "site", {**FILES, "app/bad/page.html": "{{ nothing_here.at_all }}\n"})
    with developed(tmp_path / "site", "--host", "0.0.0.0", UP_TOKEN="s3cret-s3cret") as server:
        statuses = []
        for host in ("127.0.0.1", outer):
            connection = http.client.HTTPConnection(host, server.port, timeout=60)
            connection.request("GET", "/base/up/x")
            statuses.append(connection.getresponse().status)
            connection.close()
        assert statuses == [502, 403]
        assert server.get("/base/bad").status == 500
        shown = json.loads(server.get("/_pybuild/findings.json?path=/base/bad").body)
        assert [(one["file"], one["source"]) for one in shown["page"]["failed"]] == [
            ("app/bad/page.html", [])
        ]
        assert (
            f"everyone who can reach 0.0.0.0 port {server.port} can read this site"
            in (tmp_path / "dev.log").read_text()
        )


def test_a_browser_is_opened(tmp_path: Path) -> None:
    write_site(tmp_path / "site", {name: FILES[name] for name in ("pybuild.toml", "app/page.md")})
    opened = tmp_path / "opened"
    with developed(tmp_path / "site", "--open", BROWSER=f"sh -c 'echo $0 > {opened}' %s") as server:
        for _ in range(600):
            if opened.exists() and opened.read_text():
                break
            time.sleep(0.05)
        assert opened.read_text() == f"http://127.0.0.1:{server.port}/base/\n"


def test_no_site(tmp_path: Path) -> None:
    done = run_command(tmp_path, "dev", str(tmp_path))
    assert done.code == 2
    assert "has no pybuild.toml" in done.stderr
