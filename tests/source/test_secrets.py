"""What must not leave: values of the environment, dotfiles and keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from harness import SETTINGS, Files, Run, run_command

CANARY = "tw_live_9f86d081884c7d65&9a2feaa0c55ad015a3bf4f1b"
PROXY = '[[proxies]]\nsource = "/gh/:path*"\ndestination = "https://api.github.com/:path*"\n'
PROXY += 'headers = { Authorization = { env = "UPSTREAM" } }\n'
HEAD = f'import os\n\nfrom pybuild import JSONResponse, PlainTextResponse\n\ndynamic = "force-static"\n\nVALUE = "{CANARY}"\n\n'
LEAKS: dict[str, tuple[Files, str]] = {
    "page": ({"app/page.html": "<p>{{ v }}</p>", "app/page.py": HEAD + 'def load(ctx):\n    return {"v": VALUE}\n'}, "app/page.py"),
    "handler": ({"app/a.txt/route.py": HEAD + "def GET():\n    return PlainTextResponse(VALUE)\n"}, "app/a.txt/route.py"),
    "json": ({"app/a.json/route.py": HEAD + 'def GET():\n    return JSONResponse({"v": VALUE})\n'}, "app/a.json/route.py"),
    "header": (
        {"app/a.txt/route.py": HEAD + 'def GET():\n    return PlainTextResponse("", headers={"X-Key": VALUE})\n'},
        "app/a.txt/route.py",
    ),
    "document": ({"app/page.md": f"# Home\n\n`{CANARY}`\n"}, "app/page.md"),
    "public": ({"public/a.js": f"const key = '{CANARY}'\n"}, "public/a.js"),
    "large": ({"public/a.bin": b"x" * 1_048_570 + CANARY.encode() + b"y" * 3_000_000}, "public/a.bin"),
    "asset": ({"app/page.md": "[a](a.txt)\n", "app/a.txt": CANARY}, "app/a.txt"),
    "param": (
        {
            "app/[id]/route.py": HEAD + 'def generate_static_params():\n    return [{"id": VALUE}]\n\n\n'
            'def GET():\n    return PlainTextResponse("x")\n'
        },
        "app/[id]/route.py",
    ),
    "page of a param": (
        {
            "app/[id]/page.html": "x",
            "app/[id]/page.py": HEAD + 'def generate_static_params():\n    return [{"id": VALUE}]\n',
        },
        "app/[id]/page.py",
    ),
    "name": ({f"public/{CANARY}.txt": "x"}, "public/$VARIABLE.txt"),
    "robots": ({"app/page.md": "# A\n", "pybuild.toml": SETTINGS + f'[llms]\ndetails = "{CANARY}"\n'}, ""),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKS)
@pytest.mark.parametrize("variable", ["UPSTREAM", "AWS_SECRET_ACCESS_KEY"])
def test_a_secret_is_not_published_nor_printed(
    name: str, variable: str, site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    files, place = LEAKS[name]
    root = site(files)
    with (root / "pybuild.toml").open("a", encoding="utf-8") as settings:
        settings.write(PROXY if variable == "UPSTREAM" else "")
    run = export(root, env={variable: CANARY})
    found = [d for d in run.summary["diagnostics"] if d["code"] == "secret-in-output"]
    assert (run.code, {d["file"] for d in found}) == (1, {place.replace("VARIABLE", variable)})
    assert f"the value of the environment variable {variable}" in found[0]["message"]
    assert CANARY not in run.stdout + run.stderr and not (root / "out").exists()


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_secret_in_what_goes_wrong_is_not_printed(form: str, site: Callable[[Files], Path]) -> None:
    code = HEAD + "def GET():\n    print(VALUE)\n    raise ValueError(VALUE)\n"
    root = site({"app/a.txt/route.py": code})
    run = run_command(root, "export", str(root), "--verbose", "--format", form, env={"A_TOKEN": CANARY})
    assert run.code == 1
    assert "ValueError: $A_TOKEN" in run.stdout + run.stderr
    assert CANARY not in run.stdout + run.stderr


def test_short_and_public_values_are_no_secrets(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    root = site({"app/page.html": "<p>{{ env.TOKEN }} true</p>"})
    run = export(root, env={"PYBUILD_PUBLIC_TOKEN": "shown-to-all", "NO_TOKEN": "true"})
    assert run.code == 0 and "<p>shown-to-all true</p>" in run.text("index.html")


def test_templates_see_nothing_else_of_the_environment(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    run = export(site({"app/page.html": "<p>{{ env.HOME }}</p>"}))
    assert run.findings == ["app/page.html:1: error[template-error]"]


@pytest.mark.parametrize(
    "path",
    [".env", ".git/config", "a/.htpasswd", "id_rsa", "tls/server.pem", ".env.local", ".ssh/known_hosts"],
)
def test_dotfiles_and_keys_of_public_are_refused(
    path: str, site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    root = site({"app/page.md": "# Home\n", f"public/{path}": "x"})
    run = export(root)
    assert (run.code, run.findings) == (1, [f"public/{path}: error[secret-in-output]"])
    assert export(root, "--allow-shrink").code == 1 and not (root / "out").exists()


def test_dotfiles_that_hosts_read_are_published(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    told = {
        "public/.well-known/security.txt": "Contact: x\n",
        "public/.nojekyll": "",
        "public/.DS_Store": "x",
        "public/.gitkeep": "",
    }
    run = export(site({"app/page.md": "# Home\n", **told}))
    assert run.code == 0
    assert [path for path in run.files if "/." in f"/{path}"] == [".nojekyll", ".well-known/security.txt"]


def test_proxy_secrets_are_named_never_written(
    site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    root = site({"pybuild.toml": SETTINGS + PROXY, "app/page.md": "# Home\n"})
    run = export(root, "--target", "nginx", env={"UPSTREAM": CANARY})
    assert run.code == 0
    written = [file for file in root.rglob("*") if file.is_file()]
    assert [file for file in written if CANARY.encode() in file.read_bytes()] == []
    assert [
        file for file in written if b"UPSTREAM" in file.read_bytes() and file.name != "pybuild.toml"
    ] != []


def test_state_is_closed_to_others(site: Callable[[Files], Path], export: Callable[..., Run]) -> None:
    root = site({"app/page.md": "# Home\n"})
    assert export(root, umask=0).code == 0
    assert oct((root / ".pybuild").stat().st_mode & 0o777) == "0o700"
    assert json.loads(next((root / ".pybuild").rglob("manifest.json")).read_bytes())


@pytest.mark.parametrize("name", LEAKS)
def test_what_was_published_before_it_was_a_secret_is_found(
    name: str, site: Callable[[Files], Path], export: Callable[..., Run]
) -> None:
    """Neither the cache nor an unchanged site hides it."""
    files, place = LEAKS[name]
    root = site(files)
    assert export(root).code == 0
    before = {p: p.read_bytes() for p in (root / "out").rglob("*") if p.is_file()}
    run = export(root, env={"A_TOKEN": CANARY})
    assert (run.code, {d["file"] for d in run.summary["diagnostics"] if d["severity"] == "error"}) == (
        1,
        {place.replace("VARIABLE", "A_TOKEN")},
    )
    assert {p: p.read_bytes() for p in (root / "out").rglob("*") if p.is_file()} == before
