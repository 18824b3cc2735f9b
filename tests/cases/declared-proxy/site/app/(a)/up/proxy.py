destination = "https://api.example"
