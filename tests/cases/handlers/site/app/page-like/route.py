from pybuild import HTMLResponse

dynamic = "force-static"


def GET():
    return HTMLResponse("<p>HTML")
