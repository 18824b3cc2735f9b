def generateStaticParams():
    return [{"slug": "a"}]
