"""Rules as values: redirects, rewrites, headers, proxies, and the set of them that a host compiles.

Owns the nouns. Knows no settings file, no page and no host.
Source: Next.js, "redirects", "rewrites", "headers"; docs/rules.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from pybuild.diagnostics import Location
from pybuild.rules.patterns import Destination, PathPattern

RULE_TABLES = ("redirects", "rewrites", "headers", "proxies")
ConditionType = Literal["header", "cookie", "query", "host", "accept"]
Negotiation = Literal["off", "lenient", "strict"]  # strict answers 406 where nothing is acceptable
Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
ALLOWED = "GET, HEAD, OPTIONS"  # of every address that a file or a redirect answers
REDIRECT_STATUSES = (301, 302, 303, 307, 308)
NEGOTIATED = ("text/markdown", "text/html")  # keys of an accept condition


@dataclass(frozen=True, slots=True)
class Condition:
    """One entry of `has` or `missing`: a value that is there, is not empty and matches as a whole."""

    type: ConditionType
    key: str  # a header in lower case, a cookie, a query name; "" for host; a media type for accept
    value: str = ""  # portable regex over the whole value; "" matches any


@dataclass(frozen=True, slots=True)
class Redirect:
    location: Location
    source: PathPattern
    destination: Destination
    status: int
    has: tuple[Condition, ...] = ()
    missing: tuple[Condition, ...] = ()

    @property
    def env_names(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class Rewrite:
    """Answers with the file of another URL; tried before the file of the requested one."""

    location: Location
    source: PathPattern
    destination: Destination  # a path of this site
    has: tuple[Condition, ...] = ()
    missing: tuple[Condition, ...] = ()

    @property
    def env_names(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class SetHeaders:
    """Adds headers to whatever answers, errors and redirects included."""

    location: Location
    source: PathPattern
    headers: tuple[tuple[str, str], ...]
    has: tuple[Condition, ...] = ()
    missing: tuple[Condition, ...] = ()

    @property
    def env_names(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, slots=True)
class ProxyHeader:
    """A header sent to the backend: fixed text, or the value an environment variable of the host has."""

    name: str
    value: str = ""
    env: str = ""


@dataclass(frozen=True, slots=True)
class Proxy:
    """Passes a request on where no file answers."""

    location: Location
    source: PathPattern
    destination: Destination  # external
    methods: tuple[Method, ...] = ("GET", "HEAD")
    headers: tuple[ProxyHeader, ...] = ()
    has: tuple[Condition, ...] = ()
    missing: tuple[Condition, ...] = ()

    @property
    def env_names(self) -> tuple[str, ...]:
        return tuple(header.env for header in self.headers if header.env)


def allowed(methods: Iterable[Method], *, read: bool) -> str:
    """`Allow` of an address with a proxy, by the proxy's methods; `read` says that a file or a redirect answers too."""
    own: set[Method] = {"GET", "HEAD", "OPTIONS"} if read else {"OPTIONS"}
    return ", ".join(method for method in get_args(Method) if method in own | {*methods})


Rule = Redirect | Rewrite | SetHeaders | Proxy


@dataclass(frozen=True, slots=True)
class SetType:
    """Names the Content-Type of files whose suffix does not say it."""

    source: PathPattern  # over the URLs of files, "/" + path
    media_type: str  # full Content-Type


@dataclass(frozen=True, slots=True)
class RuleSet:
    """Everything a host must know beyond the files, in the order it is tried.

    Redirects; the slash at the end of an address; rewrites; negotiation and files; proxies; 404. In each
    tuple the first match wins, but for headers: all that match are added, the later one of a name winning,
    except `Vary` and `Link`, whose values add up. Sources are without the base path, and so are destinations.
    """

    site: str = ""  # absolute address, without a slash at its end
    base: str = ""  # its path: "/docs", or ""
    trailing_slash: bool = False
    variants: bool = False  # some page has a Markdown variant, whose own address names the page as canonical
    negotiation: Negotiation = "off"
    redirects: tuple[Redirect, ...] = ()
    rewrites: tuple[Rewrite, ...] = ()  # those that a file name needs stand last
    proxies: tuple[Proxy, ...] = ()
    headers: tuple[SetHeaders, ...] = ()
    types: tuple[SetType, ...] = ()

    @property
    def env_names(self) -> tuple[str, ...]:
        """The environment variables whose values the proxies send, sorted."""
        return tuple(sorted({name for rule in self.proxies for name in rule.env_names}))

    @property
    def is_empty(self) -> bool:
        """Whether plain files say it all."""
        listed = (self.redirects, self.rewrites, self.proxies, self.headers, self.types)
        return not self.variants and not any(listed)
