metadata = {"title": "Post"}


async def generate_static_params(params):
    for number in (1, 2):
        yield {"id": params["lang"] + str(number)}
