def generate_static_params():
    return [{}]
