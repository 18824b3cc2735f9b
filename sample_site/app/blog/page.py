"""The list of posts."""

from typing import Any

from lib.posts import newest_first, tags

from pybuild import Context

metadata = {
    "title": "Notes from the gauge house",
    "description": "Changes to the API, and what we learn about water levels while running it.",
}


def load(ctx: Context) -> dict[str, Any]:
    return {"posts": newest_first(), "tags": list(tags().values())}
