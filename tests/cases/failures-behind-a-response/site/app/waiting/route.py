import asyncio

from pybuild import PlainTextResponse

dynamic = "force-static"


async def fails():
    raise ValueError("while it waits")


async def GET():
    task = asyncio.create_task(fails())
    await asyncio.sleep(0.01)
    return PlainTextResponse(str(task.done()))
