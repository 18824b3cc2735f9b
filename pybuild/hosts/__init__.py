"""The hosts pybuild can write for: one table, one module a host.

Owns the order in which they are listed. Knows nothing of any of them: a host is loaded when it is asked for, so
that an export with nothing to do loads none.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator, Mapping

from pybuild.hosts.base import Compiled, Target, compile_rules

_PLACES = {
    "static": "static",
    "nginx": "servers.nginx",
    "caddy": "servers.caddy",
    "apache": "servers.apache",
    "haproxy": "servers.haproxy",
    "varnish": "servers.varnish",
    "cloudflare": "edge.cloudflare",
    "cloudflare-pages": "edge.cloudflare_pages",
    "netlify": "edge.netlify",
    "vercel": "edge.vercel",
    "cloudfront": "edge.cloudfront",
    "firebase": "firebase",
    "azure": "azure",
    "github-pages": "github_pages",
    "gitlab-pages": "gitlab_pages",
}


class _Targets(Mapping[str, Target]):
    """Hosts by name; each is the `TARGET` of its module."""

    def __getitem__(self, name: str) -> Target:
        target: Target = pkgutil.resolve_name(f"{__name__}.{_PLACES[name]}:TARGET")
        return target

    def __iter__(self) -> Iterator[str]:
        return iter(_PLACES)

    def __len__(self) -> int:
        return len(_PLACES)

    def __contains__(self, name: object) -> bool:
        return name in _PLACES


TARGETS: Mapping[str, Target] = _Targets()

__all__ = ["TARGETS", "Compiled", "Target", "compile_rules"]
