import asyncio

from pybuild import PlainTextResponse

dynamic = "force-static"


async def fails():
    raise ValueError("in a task")


async def GET():
    asyncio.create_task(fails())
    return PlainTextResponse("x")
