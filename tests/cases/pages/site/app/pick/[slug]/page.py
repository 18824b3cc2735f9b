from pybuild import collection

notes = collection("docs")


def generate_static_params():
    return [{"slug": note.slug} for note in notes]


def load(ctx):
    return {"document": notes.get(ctx.params["slug"]), "count": len(notes)}
