TEXT = "lib"
