"""`/feed`: where the feed lived until 2025; readers that remember it are sent on."""

from pybuild import permanent_redirect

dynamic = "force-static"


def GET() -> None:
    permanent_redirect("/rss.xml")
