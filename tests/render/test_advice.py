"""What people try, and what they are told to use instead."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness import SETTINGS, run_command
from incremental import put

MODULE = """from pybuild import PlainTextResponse, Request, Response
{}
dynamic = "force-static"


{}
"""
GET = "def GET(request, ctx):\n    {}\n    return PlainTextResponse('x')"
ASYNC = "async def GET(request, ctx):\n    {}\n    return PlainTextResponse('x')"


def write(root: Path, files: dict[str, str]) -> Path:
    for path, text in {"pybuild.toml": SETTINGS, **files}.items():
        put(root, path, text)
    return root


def hint_of(site: Path, imported: str, handler: str) -> str:
    root = write(site, {"app/page.md": "# Home\n", "app/a/[slug]/route.py": MODULE.format(imported, handler)})
    done = run_command(root, "export", str(root), "--engine", "serial")
    assert (done.code, "Traceback" in done.stderr) == (1, False)
    return next(line for line in done.stderr.splitlines() if line.startswith("  fix: ")).removeprefix(
        "  fix: "
    )


PARAMS = "def generate_static_params():\n    return [{'slug': 'a'}]\n\n\n"


@pytest.mark.parametrize(
    ("imported", "says"),
    [
        ("from pybuild import NextResponse", "use JSONResponse(…), PlainTextResponse(…)"),
        ("from pybuild import JsonResponse", "use JSONResponse"),
        ("from pybuild import HtmlResponse", "use HTMLResponse"),
        ("from pybuild import notFound", "use not_found()"),
        ("from pybuild import revalidateTag", "delete it: export again when the content has changed"),
        ("from pybuild import revalidate_path", "delete it: export again when the content has changed"),
        ("from pybuild import draft_mode", "export with --drafts"),
        ("from pybuild import forbidden", "a static host lets everybody in"),
        ("from pybuild import cookies", "a page is made once, when the site is exported"),
        ("from pybuild import collectoin", 'did you mean "collection"?'),
        ("from pybuild import xyz", "pybuild has FileResponse, HTMLResponse"),
        ("from next.server import NextResponse", "import from pybuild instead"),
        ("import no_such_package", 'install the package that provides "no_such_package"'),
    ],
)
def test_a_name_that_is_imported(tmp_path: Path, imported: str, says: str) -> None:
    assert hint_of(tmp_path / "site", imported, PARAMS + GET.format("pass")).startswith(says)


@pytest.mark.parametrize(
    ("imported", "line", "says"),
    [
        ("import pybuild", "pybuild.revalidate_tag('a')", "delete it: export again"),
        ("import pybuild", "pybuild.NextResponse.rewrite('/b')", "use JSONResponse(…)"),
        ("", "Response.json({})", "use JSONResponse(…)"),
        ("", "Response.redirect('/b')", "use redirect(url)"),
        ("", "request.nextUrl", "use request.url; its query is empty while exporting"),
        ("", "ctx.search_params", "a page is made once"),
        ("", "ctx.slug", "ctx has params, path, url and site"),
        ("import urllib.request", "urllib.request.urlopen('http://localhost:9/b')", "nothing listens at localhost:9 while"),
        ("import urllib.request", "urllib.request.urlopen('http://127.0.0.1:9/b')", "nothing listens at 127.0.0.1:9 "),
        ("import socket", "socket.socket().connect(('127.0.0.1', 9))", "nothing listens at 127.0.0.1:9 while"),
        ("import http.client", "http.client.HTTPConnection('localhost', 9).request('GET', '/')", "nothing listens at localhost:9 "),
        ("import httpx2\nBASE = 'http://localhost:9'", "httpx2.get(BASE + '/b')", "nothing listens at localhost:9 while"),
        ("", "raise ValueError('http://localhost:9/')", "correct the code at this line"),
    ],
)  # fmt: skip
def test_a_call(tmp_path: Path, imported: str, line: str, says: str) -> None:
    assert hint_of(tmp_path / "site", imported, PARAMS + GET.format(line)).startswith(says)


def test_await_in_a_function_that_is_not_async(tmp_path: Path) -> None:
    found = hint_of(tmp_path / "site", "", PARAMS + GET.format("params = await ctx.params"))
    assert found == "write async def, or leave out await: ctx.params is a dict"


def test_params_may_be_awaited(tmp_path: Path) -> None:
    handler = PARAMS + ASYNC.format(
        "return PlainTextResponse((await ctx.params)['slug'] + ctx.params['slug'])"
    )
    root = write(tmp_path / "site", {"app/a/[slug]/route.py": MODULE.format("", handler)})
    assert run_command(root, "export", str(root)).code == 0
    assert (root / "out/a/a").read_text() == "aa"


@pytest.mark.parametrize("engine", ["serial", "processes"])
def test_a_stream_that_never_ends_is_not_slow(tmp_path: Path, engine: str) -> None:
    body = "def lines():\n    while True:\n        yield b'x'\n        time.sleep(0.05)\n\n\n"
    handler = body + "def GET():\n    return StreamingResponse(lines(), media_type='text/event-stream')"
    files = {"app/a/route.py": MODULE.format("from pybuild import StreamingResponse\nimport time", handler)}
    root = write(tmp_path / "site", files)
    settings = root / "pybuild.toml"
    settings.write_text(settings.read_text() + "\n[build]\ntimeout = 1\n")
    done = run_command(root, "export", str(root), "--engine", engine)
    assert "error[handler-timeout]: /a answers a stream that had not ended after 1 second" in done.stderr
    assert "fix: end it, for it is published as a file" in done.stderr


def test_events_that_end_are_published_with_a_word(tmp_path: Path) -> None:
    handler = "def GET():\n    return Response('data: x\\n\\n', media_type='text/event-stream')"
    root = write(tmp_path / "site", {"app/a/route.py": MODULE.format("", handler)})
    done = run_command(root, "export", str(root))
    assert done.code == 0
    assert (
        "app/a/route.py:6:1: warning[bad-response]: /a answers text/event-stream, and is published"
        in done.stderr
    )
