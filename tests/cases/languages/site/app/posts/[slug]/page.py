from pybuild import collection


def generate_static_params():
    return [{"slug": document.slug} for document in collection("blog")]


def load(ctx):
    return {
        "here": len(collection("blog")),
        "german": [document.title for document in collection("blog", language="de")],
        "all": [(document.title, document.language) for document in collection("blog", language="*")],
        "language": ctx.site.language,
    }
