def load(ctx):
    return {"document": {}.get("a")}
