"""The posts of one subject. Crawlers follow these lists and do not index them."""

from collections.abc import Iterator
from typing import Any

from lib.posts import newest_first, tag_slug, tags
from lib.words import say

from pybuild import Context, not_found


def generate_static_params() -> Iterator[dict[str, str]]:
    for slug in tags():
        yield {"tag": slug}


def generate_metadata(ctx: Context) -> dict[str, Any]:
    name = tags()[ctx.params["tag"]]
    return {
        "title": say(ctx.site.language, "tag_title", name),
        "description": say(ctx.site.language, "tag_lead", name),
        "robots": {"index": False, "follow": True},
    }


def load(ctx: Context) -> dict[str, Any]:
    tag = ctx.params["tag"]
    if tag not in tags():
        not_found()
    return {"posts": [post for post in newest_first() if tag in map(tag_slug, post.tags)]}
