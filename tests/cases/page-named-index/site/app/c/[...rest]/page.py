def generate_static_params():
    return [{"rest": ["index", "a"]}, {"rest": ["a", "Index"]}]
