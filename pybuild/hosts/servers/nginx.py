"""nginx: maps and one server part, without any module beyond the standard ones.

Owns two included files and the template of a third. Works from 1.22 on; before 1.23 nginx sees only the first
of several Accept lines. What a visitor sends reaches a Location only as it was sent, never decoded.
Sources: nginx.org, ngx_http_map_module, ngx_http_rewrite_module, ngx_http_core_module, ngx_http_proxy_module.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from pybuild.config.loader import Config
from pybuild.hosts.base import (
    ALL_FEATURES,
    Compiled,
    Target,
    condition_captures,
    drop_unsupported,
    expand_empty_destinations,
    query_capture,
    readme,
)
from pybuild.hosts.servers.nginx_maps import NOWHERE, Http, Lines, quoted
from pybuild.records import Artifact, Files
from pybuild.rules.evaluate import ALLOW_METHODS, ALLOW_ORIGIN, NOT_ACCEPTABLE, NOT_FOUND, REFUSED
from pybuild.rules.media_types import OCTETS, SUFFIX_TYPES
from pybuild.rules.model import Proxy, RuleSet
from pybuild.urls import encode

_CHARSET_TYPES = "text/css text/csv text/calendar text/javascript text/markdown text/plain text/vtt"


def compile_nginx(rules: RuleSet, files: Files, config: Config) -> Compiled:
    """Write `pybuild-http.conf`, `pybuild-server.conf` and, for secrets, `pybuild-secrets.conf.template`."""
    kept, findings = drop_unsupported(
        rules, lambda rule: condition_captures("nginx", rule) or query_capture("nginx", rule)
    )
    writer = _Server(expand_empty_destinations(kept))
    texts = {
        "pybuild-http.conf": writer.http(),
        "pybuild-server.conf": writer.server(has_404=NOT_FOUND in files),
        "pybuild-secrets.conf.template": writer.secrets(),
    }
    made = (Artifact(name, "[nginx]", "\n".join(lines).encode()) for name, lines in texts.items())
    return Compiled(deploy=(*(part for part in made if part.body), _readme(config, kept)), findings=findings)


def _readme(config: Config, rules: RuleSet) -> Artifact:
    deploy = f"/path/to/{config.deploy.parent.name}/{config.deploy.name}"
    lines = (
        "http {",
        f"  include {deploy}/pybuild-http.conf;",
        "  server {",
        f"    root /path/to/{config.out.name};",
        f"    include {deploy}/pybuild-server.conf;",
        "  }",
        "}",
    )
    names = " ".join(f"${{{name}}}" for name in rules.env_names)
    command = f"    envsubst '{names}' < pybuild-secrets.conf.template > /etc/nginx/pybuild-secrets.conf"
    secret = (
        "",
        "When it is deployed, write the secrets of the proxies, and include that file in http too:",
        "",
        command,
    )
    more = ("Then `nginx -t && nginx -s reload`.", *(secret if names else ()))
    return readme("nginx", lines, more, intro="In nginx.conf, with your own listen and server_name:")


class _Server(Http):
    """Prints the server part as well, with the variables of the http part."""

    def server(self, *, has_404: bool) -> list[str]:
        return [
            "# Include this in the server block, below its root. Written by pybuild; edit pybuild.toml.",
            "absolute_redirect off;",
            "charset utf-8;",
            f"charset_types {_CHARSET_TYPES};",
            "types {",
            *(f"  {quoted(media.partition(';')[0])} {suffix};" for suffix, media in SUFFIX_TYPES.items()),
            "}",
            f"default_type {OCTETS};",
            f"gzip_types {' '.join(_COMPRESSED)};",
            "gzip_vary on;",
            *self._add_headers(),
            *self._decide(),
            *self._locations(has_404=has_404),
            "",
        ]

    def _add_headers(self) -> Lines:
        yield f'set {self.v}vary "";'
        yield f"add_header Vary {self.v}vary always;"
        if self.rules.variants:
            yield f"add_header Link {self.v}link;"
        yield f"add_header Content-Type {self.v}type;"
        if self.rules.negotiation != "off":
            yield f'set {self.v}answer "";'
            yield f"add_header Content-Location {self.v}at;"
        yield f'set {self.v}allow "";'
        yield f"add_header Allow {self.v}allowed always;"
        if ALLOW_ORIGIN in map(str.lower, self.header_names()):
            yield f"add_header {ALLOW_METHODS} {self.v}listed always;"
        for index, name in enumerate(self.header_names()):
            yield f"add_header {name} {self.v}h{index} always;"
        for index, (_, name, _) in enumerate(self.added()):
            yield f"add_header {name} {self.v}a{index} always;"

    def _decide(self) -> Lines:
        """Server-level `if`, which is safe: inside a location it would switch try_files off."""
        v, root = self.v, "$document_root"
        yield f"if ({v}raw ~* {quoted(REFUSED)}) {{ return 400; }}"
        yield f'if ({v}sent = "") {{ return 404; }}'
        yield f'set {v}final "";'
        yield f'set {v}page "{NOWHERE}";'
        for ending, stem in (("/index.html", "bare"), (".html", "stem")):
            found, page = self.var(stem) + ending, self.var(stem) + ending.removesuffix(".html")
            yield f"if (-f {root}{found}) {{ set {v}final {found}; set {v}page {page}; }}"
        yield f'if (-f {root}{self.var("file")}) {{ set {v}final {v}file; set {v}page "{NOWHERE}"; }}'
        yield f'if ({v}sent ~* "%(?:2f|5c)") {{ set {v}final ""; set {v}page "{NOWHERE}"; }}'
        yield from self._options()
        for status in self.statuses():
            yield f"if ({v}go{status}) {{ return {status} {v}go{status}; }}"
        yield from self._slash()
        yield f'if ({v}final = "/{NOT_FOUND}") {{ set {v}final ""; set {v}page "{NOWHERE}"; }}'
        yield from self._dispatch()
        if self.rules.variants:
            yield f'set {v}canon "";'
            yield f"if (-f {root}{self.var('twin')}/index.html) {{ set {v}canon 2; }}"
            yield f"if (-f {root}{self.var('twin')}.html) {{ set {v}canon 1; }}"
        if self.rules.negotiation != "off":
            yield from self._choose()
        yield f"if ({v}type) {{ rewrite ^ /{v[1:]}typed last; }}"

    def _options(self) -> Lines:
        """Answer OPTIONS, and note whether a file or a redirect answers, before anything is redirected."""
        v = self.v
        yield f'set {v}reads "";'
        yield f"if ({v}final) {{ set {v}reads y; }}"
        yield f'if ({v}final = "/{NOT_FOUND}") {{ set {v}reads ""; }}'
        yield f"if ({v}go) {{ set {v}reads y; }}"
        yield f"if ({v}options = 404) {{ return 404; }}"
        yield f'if ({v}options) {{ set {v}allow {v}may; set {v}final ""; return 204; }}'

    def _slash(self) -> Lines:
        v = self.v
        if not self.rules.trailing_slash:
            yield f'set {v}slash "{self.var("proxy")}{self.var("slashless")}";'
            yield f'if ({v}slash ~ "^/") {{ return 308 {self.var("slashless")}{self.var("q")}; }}'
            return
        base = self.text(encode(self.rules.base))
        yield f'set {v}slash "{self.var("proxy")}:{self.var("final")}";'
        yield f'if ({v}sent ~ "^//|/$") {{ set {v}slash ""; }}'
        to = f"{base}{self.var('sent')}/{self.var('q')}"
        yield f'if ({v}slash = ":{self.var("bare")}/index.html") {{ return 308 "{to}"; }}'
        yield f'set {v}slash "{self.var("proxy")}:{self.var("final")}";'
        yield f'if ({v}sent ~ "^//|[^/]$") {{ set {v}slash ""; }}'
        yield f'if ({v}slash = ":{self.var("file")}") {{ return 308 {self.var("slashless")}{self.var("q")}; }}'

    def _dispatch(self) -> Lines:
        """Hand what no file answers to a proxy, and refuse methods that files do not know."""
        v = self.v
        yield f'set {v}ask "{self.var("final")}";'
        yield f'if ($request_method !~ "^(?:GET|HEAD)$") {{ set {v}ask ""; }}'
        yield f'set {v}ask "{self.var("ask")}:{self.var("proxy")}";'
        for index, _ in enumerate(self.rules.proxies):
            yield f'if ({v}ask = ":p{index}") {{ rewrite ^ /{v[1:]}proxy{index} last; }}'
        yield f'if ($request_method !~ "^(?:GET|HEAD)$") {{ set {v}allow {v}may; set {v}final ""; return 405; }}'

    def _choose(self) -> Lines:
        v = self.v
        yield f'set {v}neg "";'
        yield f"if (-f $document_root{self.var('page')}.md) {{ set {v}neg y; set {v}vary Accept; }}"
        yield f'set {v}answer "{self.var("neg")}{self.var("rep")}";'
        if self.rules.negotiation == "strict":
            yield f"if ({v}answer = ynone) {{ return 406; }}"
        yield f"if ({v}answer = ymd) {{ set {v}final {self.var('page')}.md; }}"

    def _locations(self, *, has_404: bool) -> Lines:
        v = self.v
        yield f"location / {{ try_files {v}final =404; }}"
        yield f'location = /{v[1:]}typed {{ internal; types {{ }} default_type ""; charset off; try_files {v}final =404; }}'
        if has_404:
            yield f"error_page 404 @{v[1:]}404;"
            options = "if ($request_method = OPTIONS) { return 404; }"  # which no file takes
            yield f"location @{v[1:]}404 {{ {options} try_files /{NOT_FOUND} =404; }}"
        if self.rules.negotiation == "strict":
            text = quoted(NOT_ACCEPTABLE.strip()).strip('"')
            yield f"error_page 406 @{v[1:]}406;"
            yield f'location @{v[1:]}406 {{ default_type text/plain; return 406 "{text}\\n"; }}'
        for index, rule in enumerate(self.rules.proxies):
            yield from self._proxy(index, rule)

    def _proxy(self, index: int, rule: Proxy) -> Lines:
        v, parts = self.v, urlsplit(rule.destination.origin)
        sent = {header.name.lower(): header for header in rule.headers}
        yield f"location = /{v[1:]}proxy{index} {{"
        yield "  internal;"
        refuse = f"set {v}allow {v}may; return 405;"
        yield f'  if ($request_method !~ "^(?:{"|".join(rule.methods)})$") {{ {refuse} }}'
        yield f"  proxy_pass {parts.scheme}://{v[1:]}up{index}{self.var(f'to{index}')};"
        yield f"  proxy_set_header Host {quoted(parts.netloc)};"
        for name in ("Authorization", "Cookie"):
            if name.lower() not in sent:
                yield f'  proxy_set_header {name} "";'
        for header in rule.headers:
            value = self.var("env_" + header.env) if header.env else self.text(header.value)
            yield f"  proxy_set_header {header.name} {quoted(value)};"
        if parts.scheme == "https":
            yield f"  proxy_ssl_server_name on; proxy_ssl_name {parts.hostname};"
        yield '  proxy_http_version 1.1; proxy_set_header Connection ""; proxy_hide_header Set-Cookie;'
        yield "}"


_COMPRESSED = [
    "text/css",
    "text/markdown",
    "text/plain",
    "text/javascript",
    "application/json",
    "application/xml",
    "image/svg+xml",
    "application/rss+xml",
    "application/atom+xml",
    "application/manifest+json",
]
TARGET = Target("nginx", "nginx", ALL_FEATURES, compile_nginx, {})
