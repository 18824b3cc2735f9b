"""Install what the tests need and run them all: linters, types, tests.

Works from a fresh clone with Python 3.11+ and its venv module. Debian packages (web servers, Java, Node) are
installed where this is root on a Debian; elsewhere the tests that need a missing one are skipped by name.
With CI set, a missing one is a failure.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
TOOLS = ROOT / ".tools"
DEBIAN = {  # the command that shows a package is there, and the package
    "apache2": ["apache2"],
    "caddy": ["caddy"],
    "haproxy": ["haproxy"],
    "faketime": ["faketime"],
    "java": ["default-jre-headless"],
    "nginx": ["nginx-light", "libnginx-mod-http-js"],
    "njs": ["njs"],
    "node": ["nodejs", "npm"],
    "varnishd": ["varnish"],
}
NPM = (
    "@cloudflare/next-on-pages@1.13.16",
    "@netlify/headers-parser@9.0.3",
    "@netlify/redirect-parser@15.0.4",
    "@vercel/routing-utils@6.6.0",
    "deno@2.4.4",
    "node@22.23.3",
    "vnu-jar@26.9.27",
    "wrangler@4.164.0",
)
SCHEMAS = {  # of rule files, in packages that are too large to install
    "@azure/static-web-apps-cli@2.0.10": "package/schema/staticwebapp.config.json",
    "firebase-tools@15.34.2": "package/schema/firebase-config.json",
}


def call(*words: str | Path, **options: object) -> None:
    print("+", *words, flush=True)
    subprocess.run([str(word) for word in words], check=True, cwd=ROOT, **options)  # type: ignore[call-overload]


def install_python() -> None:
    if not (BIN / "python").exists():
        venv.create(VENV, with_pip=True)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["dependency-groups"]
    call(
        BIN / "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "-e",
        ".",
        *groups["test"],
    )


def install_debian() -> None:
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    wanted = [
        name for command, names in DEBIAN.items() if not shutil.which(command, path=path) for name in names
    ]
    if not wanted:
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        print("not installed, since this is not root on Debian:", *wanted, flush=True)
        return
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    call("apt-get", "update", "-qq", env=quiet)
    call(
        "apt-get",
        "install",
        "-y",
        "-qq",
        "--no-install-recommends",
        *wanted,
        env=quiet,
        stdout=subprocess.DEVNULL,
    )


def install_node() -> None:
    missing = [name for name in NPM if not (TOOLS / "node_modules" / name.rpartition("@")[0]).is_dir()]
    if not missing or not shutil.which("npm"):
        return
    TOOLS.mkdir(exist_ok=True)
    call(
        "npm",
        "install",
        "--prefix",
        TOOLS,
        "--legacy-peer-deps",
        "--no-audit",
        "--no-fund",
        "--silent",
        *missing,
    )


def fetch_schemas() -> None:
    folder = TOOLS / "schemas"
    folder.mkdir(parents=True, exist_ok=True)
    for package, member in SCHEMAS.items():
        if (folder / Path(member).name).exists() or not shutil.which("npm"):
            continue
        with tempfile.TemporaryDirectory() as place:
            call("npm", "pack", package, "--silent", "--pack-destination", place, stdout=subprocess.DEVNULL)
            with tarfile.open(next(Path(place).glob("*.tgz"))) as packed:
                found = packed.extractfile(member)
                assert found, f"{package} has {member}"
                (folder / Path(member).name).write_bytes(found.read())


def main() -> int:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background starts with it ignored
    install_python()
    install_debian()
    install_node()
    fetch_schemas()
    workers = str(min(4, os.cpu_count() or 1))
    if "--long" in sys.argv:  # the fault suite in full, which takes a quarter of an hour
        os.environ["PYBUILD_LONG"] = "1"
        rest = [word for word in sys.argv[1:] if word != "--long"]
        return run(BIN / "python", "-m", "pytest", "-n", workers, "tests/faults", *rest)
    checks = (
        [BIN / "ruff", "check", "."],
        [BIN / "ruff", "format", "--check", "."],
        [BIN / "mypy"],
        [BIN / "python", "-m", "pytest", "-n", workers, *sys.argv[1:]],
    )
    codes = [run(*words) for words in checks]
    return max(codes)


def run(*words: str | Path) -> int:
    print("+", *words, flush=True)
    return subprocess.run([str(word) for word in words], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main())
