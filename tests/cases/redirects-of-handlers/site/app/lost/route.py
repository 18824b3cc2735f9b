from pybuild import redirect

dynamic = "force-static"


def GET():
    redirect("/nowhere")
