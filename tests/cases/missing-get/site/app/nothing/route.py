dynamic = "force-static"
