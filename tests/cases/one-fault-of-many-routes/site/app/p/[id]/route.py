from pybuild import data

dynamic = "force-static"


def generate_static_params():
    return [{"id": "1"}, {"id": "2"}]


def GET():
    return str(data("x"))
