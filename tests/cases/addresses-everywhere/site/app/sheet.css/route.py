from pybuild import Response

dynamic = "force-static"


def GET():
    return Response("a { background: url(img/there.png) } b { background: url(img/not.png) }", media_type="text/css")
