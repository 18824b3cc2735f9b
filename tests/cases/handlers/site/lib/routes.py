from pybuild import PlainTextResponse

__all__ = ["GET"]


def GET():
    return PlainTextResponse("imported")


def POST():
    return PlainTextResponse("not exported")
