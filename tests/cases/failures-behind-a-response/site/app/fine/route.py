import asyncio
import contextlib
import threading

from pybuild import PlainTextResponse

dynamic = "force-static"


async def fails():
    raise ValueError("somebody looks")


async def GET():
    task = asyncio.create_task(fails())
    with contextlib.suppress(ValueError):
        await task
    threading.Thread(target=lambda: None).start()
    return PlainTextResponse("x")
