destination = "https://api.example.org/v1/:path*"
