def middleware(request):
    return None
