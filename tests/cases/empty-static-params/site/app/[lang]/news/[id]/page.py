def generate_static_params(params):
    return [{"id": "1"}] if params["lang"] == "en" else []
