from pybuild import permanent_redirect

dynamic = "force-static"


def GET():
    permanent_redirect("/about")
