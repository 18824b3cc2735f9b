from pybuild import PlainTextResponse


def GET():
    return PlainTextResponse("ok")


def _delete():
    return PlainTextResponse("gone")


globals().update({"DEL" + "ETE": _delete})
