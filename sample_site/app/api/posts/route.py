"""`/api/posts`: every post of the blog, the newest first."""

from lib.posts import newest_first, summary

from pybuild import JSONResponse

dynamic = "force-static"
inputs = ["content/blog/**", "lib/**"]


def GET() -> JSONResponse:
    return JSONResponse({"posts": [summary(post) for post in newest_first()]})
