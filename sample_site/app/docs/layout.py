"""Metadata of every page below `/docs`."""

from typing import Any

from lib.words import say

from pybuild import Context


def generate_metadata(ctx: Context) -> dict[str, Any]:
    name = say(ctx.site.language, "docs_title")
    return {"title": {"template": f"%s · {name}", "default": name}}
