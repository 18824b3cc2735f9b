from pybuild import HTMLResponse

dynamic = "force-static"


def GET():
    return HTMLResponse('<a href="relative">x</a> <a href="#of-a-page">y</a> <a href="/base/part-gone">z</a>')
