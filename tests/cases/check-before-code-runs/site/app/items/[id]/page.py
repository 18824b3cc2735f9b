raise SystemExit("code of the site runs")


def generate_static_params():
    return []


def load(ctx):
    return {}
