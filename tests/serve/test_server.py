"""The running preview: sockets, timeouts, limits, proxies, signals."""

import http.client
import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from harness import run_command
from previewing import fetch, make_site, previewed, talk

from pybuild.publish.publication import Publication

LOCAL = b"Host: localhost\r\n"
GET = b"GET /small.txt HTTP/1.1\r\n" + LOCAL + b"\r\n"
LAST = b"GET /small.txt HTTP/1.1\r\n" + LOCAL + b"Connection: close\r\n\r\n"


def test_a_page_is_served(port: int, publication: Publication) -> None:
    seen = fetch(port, "/docs/a")
    assert (seen.status, seen.body) == (200, (publication.output.out / "docs/a.html").read_bytes())


def test_the_page_of_what_is_missing(port: int, publication: Publication) -> None:
    seen = fetch(port, "/nope")
    assert (seen.status, seen.body) == (404, (publication.output.out / "404.html").read_bytes())


def test_redirects_keep_the_query(port: int) -> None:
    seen = fetch(port, "/old/x%2Fy?a=%20")
    assert (seen.status, seen.headers["location"]) == (308, "/docs/x%2Fy?from=old&a=%20")


def test_requests_are_answered_in_order_on_one_connection(port: int) -> None:
    said = talk(
        port, b"\r\n" + GET + GET.replace(b"GET", b"HEAD") + GET.replace(b"small", b"big") + GET + LAST
    )
    assert said.count(b"HTTP/1.1 ") == 5
    assert said.count(b"0123456789") == 3
    assert said.endswith(b"connection: close\r\n\r\n0123456789")


