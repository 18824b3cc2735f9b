from json.decoder import *

dynamic = "force-static"
