from pybuild import PlainTextResponse

dynamic = "force-static"


class Answer:
    def __call__(self, request):
        return PlainTextResponse(str(request.url))


GET = Answer()
