from pybuild import JSONResponse, data

dynamic = "force-static"


def GET():
    return JSONResponse([data("team/people")[0]["born"], data("prices")])
