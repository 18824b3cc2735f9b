import os
def hit():
    return 1