def test_a_request_may_come_byte_by_byte(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for index in range(len(LAST)):
            client.sendall(LAST[index : index + 1])
        assert client.makefile("rb").read().endswith(b"\r\n\r\n0123456789")


def test_the_body_of_a_refused_request_is_not_the_next_request(port: int) -> None:
    smuggled = b"POST /docs/a HTTP/1.1\r\n" + LOCAL + b"Content-Length: %d\r\n\r\n" % len(GET) + GET
    said = talk(port, smuggled + LAST)
    assert re.findall(rb"HTTP/1.1 \d+", said) == [b"HTTP/1.1 405", b"HTTP/1.1 200"]


def test_large_files_and_their_parts(port: int, publication: Publication) -> None:
    body = (publication.output.out / "big.bin").read_bytes()
    whole = fetch(port, "/big.bin")
    part = fetch(port, "/big.bin", Range="bytes=1000-300000")
    assert whole.body == body
    assert (part.status, part.body, part.headers["content-range"]) == (
        206, body[1000:300001], f"bytes 1000-300000/{len(body)}",
    )  # fmt: skip


def test_a_client_that_does_not_read_stops_no_other(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(GET.replace(b"small.txt", b"big.bin") * 50)
        assert fetch(port, "/small.txt").status == 200


def test_a_proxied_answer(port: int, upstream: int) -> None:
    sent = {
        "Authorization": "Basic mine",
        "Cookie": "a=1",
        "X_Own": "y",
        "X_App": "no",
        "Connection": "X-Own",
    }
    seen = fetch(port, "/up/a%2Fb?q=%20", "POST", b"text", **sent)
    said = json.loads(seen.body)
    headers = dict(said["headers"])
    assert (said["target"], said["method"], said["body"]) == ("/base/a%2Fb?q=%20", "POST", "text")
    assert headers == {
        "Host": f"127.0.0.1:{upstream}",
        "Authorization": "Bearer s3cret",
        "X-App": "1",
        "Content-Length": "4",
        "Connection": "close",
    }
    assert {k: seen.headers.get(k) for k in ("x-kind", "vary", "set-cookie", "x-hop")} == {
        "x-kind": "ours", "vary": "Origin, X-Up", "set-cookie": None, "x-hop": None,
    }  # fmt: skip
    assert seen.status == 203


def test_a_proxied_answer_in_chunks(port: int) -> None:
    assert json.loads(fetch(port, "/up/chunked").body)["target"] == "/base/chunked"


@pytest.mark.parametrize(
    ("target", "method", "status", "body"),
    [
        ("/up/x", "PUT", 405, b"405\n"),
        ("/up/..%2fx", "GET", 400, b"400\n"),
        ("/unset/x", "GET", 502, b"502: the variable NEVER_SET is not set\n"),
        ("/down/x", "GET", 502, b"502: the backend of this address does not answer\n"),
    ],
)
def test_what_a_proxy_refuses(port: int, target: str, method: str, status: int, body: bytes) -> None:
    seen = fetch(port, target, method)
    assert (seen.status, seen.body) == (status, body)


def test_a_new_export_is_served_on_open_connections(tmp_path: Path) -> None:
    root = make_site(tmp_path)
    with previewed(root) as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        for text in ("One", "Two"):
            make_site(tmp_path, **{"app/docs/a/page.md": f"# {text}\n"})
            connection.request("GET", "/docs/a.md")
            assert f"# {text}".encode() in connection.getresponse().read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_zero(site: Path, number: int) -> None:
    with previewed(site, "-v") as (port, process):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(GET + b"GET /")
            assert client.recv(4096).startswith(b"HTTP/1.1 200 OK")
            process.send_signal(number)
            assert process.wait(5) == 0
        assert process.stderr is not None
        assert process.stderr.read() == "200 GET /small.txt\n"


def test_hosts_may_be_allowed(site: Path) -> None:
    with previewed(site, "--allowed-host", "My.Example") as (port, _):
        assert fetch(port, "/", Host="my.example:99").status == 200
        assert fetch(port, "/", Host="your.example").status == 421


def test_it_listens_on_this_machine_only(port: int) -> None:
    with socket.socket() as client:
        client.settimeout(1)
        assert client.connect_ex((socket.gethostbyname(socket.gethostname()), port)) != 0 or (
            socket.gethostbyname(socket.gethostname()).startswith("127.")
        )


def test_a_taken_port_is_a_wrong_command_line(site: Path, port: int) -> None:
    done = run_command(site, "preview", str(site), "--port", str(port))
    assert done.code == 2
    assert f"cannot listen on 127.0.0.1 port {port}: Address already in use" in done.stderr


def test_nothing_exported(tmp_path: Path) -> None:
    (tmp_path / "pybuild.toml").write_text('[site]\nurl = "https://a.example"\ntitle = "A"\n')
    done = run_command(tmp_path, "preview", str(tmp_path))
    assert (done.code, done.stderr) == (
        1,
        "error[not-exported]: pybuild has not published a site to out, or its state in .pybuild is gone or damaged\n"
        "  fix: run pybuild export first, with the same --out\n1 error\n",
    )


@pytest.mark.parametrize(
    ("origin", "method", "status"),
    [
        ("https://evil.example", "POST", 403),
        ("null", "POST", 403),
        ("http://localhost:4000", "POST", 203),
        ("https://evil.example", "GET", 203),
    ],
)
def test_other_sites_do_not_write_with_our_secrets(port: int, origin: str, method: str, status: int) -> None:
    assert fetch(port, "/up/x", method, b"" if method == "POST" else None, Origin=origin).status == status


def test_a_client_that_waits_to_send_is_told_to(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(
            b"POST /up/x HTTP/1.1\r\n"
            + LOCAL
            + b"Content-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
        )
        assert client.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"text")
        assert b'"body": "text"' in b"".join(iter(lambda: client.recv(4096), b""))


def test_on_the_other_loopback(site: Path) -> None:
    command = [sys.executable, "-m", "pybuild", "preview", str(site), "--port", "0", "--host", "::1"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    address = process.stdout.readline()
    if not address:
        pytest.skip("this machine has no IPv6")
    connection = http.client.HTTPConnection("::1", int(address.rpartition(":")[2].rstrip("/\n")), timeout=10)
    connection.request("GET", "/small.txt")
    assert connection.getresponse().read() == b"0123456789"
    process.terminate()
    process.communicate(timeout=10)
