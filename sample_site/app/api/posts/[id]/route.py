"""`/api/posts/[id]`: one post with its text."""

from lib.posts import newest_first, summary

from pybuild import Context, JSONResponse, Request, collection, not_found

dynamic = "force-static"
dynamic_params = False


def generate_static_params() -> list[dict[str, str]]:
    return [{"id": post.slug} for post in newest_first()]


async def GET(request: Request, ctx: Context) -> JSONResponse:
    post = collection("blog").get(ctx.params["id"])
    if post is None:
        not_found()
    body = {**summary(post), "markdown": post.markdown, "html": str(post.html)}
    return JSONResponse(body, headers={"Cache-Control": "public, max-age=3600"})
