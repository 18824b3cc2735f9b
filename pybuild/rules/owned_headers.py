"""Headers that are not a site's to set: they concern one connection, or a host makes them of what it sends.

Owns the two lists, for handlers, rules, the settings and proxies alike. Knows no host.
Sources: RFC 9110 §7.6.1 (Connection), §8.6 (Content-Length), §10.2.1 (Allow); RFC 9112 §6.1.
"""

from __future__ import annotations

CONNECTION = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
HOST_OWNED = CONNECTION | {
    *("accept-ranges", "allow", "content-length", "content-range", "date", "etag", "last-modified", "server"),
}
