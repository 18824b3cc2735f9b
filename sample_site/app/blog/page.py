"""The list of posts."""

from typing import Any

from lib.posts import newest_first, tags
from lib.words import say

from pybuild import Context


def generate_metadata(ctx: Context) -> dict[str, Any]:
    language = ctx.site.language
    return {"title": say(language, "blog_title"), "description": say(language, "blog_lead")}


def load(ctx: Context) -> dict[str, Any]:
    return {"posts": newest_first(), "tags": list(tags().values())}
