from pybuild import redirect

dynamic = "force-static"


def GET():
    return redirect("/new#away")
