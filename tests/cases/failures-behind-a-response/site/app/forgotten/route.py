from pybuild import PlainTextResponse

dynamic = "force-static"


async def note():
    raise ValueError("never run")


def GET():
    note()
    return PlainTextResponse("x")
