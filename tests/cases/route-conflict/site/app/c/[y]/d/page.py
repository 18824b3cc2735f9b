def generate_static_params():
    return [{"y": "1"}]
