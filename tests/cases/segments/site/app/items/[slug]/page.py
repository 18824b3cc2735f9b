def generate_static_params():
    return [{"slug": slug} for slug in ("a", "café", "two words", "50%", "$$", "{x}", "日本", "a.b")]


def load(ctx):
    return {"said": f"{ctx.params} {ctx.path} {ctx.url}"}
