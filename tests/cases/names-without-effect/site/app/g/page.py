experimental_ppr = True


def load(ctx):
    return {}


def getStaticProps():
    return {}


def QUERY(request):
    return None


def robots():
    return {}
