import threading

from pybuild import PlainTextResponse

dynamic = "force-static"


def fails():
    raise ValueError("in a thread")


def GET():
    threading.Thread(target=fails).start()
    return PlainTextResponse("x")
