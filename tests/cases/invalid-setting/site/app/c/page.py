metadata = ["title"]
