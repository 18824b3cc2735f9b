from .texts import TEXT
from ..shared import shout

from pybuild import PlainTextResponse

dynamic = "force-static"

GET = lambda: PlainTextResponse(shout(TEXT))
