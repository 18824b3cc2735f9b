from pybuild import collection


async def redirects():
    posts = [
        {"source": f"/posts/{post.slug}", "destination": f"/blog/{post.slug}", "permanent": True}
        for post in collection("blog")
    ]
    return [*posts, {"source": "/old/:slug*", "destination": "/blog/a", "statusCode": 301}]
