dynamic = "force-static"

GET = None
