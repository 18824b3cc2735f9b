import asyncio

from pybuild import PlainTextResponse

dynamic = "force-static"


async def ask(name):
    raise ValueError(name)


async def GET():
    async with asyncio.TaskGroup() as group:
        group.create_task(ask("one"))
        group.create_task(ask("two"))
    return PlainTextResponse("x")
