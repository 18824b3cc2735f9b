from pybuild import PlainTextResponse

dynamic = "force-static"


async def generate_static_params():
    yield {"slug": "a"}
    int("z")


def GET():
    return PlainTextResponse("ok")
