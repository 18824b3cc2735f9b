"use server"


def save():
    "use server"
