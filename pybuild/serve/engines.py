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
    command: Callable[[Setup], tuple[str, ...]]


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


def _nginx_command(setup: Setup) -> tuple[str, ...]:
    return (setup.program, "-e", f"{setup.home}/error.log", "-c", f"{setup.home}/nginx.conf")


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


def _caddy_command(setup: Setup) -> tuple[str, ...]:
    return (setup.program, "run", "--config", f"{setup.home}/Caddyfile")


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


def _apache_command(setup: Setup) -> tuple[str, ...]:
    return (setup.program, "-f", f"{setup.home}/apache.conf", "-D", "FOREGROUND")


ENGINES: Mapping[str, Engine] = {
    "nginx": Engine("nginx", ("nginx",), "nginx-light", _nginx_files, _nginx_command),
    "caddy": Engine("Caddy", ("caddy",), "caddy", _caddy_files, _caddy_command),
    "apache": Engine("Apache httpd", ("apache2", "httpd"), "apache2", _apache_files, _apache_command),
}
