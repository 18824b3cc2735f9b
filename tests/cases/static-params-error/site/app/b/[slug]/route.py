from pybuild import redirect
from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    redirect("/")


def GET():
    return PlainTextResponse("ok")
