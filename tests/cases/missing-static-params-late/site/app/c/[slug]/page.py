exec("def generate_static_params(): return [{'slug': 'a'}]")
