def get_static_props():
    return {}
