"""Broken sites whose findings docs/errors.md quotes: a name, the files, and what goes behind `export`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

SITE = '[site]\nurl = "https://example.com"\ntitle = "Example"\n'
STATIC = 'from pybuild import JSONResponse\n\ndynamic = "force-static"\n\n\n'


@dataclass(frozen=True)
class Example:
    """One broken site."""

    files: Mapping[str, str | bytes]
    arguments: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    before: Mapping[str, str] = field(default_factory=dict)  # files of an export that went before


EXAMPLES: Mapping[str, Example] = {
    "files": Example(
        {
            "pybuild.toml": SITE
            + '\n[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
            + '\n[collections.notes]\nsource = "content/notes"\nroute = "/notes/[slug]"\n',
            "app/api/contact/route.py": STATIC
            + "def GET():\n    return JSONResponse({})\n\n\ndef POST(request):\n    return JSONResponse({})\n",
            "app/api/ping/route.py": STATIC + "def get():\n    return JSONResponse({})\n",
            "app/api/now/route.py": 'dynamic = "force-dynamic"\n\n\ndef GET():\n    ...\n',
            "app/blog/[slug]/page.py": "dynamic_params = True\n\n\ndef generate_static_params():\n"
            '    return [{"slug": "a"}]\n',
            "app/blog/[slug]/page.html": "<h1>A post</h1>",
            "app/team/[name]/page.html": "<h1>{{ params.name }}</h1>",
            "app/about/page.md": "# About\n",
            "app/(site)/about/page.md": "# About\n",
            "app/@modal/page.md": "# Modal\n",
            "app/[year][month]/page.md": "# Month\n",
            "app/shop/page.py": "def generateMetadata(ctx):\n    return {}\n\n\ndef load(ctx):\n    return {}\n",
            "app/shop/page.html": "<h1>Shop</h1>",
            "app/api/stock/route.py": 'dynamic = "force-static"\n\ndef GET(:\n',
            "content/docs/menu.md": "# Café\n".encode("latin-1"),
            "content/docs/launch.md": "---\ntitle: Launch\ndate: tomorrow\n---\n",
            "content/docs/install.md": '# Install\n\n::: include file="steps.md"\n',
            "content/docs/dump.md": b"x" * (16 * 1024 * 1024 + 1),
            "content/notes/2026/first.md": "# First\n",
            "public/.env": "KEY=1\n",
            "public/a:b.txt": "a\n",
        }
    ),
    "settings": Example(
        {
            "pybuild.toml": '[site]\nurl = "https://example.com"\ntitel = "Example"\n'
            '\n[[redirects]]\nsource = "old/:slug"\ndestination = "/docs/:slug"\npermanent = true\n'
        }
    ),
    "params": Example(
        {
            "app/a/[slug]/page.py": "def generate_static_params():\n    return []\n",
            "app/a/[slug]/page.html": "<h1>A</h1>",
            "app/b/[slug]/page.py": 'def generate_static_params():\n    return [{"slug": "a/b"}]\n',
            "app/b/[slug]/page.html": "<h1>B</h1>",
        }
    ),
    "conflict": Example({"app/about/page.md": "# About\n", "public/About.html": "<h1>About</h1>"}),
    "code": Example(
        {
            "pybuild.toml": SITE + "\n[build]\ntimeout = 2\n",
            "app/api/price/route.py": STATIC
            + 'def GET():\n    return JSONResponse({"price": PRICES["tea"]})\n',
            "app/api/gone/route.py": STATIC
            + 'def GET():\n    return JSONResponse({"error": "gone"}, status_code=410)\n',
            "app/api/me/route.py": STATIC
            + 'def GET(request):\n    return JSONResponse({"agent": request.headers.get("user-agent")})\n',
            "app/api/slow/route.py": "import time\n\n" + STATIC + "def GET():\n    time.sleep(60)\n",
            "app/page.html": "<h1>{{ headline }}</h1>\n",
            "app/status/page.py": "import os\n\n\ndef load(ctx):\n"
            '    return {"key": os.environ.get("STATUS_API_KEY", "none")}\n',
            "app/status/page.html": "<p>{{ key }}</p>\n",
        },
        env={"STATUS_API_KEY": "correct-horse-battery"},
    ),
    "links": Example(
        {
            "app/page.md": "# Home\n\nSee [the guide](/guides) and [its setup](/guide#set-up).\n",
            "app/guide/page.md": "# Guide\n\n## Setup\n",
        }
    ),
    "rules": Example(
        {
            "pybuild.toml": SITE
            + '\n[[redirects]]\nsource = "/welcome"\ndestination = "/:lang/welcome"\n'
            + 'has = [{ type = "cookie", key = "lang", value = "(?<lang>[a-z]+)" }]\npermanent = false\n',
            "app/page.md": "# Home\n",
        },
        ("--target", "nginx"),
    ),
    "long": Example(
        {
            "app/[...slug]/page.py": "def generate_static_params():\n"
            '    return [{"slug": ["日" * 60] * 5}]\n',
            "app/[...slug]/page.html": "<h1>Long</h1>",
        }
    ),
    "twice": Example(
        {
            "app/api/build/route.py": "import time\n\n"
            + STATIC
            + 'def GET():\n    return JSONResponse({"built": time.time()})\n'
        },
        ("--verify-reproducible",),
    ),
    "fetch": Example(
        {
            "app/api/prices/route.py": 'from pybuild import JSONResponse, fetch\n\ndynamic = "force-static"\n\n\n'
            'def GET():\n    return JSONResponse(fetch("https://example.com/api/list").json())\n'
        }
    ),
    "out": Example({"app/page.md": "# Home\n"}, ("--out", "{root}")),
    "shrunk": Example(
        {"app/page.md": "# Home\n"},
        before={"app/page.md": "# Home\n"} | {f"app/p{n}/page.md": f"# Page {n}\n" for n in range(20)},
    ),
}
