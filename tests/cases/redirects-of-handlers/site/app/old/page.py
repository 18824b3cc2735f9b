from pybuild import redirect


def load(ctx):
    redirect("about", 303)
