from pybuild import Response

dynamic = "force-static"


def GET():
    answer = Response("a,b", media_type="text/csv")
    answer.raw_headers.append((b"content-type", b"text/html"))
    return answer
