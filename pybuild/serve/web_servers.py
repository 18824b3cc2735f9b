"""The real web servers that can serve a finished export here: one table.

Owns the least configuration that puts a target's files to use on one port of this machine, and the command
that runs it. Starts nothing and knows no rule.
Sources: nginx.org, "Command-line parameters"; caddyserver.com, "Global options"; httpd.apache.org, "Core".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Setup:
    """One run of an engine."""

    program: str  # the file to execute
    home: Path  # a private folder with the target's files, where the engine may write too
    root: Path  # the exported site
    host: str
    port: int
    base: str = ""  # path of the site: "/docs", or ""
    origin: str = ""  # host and port of the plain files, for an engine in front of such a server
    is_root: bool = False  # whether the user is, who must be kept by name
    secrets: Mapping[str, str] = field(default_factory=dict)  # of the proxies, by variable


@dataclass(frozen=True, slots=True)
class Engine:
    """A web server that runs in the foreground."""

    title: str
    programs: tuple[str, ...]  # names it is installed under
    package: str  # of Debian
    files: Callable[
        [Setup], dict[str, str]
    ]  # configuration by name in `home`; reads the target's files there
    arguments: tuple[str, ...]  # with places for {home}, {host}, {port} and {origin}
    variables: Mapping[str, str] = field(default_factory=dict)  # of the environment, with the same places
    has_files: bool = True  # False: it is in front of a server of plain files, which runs along with it

    def command(self, setup: Setup) -> tuple[str, ...]:
        """The program and its arguments."""
        return (setup.program, *(self._filled(one, setup) for one in self.arguments))

    def environment(self, setup: Setup) -> dict[str, str]:
        """The variables besides those of the user."""
        return {name: self._filled(text, setup) for name, text in self.variables.items()}

    @staticmethod
    def _filled(text: str, setup: Setup) -> str:
        return text.format(home=setup.home, host=setup.host, port=setup.port, origin=setup.origin)


def _nginx_files(setup: Setup) -> dict[str, str]:
    template = setup.home / "pybuild-secrets.conf.template"
    secrets = template.read_text("utf-8") if template.is_file() else ""
    for name, value in setup.secrets.items():
        secrets = secrets.replace(f"${{{name}}}", value.replace("\\", "\\\\").replace('"', '\\"'))
    user = "user root; " if setup.is_root else ""
    folders = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f'{name}_temp_path "{setup.home}/{name}";' for name in folders)
    text = f"""{user}daemon off; pid "{setup.home}/pid"; worker_processes 1; events {{ }}
http {{
  access_log off; {temporary}
  include "{setup.home}/secrets.conf"; include "{setup.home}/pybuild-http.conf";
  server {{ listen {setup.host}:{setup.port}; root "{setup.root}"; include "{setup.home}/pybuild-server.conf"; }}
}}
"""
    return {"secrets.conf": secrets, "nginx.conf": text}


def _caddy_files(setup: Setup) -> dict[str, str]:
    text = f"""{{
  admin off
  auto_https off
  storage file_system "{setup.home}"
  log {{
    level ERROR
  }}
}}
http://:{setup.port} {{
  bind {setup.host}
  root * "{setup.root}"
  import "{setup.home}/pybuild.caddy"
}}
"""
    return {"Caddyfile": text}


_APACHE_FOLDER = Path("/usr/lib/apache2/modules")
_APACHE_MODULES = (
    "mpm_event", "authz_core", "alias", "dir", "mime", "headers", "rewrite", "proxy", "proxy_http",
    "negotiation", "env", "setenvif",
)  # fmt: skip


def _apache_files(setup: Setup) -> dict[str, str]:
    own = setup.home / "pybuild-apache.conf"
    mount = f'Alias "{setup.base}" "{setup.root}"' if setup.base else f'DocumentRoot "{setup.root}"'
    lines = [
        f'ServerRoot "{setup.home}"',
        "ServerName localhost",
        *(["User www-data", "Group www-data"] if setup.is_root else []),
        f'PidFile "{setup.home}/pid"',
        f'DefaultRuntimeDir "{setup.home}"',
        f'ErrorLog "{setup.home}/error.log"',
        "TypesConfig /dev/null",
        f"Listen {setup.host}:{setup.port}",
        *(f'LoadModule {name}_module "{_APACHE_FOLDER}/mod_{name}.so"' for name in _APACHE_MODULES),
        *([f'DocumentRoot "{setup.home}"'] if setup.base else []),
        mount,
        *([f'Include "{own}"'] if own.is_file() else []),
        f'<Directory "{setup.root}">',
        "  AllowOverride All",
        "  Require all granted",
        f'  Include "{setup.home}/.htaccess"',
        "</Directory>",
        "",
    ]
    return {"apache.conf": "\n".join(lines)}


_HAPROXY = """global
  maxconn 1000
defaults
  timeout client 60s
  timeout connect 10s
  timeout server 60s
"""


def _varnish_files(setup: Setup) -> dict[str, str]:
    host, _, port = setup.origin.rpartition(":")
    origin = f'backend pybuild_origin {{ .host = "{host}"; .port = "{port}"; }}'
    return {"site.vcl": f'vcl 4.1;\n{origin}\ninclude "./pybuild.vcl";\n'}


ENGINES: Mapping[str, Engine] = {
    "nginx": Engine(
        "nginx", ("nginx",), "nginx-light", _nginx_files,
        ("-e", "{home}/error.log", "-c", "{home}/nginx.conf"),
    ),
    "caddy": Engine(
        "Caddy", ("caddy",), "caddy", _caddy_files,
        ("run", "--config", "{home}/Caddyfile"),
        {"XDG_DATA_HOME": "{home}", "XDG_CONFIG_HOME": "{home}"},
    ),
    "apache": Engine(
        "Apache httpd", ("apache2", "httpd"), "apache2", _apache_files,
        ("-f", "{home}/apache.conf", "-D", "FOREGROUND"),
    ),
    "haproxy": Engine(
        "HAProxy", ("haproxy",), "haproxy", lambda _: {"global.cfg": _HAPROXY},
        ("-db", "-f", "{home}/global.cfg", "-f", "{home}/pybuild.cfg"),
        {"PYBUILD_BIND": "{host}:{port}", "PYBUILD_ORIGIN": "{origin}", "PYBUILD_MAPS": "{home}/maps"},
        has_files=False,
    ),
    "varnish": Engine(
        "Varnish", ("varnishd",), "varnish", _varnish_files,
        (
            "-F", "-j", "none", "-T", "none", "-n", "{home}/run", "-s", "malloc,64m", "-s", "Transient=malloc,16m",
            "-a", "{host}:{port}", "-f", "{home}/site.vcl",
        ),
        has_files=False,
    ),
}  # fmt: skip
