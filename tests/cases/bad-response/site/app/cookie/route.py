from pybuild import Response

dynamic = "force-static"


def GET():
    answer = Response("x")
    answer.set_cookie("a", "b")
    return answer
