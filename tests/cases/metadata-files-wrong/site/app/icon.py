def icon():
    return "text"
