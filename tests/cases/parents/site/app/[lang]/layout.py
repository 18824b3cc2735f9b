def generate_static_params():
    return [{"lang": "en"}, {"lang": "de"}]


def generate_metadata(ctx):
    return {"title": {"template": f"%s ({ctx.params['lang']})", "default": "Top"}}
