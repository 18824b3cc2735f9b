from pybuild import JSONResponse

dynamic = "force-static"


def GET():
    return JSONResponse({})


if True:

    def POST():
        return JSONResponse({})


PUT, (DELETE, *PATCH) = POST, (POST, POST)
from json import dumps as OPTIONS  # noqa: E402
