from pybuild import PlainTextResponse

dynamic = "force-static"


class Source:
    def __del__(self):
        raise OSError("not closed")


def GET():
    Source()
    return PlainTextResponse("x")
