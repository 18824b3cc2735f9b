def work(n):
    return str(1 / n)
