from pybuild import XMLResponse

dynamic = "force-static"


def GET():
    return XMLResponse("<rss/>")
