from http.server import *

from pybuild import PlainTextResponse

dynamic = "force-static"

exec("def GET(): return PlainTextResponse('ok')\nOPTIONS = GET")
