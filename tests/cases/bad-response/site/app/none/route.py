from pybuild import Response

dynamic = "force-static"


def GET():
    pass
