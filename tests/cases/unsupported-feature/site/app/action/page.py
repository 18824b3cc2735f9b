"use server"


def load(ctx):
    return {}
