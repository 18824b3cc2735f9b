from pybuild import RedirectResponse

dynamic = "force-static"


def GET():
    answer = RedirectResponse("/one")
    answer.raw_headers.append((b"Location", b"/two"))
    return answer
