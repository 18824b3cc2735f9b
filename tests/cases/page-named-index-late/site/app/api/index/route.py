from pybuild import HTMLResponse, JSONResponse, redirect

dynamic = "force-static"


def GET():
    return HTMLResponse("<p>x</p>")
