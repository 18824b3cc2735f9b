def generate_static_params():
    return [{"e": "a"}]
