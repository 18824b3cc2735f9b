def generate_static_params():
    return [{"rest": ["a"]}, {"rest": ["c", "d"]}]
