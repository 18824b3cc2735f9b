from pybuild import not_found


def generate_static_params():
    return [{"id": "1"}, {"id": "2"}]


def load(ctx):
    if ctx.params["id"] == "2":
        not_found()
    return {}
