from pybuild import RedirectResponse

dynamic = "force-static"


def GET():
    return RedirectResponse("/about#x", 301)
