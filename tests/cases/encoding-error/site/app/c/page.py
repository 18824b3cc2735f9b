def load(ctx):
    return {"text": "ok"}
