from functools import wraps

from pybuild import PlainTextResponse

dynamic = "force-static"


def twice(function):
    @wraps(function)
    def inner(*given):
        answer = function(*given)
        return PlainTextResponse(answer.body.decode() * 2)

    return inner


@twice
def GET(request, ctx):
    return PlainTextResponse(ctx.path)
