import threading

from pybuild import PlainTextResponse

dynamic = "force-static"


threading.Thread(target=lambda: 1 / 0).start()


def GET():
    return PlainTextResponse('x')
