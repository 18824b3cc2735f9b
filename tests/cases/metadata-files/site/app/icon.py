def icon():
    return b"\x89PNG\r\n\x1a\n"
