def load(ctx):
    return {"value": "<&>"}
