def generate_static_params():
    return [{"n": "a"}]
