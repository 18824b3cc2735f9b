def generate_static_params():
    return [{"id": "1"}]
