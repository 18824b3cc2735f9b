def generate_static_params():
    return [{"id": "a"}, {"id": "b"}]
