def generate_static_params():
    return [{"lang": "en"}, {"lang": "de"}]
