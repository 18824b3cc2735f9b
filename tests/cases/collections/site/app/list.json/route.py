from pybuild import JSONResponse, collection

dynamic = "force-static"


def GET():
    docs = collection("docs")
    names = ("slug", "segments", "url", "title", "description", "tags", "draft", "excerpt")
    rows = [{name: getattr(doc, name) for name in names} for doc in docs]
    dates = [str(docs.get("a").date), str(docs.get(["a"]).updated)]
    return JSONResponse([rows, dates, docs.get("guides/intro").title, docs.get("none") is None, docs.get("a").toc[0].id])
