"""Varnish: what is asked of the servers behind it, and how long their answers are kept.

Owns the rules it cannot keep, the backends of proxies, the headers that go to each server, and what the cache
does. Knows no file.
Sources: varnish-cache.org, vcl(7), "Backend definition" and "vcl_backend_fetch"; vmod_std(3), getenv.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pybuild.diagnostics import Diagnostic
from pybuild.rules.model import Proxy, Rule, SetHeaders
from pybuild.targets.base import borrowed_capture, unsupported
from pybuild.targets.varnish_syntax import KEPT, Checks, Lines, header, quoted, when

_PROTECTED = frozenset({"content-length", "transfer-encoding"})


def fault(rule: Rule) -> Diagnostic | None:
    """The finding `unsupported-rule` for what Varnish cannot do."""
    if isinstance(rule, SetHeaders):
        names = [name for name, _ in rule.headers if name.lower() in _PROTECTED]
        hint = f"delete {names[0]}; Varnish counts what it sends" if names else ""
        return unsupported("varnish", rule, f"{names[0]} is its own", hint) if names else None
    if isinstance(rule, Proxy) and rule.destination.origin.startswith("https:"):
        hint = "lead to the http:// address of a TLS tunnel such as stunnel, or choose another target"
        return unsupported("varnish", rule, "it speaks no TLS to a backend", hint)
    return borrowed_capture("varnish", rule)


class Backends(Checks):
    """Prints the backends and the subroutines that talk to them."""

    def backends(self) -> Lines:
        for number, rule in enumerate(self.rules.proxies):
            parts = urlsplit(rule.destination.origin)
            place = f'.host = "{parts.hostname}"; .port = "{parts.port or 80}";'
            yield f"backend pybuild_proxy{number} {{ {place} }}"

    def fetch(self) -> Lines:
        yield from when("!bereq.uncacheable", *self._plain())
        for number, rule in enumerate(self.rules.proxies):
            here = f'bereq.uncacheable && bereq.http.pb-proxy == "{number}"'
            yield from when(here, *self._headed(rule))
        yield from (f"unset bereq.http.pb-{name};" for name in KEPT)
        yield "return (fetch);"

    def _plain(self) -> Lines:
        """Without a Host, Varnish sends that of the backend, which no visitor chooses."""
        names = ("Accept", "Authorization", "Cookie", "Host")
        yield from (f"unset bereq.http.{name};" for name in names)

    def _headed(self, rule: Proxy) -> Lines:
        yield "unset bereq.http.Authorization;"
        yield "unset bereq.http.Cookie;"
        yield f"set bereq.http.Host = {quoted(urlsplit(rule.destination.origin).netloc)};"
        for one in rule.headers:
            value = f'std.getenv("{one.env}")' if one.env else quoted(one.value)
            yield f"set {header('bereq', one.name)} = {value};"

    def answered(self) -> Lines:
        """What files say is kept for a second, and longer to be asked for again by its ETag."""
        yield "unset beresp.http.Set-Cookie;"
        yield from when("bereq.uncacheable", "return (deliver);")
        yield "set beresp.ttl = 1s;"
        yield "set beresp.grace = 0s;"
        yield from when("beresp.status == 200", "set beresp.keep = 1d;")
        yield "return (deliver);"
