import os
import signal

from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    os.kill(os.getpid(), signal.SIGSEGV)
