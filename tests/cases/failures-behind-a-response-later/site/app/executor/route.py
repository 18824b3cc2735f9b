import asyncio

from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET():
    asyncio.get_running_loop().run_in_executor(None, lambda: 1 / 0)
    return PlainTextResponse('x')
