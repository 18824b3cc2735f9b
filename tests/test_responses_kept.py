"""What responses say beyond their bytes, as the rules of the finished export answer it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from harness import SETTINGS, run_command
from previewing import published

from pybuild.publish.publication import Publication
from pybuild.rules.evaluate import Outcome, Request, evaluate
from pybuild.urls import encode

HEAD = 'from pybuild import *\n\ndynamic = "force-static"\n\n'
FILES = {
    "pybuild.toml": SETTINGS,
    "app/route.py": HEAD + 'def GET():\n    return JSONResponse({"root": True})\n',
    "app/api/posts/route.py": HEAD + "def GET():\n    return JSONResponse([1])\n",
    "app/api/posts/[id]/route.py": HEAD
    + "ids = ('1', 'two words', 'café', '50%', 'a.b')\n\n\ndef generate_static_params():\n    return [{'id': i} for i in ids]\n\n\n"
    + "def GET(request, ctx):\n    return JSONResponse(ctx.params['id'], headers={'Cache-Control': 'max-age=5'})\n",
    "app/mixed/[kind]/route.py": HEAD
    + "types = {'a': 'text/csv', 'b': 'image/png', 'c': 'text/html'}\n\n\n"
    + "def generate_static_params():\n    return [{'kind': kind} for kind in types]\n\n\n"
    + "def GET(request, ctx):\n    return Response(b'x', media_type=types[ctx.params['kind']], headers={'X-Kind': ctx.params['kind']})\n",
    "app/many/route.py": HEAD
    + "def GET():\n    answer = PlainTextResponse('x', headers={'Vary': 'Accept-Language', 'Link': '</a>; rel=a'})\n"
    + "    answer.headers.append('link', '</b>; rel=b')\n    return answer\n",
    "app/old/route.py": HEAD + "def GET():\n    redirect('/docs?a=1')\n",
    "app/older.xml/route.py": HEAD
    + "def GET():\n    return RedirectResponse('https://example.org/a%20b', 301)\n",
    "app/elder/route.py": HEAD
    + "def GET():\n    answer = RedirectResponse('/docs', 302, {'X-Why': 'age', 'Cache-Control': 'no-store'})\n"
    + "    answer.headers.append('x-why', 'taste')\n    return answer\n",
    "app/elder.txt/route.py": HEAD
    + "def GET():\n    return RedirectResponse('/docs', 302, {'X-Why': 'age'})\n",
    "app/text/route.py": HEAD + "def GET():\n    return Response('caf\u00e9')\n",
    "app/bytes/route.py": HEAD + "def GET():\n    return Response(bytes([255, 0]))\n",
    "app/style.css/route.py": HEAD + "def GET():\n    return Response('a { }')\n",
    "app/placed/route.py": HEAD
    + "def GET():\n    return PlainTextResponse('x', headers={'Location': '/docs'})\n",
    "app/[coding]/route.py": HEAD
    + "import gzip, zlib\n\nbodies = {'gzip': gzip.compress(b'hello'), 'deflate': zlib.compress(b'hello'),\n"
    + "    'gzip, deflate': zlib.compress(gzip.compress(b'hello')), 'identity': b'hello'}\n\n\n"
    + "def generate_static_params():\n    return [{'coding': coding} for coding in bodies]\n\n\n"
    + "def GET(request, ctx):\n    coding = ctx.params['coding']\n"
    + "    return Response(bodies[coding], media_type='text/plain', headers={'Content-Encoding': coding})\n",
    "app/was/[id]/page.py": "from pybuild import permanent_redirect\n\n\ndef generate_static_params():\n    return [{'id': 'é'}]\n\n\n"
    + "def load(ctx):\n    permanent_redirect('/docs')\n",
    "app/was/[id]/page.html": "never\n",
    "app/docs/page.md": "# Docs\n",
}


@pytest.fixture(scope="module", params=["false", "true"])
def publication(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Publication:
    root: Path = tmp_path_factory.mktemp("kept")
    for name, text in {**FILES, "pybuild.toml": f"trailing_slash = {request.param}\n{SETTINGS}"}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    done = run_command(root, "export", str(root), "--target", "nginx")
    assert (done.code, done.stderr) == (0, "")
    return published(root)


def ask(publication: Publication, url: str) -> Outcome:
    return evaluate(publication.rules, Request(url, "GET", (("Host", "example.com"),)), publication.files)


def headers(outcome: Outcome) -> dict[str, str]:
    return {name.lower(): value for name, value in outcome.headers}


@pytest.mark.parametrize(
    "url, said",
    [
        ("/", {"content-type": "application/json"}),
        ("/api/posts", {"content-type": "application/json"}),
        ("/api/posts/1", {"content-type": "application/json", "cache-control": "max-age=5"}),
        ("/api/posts/two%20words", {"content-type": "application/json", "cache-control": "max-age=5"}),
        ("/api/posts/caf%C3%A9", {"content-type": "application/json", "cache-control": "max-age=5"}),
        ("/api/posts/50%25", {"content-type": "application/json", "cache-control": "max-age=5"}),
        ("/api/posts/a.b", {"content-type": "application/json", "cache-control": "max-age=5"}),
        ("/mixed/a", {"content-type": "text/csv; charset=utf-8", "x-kind": "a"}),
        ("/mixed/b", {"content-type": "image/png", "x-kind": "b"}),
        ("/mixed/c", {"content-type": "text/html; charset=utf-8", "x-kind": "c"}),
        (
            "/many",
            {
                "content-type": "text/plain; charset=utf-8",
                "vary": "Accept-Language",
                "link": "</a>; rel=a, </b>; rel=b",
            },
        ),
        ("/text", {"content-type": "text/plain; charset=utf-8"}),
        ("/bytes", {"content-type": "application/octet-stream"}),
        ("/style.css", {"content-type": "text/css; charset=utf-8"}),
        ("/placed", {"location": "/docs"}),
    ],
)
def test_types_and_headers_are_kept(publication: Publication, url: str, said: dict[str, str]) -> None:
    outcome = ask(publication, url)
    assert outcome.status == 200
    assert {name: headers(outcome).get(name) for name in said} == said


@pytest.mark.parametrize(
    "url, status, location",
    [
        ("/old", 307, "/docs{slash}?a=1"),
        ("/older.xml", 301, "https://example.org/a%20b"),
        ("/was/%C3%A9", 308, "/docs{slash}"),
    ],
)
def test_redirects_become_rules(publication: Publication, url: str, status: int, location: str) -> None:
    outcome = ask(publication, url)
    slash = "/" if publication.rules.trailing_slash else ""
    assert (outcome.status, headers(outcome)["location"]) == (status, location.format(slash=slash))


def test_a_redirect_keeps_its_headers(publication: Publication) -> None:
    said = headers(ask(publication, "/elder"))
    assert (said["x-why"], said["cache-control"]) == ("age, taste", "no-store")
    assert headers(ask(publication, "/elder.txt"))["x-why"] == "age"
    assert "x-why" not in headers(ask(publication, "/old"))


@pytest.mark.parametrize("coding", ["gzip", "deflate", "gzip, deflate", "identity"])
def test_a_body_is_published_without_its_coding(publication: Publication, coding: str) -> None:
    outcome = ask(publication, "/" + encode(coding))
    assert (outcome.status, headers(outcome).get("content-encoding")) == (200, None)
    assert publication.files[outcome.path].digest == hashlib.sha256(b"hello").hexdigest()


def test_nothing_that_was_written_is_out_of_reach(publication: Publication) -> None:
    """Each file of a handler answers at the handler's own URL."""
    urls = {
        file.url or "/" + path for path, file in publication.files.items() if file.origin.endswith("route.py")
    }
    missing = [url for url in urls if ask(publication, encode(url)).status not in (200, 301, 302, 307, 308)]
    assert (len(urls) > 10, missing) == (True, [])
