destination = "https://api.github.com/:path*"
methods = ["GET"]
headers = {"Authorization": {"env": "GITHUB_TOKEN"}}
