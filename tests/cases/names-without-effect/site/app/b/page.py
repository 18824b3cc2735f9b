def generate_static_params():
    return [{"slug": "a"}]


viewport = {"width": 1}
