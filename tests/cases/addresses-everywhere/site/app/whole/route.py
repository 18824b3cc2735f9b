from pybuild import HTMLResponse

dynamic = "force-static"


def GET():
    return HTMLResponse(
        '<!doctype html><html lang="de_AT"><p id="known"><a href="form">there</a> <a href="/base/handler-gone">gone</a>'
        '<a href="#known">a</a> <a href="#nowhere">b</a> <a href="https://my.example/base/handler-gone">c</a></html>'
    )
