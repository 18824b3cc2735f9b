TEXT = "x"
