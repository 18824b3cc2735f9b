def load(ctx):
    def price():
        return 1 / 0

    return {"price": price}
