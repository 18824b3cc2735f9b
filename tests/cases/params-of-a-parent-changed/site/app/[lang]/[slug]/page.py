def generate_static_params(params):
    return [{"lang": "fr", "slug": "a"}, {"lang": params["lang"], "slug": "b"}]
