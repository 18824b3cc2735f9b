"""Install the servers and judges that some tests ask: Debian packages as root, npm packages, schemas.

Tests of a server that is not installed are skipped by name; with CI set, that is a failure.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ROOT / ".tools"
DEBIAN = {  # the command that shows a package is there, and the package
    "apache2": ["apache2"],
    "caddy": ["caddy"],
    "chromium": ["chromium"],
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
    "azurite@3.37.0",
    "axe-core@4.14.1",
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


def main() -> None:
    install_debian()
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(install_node), pool.submit(fetch_schemas)]:
            done.result()


if __name__ == "__main__":
    main()
