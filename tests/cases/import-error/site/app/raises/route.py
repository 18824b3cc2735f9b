from pybuild import PlainTextResponse

dynamic = "force-static"
print("not shown")


def settings():
    raise ValueError("no settings")


settings()


def GET():
    return PlainTextResponse("ok")
