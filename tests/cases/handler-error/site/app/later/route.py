import asyncio

from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET():
    await asyncio.sleep(0)
    raise ValueError("first line\nsecond line")
