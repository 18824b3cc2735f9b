from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    while True: pass
