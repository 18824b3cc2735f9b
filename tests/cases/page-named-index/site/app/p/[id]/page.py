def generate_static_params():
    return [{"id": "index"}, {"id": "a"}]
