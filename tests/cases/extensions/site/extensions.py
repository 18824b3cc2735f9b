import json

from lib.shout import shout

inputs = []


def markdown(md):
    """Let `H~2~O` be a subscript."""
    from mdit_py_plugins.subscript import sub_plugin

    md.disable("strikethrough").use(sub_plugin)


def templates(env):
    env.filters["shout"] = shout
    env.globals["version"] = "1.2"
    env.tests["short"] = lambda text: len(text) < 4


def outputs(site, pages):
    listed = [{"title": page.title, "url": page.href} for page in pages]
    yield "titles.json", json.dumps({"site": site.title, "pages": listed}, indent=1)
    yield "/raw/bytes.bin", b"\x00\x01"
