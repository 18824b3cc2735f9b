from functools import partial

from pybuild import PlainTextResponse

dynamic = "force-static"


def answer(name, request, ctx):
    return PlainTextResponse(name + ctx.path)


GET = partial(answer, "partial ")
