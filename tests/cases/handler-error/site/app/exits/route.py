import sys

from pybuild import PlainTextResponse

dynamic = "force-static"


def GET():
    sys.exit(3)
