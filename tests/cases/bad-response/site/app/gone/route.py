from pybuild import not_found

dynamic = "force-static"


def find():
    not_found()


def GET():
    try:
        find()
    except Exception:
        return None
