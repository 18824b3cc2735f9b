import asyncio

from pybuild import PlainTextResponse

dynamic = "force-static"


async def GET():
    try:
        await asyncio.get_running_loop().run_in_executor(None, lambda: 1 / 0)
    except ZeroDivisionError:
        return PlainTextResponse('x')
