from pybuild import XMLResponse

dynamic = "force-static"


def GET(request):
    return XMLResponse("<rss/>")
