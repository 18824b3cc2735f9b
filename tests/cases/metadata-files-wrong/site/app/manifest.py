def manifest():
    return "name"
