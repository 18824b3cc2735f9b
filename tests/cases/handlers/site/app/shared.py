from lib.texts import TEXT


def shout(text):
    return f"{text}, {TEXT}!"
