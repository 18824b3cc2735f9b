"""`/blog/latest`: an address to bookmark. It shows the newest post and names that post's own address as canonical."""

from typing import Any

from lib.posts import newest_first

from pybuild import Context, Document


def generate_metadata(ctx: Context) -> dict[str, Any]:
    return {"canonical": newest_first()[0].url, "robots": {"index": False}}


def load(ctx: Context) -> Document:
    return newest_first()[0]
