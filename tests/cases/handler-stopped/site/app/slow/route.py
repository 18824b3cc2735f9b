import time

from pybuild import PlainTextResponse

dynamic = "force-static"
max_duration = 0.3


def GET():
    time.sleep(60)
