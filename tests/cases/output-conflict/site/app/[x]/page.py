def generate_static_params():
    return [{"x": "a"}]
