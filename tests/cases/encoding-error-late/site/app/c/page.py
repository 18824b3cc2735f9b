def load(ctx):
    return {"text": "a\ud800"}
