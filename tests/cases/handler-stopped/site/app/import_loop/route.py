from pybuild import PlainTextResponse

dynamic = "force-static"

while True: pass


def GET():
    return PlainTextResponse("ok")
