raise SystemExit("code of the site runs")
dynamic = "force-static"


def generate_static_params():
    return []


def GET():
    return None
