from pybuild import redirect

dynamic = "force-static"


def away():
    redirect("https://example.org/?a=1&b=2")


def GET():
    try:
        away()
    except Exception:
        return None
