metadata = {"title": "From code"}


async def load():
    return {"unused": 1}
