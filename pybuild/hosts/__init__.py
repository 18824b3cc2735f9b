"""The hosts pybuild can write for: one table, one module a host.

Owns the order in which they are listed. Knows nothing of any of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from pybuild.hosts import azure, firebase, github_pages, gitlab_pages, static
from pybuild.hosts.base import Compiled, Target, compile_rules
from pybuild.hosts.edge import cloudflare, cloudflare_pages, cloudfront, netlify, vercel
from pybuild.hosts.servers import apache, caddy, haproxy, nginx, varnish

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        static.TARGET,
        nginx.TARGET,
        caddy.TARGET,
        apache.TARGET,
        haproxy.TARGET,
        varnish.TARGET,
        cloudflare.TARGET,
        cloudflare_pages.TARGET,
        netlify.TARGET,
        vercel.TARGET,
        cloudfront.TARGET,
        firebase.TARGET,
        azure.TARGET,
        github_pages.TARGET,
        gitlab_pages.TARGET,
    )
}

__all__ = ["TARGETS", "Compiled", "Target", "compile_rules"]
