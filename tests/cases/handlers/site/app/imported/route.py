from lib.routes import *

dynamic = "force-static"
