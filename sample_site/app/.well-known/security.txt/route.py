"""`/.well-known/security.txt` (RFC 9116). Renew `Expires` every year."""

from pybuild import Context, PlainTextResponse, Request

dynamic = "error"

LINES = """\
Contact: mailto:security@tidewater.example
Expires: 2027-10-31T23:59:59Z
Preferred-Languages: en
Canonical: {origin}/.well-known/security.txt
Policy: {origin}/about#reporting-a-weakness
"""


def GET(request: Request, ctx: Context) -> PlainTextResponse:
    return PlainTextResponse(LINES.format(origin=ctx.site.url))
