from pybuild import RedirectResponse

dynamic = "force-static"


def GET():
    answer = RedirectResponse("/")
    answer.set_cookie("seen", "1")
    return answer
