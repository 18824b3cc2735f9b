from lib.methods import *

dynamic = "force-static"
