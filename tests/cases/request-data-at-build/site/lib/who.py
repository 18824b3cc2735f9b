def who(request):
    return request.headers.get("authorization", "anyone")
