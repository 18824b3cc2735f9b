"""Exports on a cluster: the bytes of one machine, or nothing published."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clusters import Machines, wait_for
from harness import SAMPLE_TIME, Files, copy_sample, run_command

SLOW = """import time
from pybuild import PlainTextResponse

dynamic = "force-static"


def generate_static_params():
    return [{"n": str(n)} for n in range(120)]


def GET(request, ctx):
    time.sleep(0.05)
    return PlainTextResponse("page " + ctx.params["n"])
"""
SITE: Files = {"app/slow/[n]/route.py": SLOW, "app/page.md": "# Home\n"}
MakeSite = Callable[..., Path]


def tree(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def errors(summary: Any) -> list[tuple[str, str, int | None, str]]:
    found = summary["diagnostics"]
    return [(d["code"], d["file"], d["line"], d["message"]) for d in found if d["severity"] == "error"]


def on(machines: Machines) -> tuple[str, ...]:
    return "--engine", "dask", "--cluster", machines.address


@pytest.fixture
def under_way() -> Callable[[Path], None]:
    """Wait until some pages of `SITE` are staged, and others are not."""

    def wait(root: Path) -> None:
        stage = root / ".pybuild/outputs"
        wait_for(lambda: len([p for p in stage.rglob("slow/*") if not p.name.startswith(".")]) >= 20)

    return wait


def test_the_sample_site_has_the_bytes_of_one_machine(machines: Machines, tmp_path: Path) -> None:
    here, there = copy_sample(tmp_path / "here"), copy_sample(tmp_path / "there")
    for root, options in ((here, ()), (there, on(machines))):
        done = run_command(root, "export", str(root), "--format", "json", *options, env=SAMPLE_TIME)
        assert done.code == 0, done.stderr
    assert tree(there / "out") == tree(here / "out")
    page = next(iter(sorted((there / "content").rglob("*.md"))))
    for root, options in ((here, ()), (there, on(machines))):
        file = root / page.relative_to(there)
        file.write_text(file.read_text() + "\nOne more sentence.\n")
        done = run_command(root, "export", str(root), "--format", "json", *options, env=SAMPLE_TIME)
        assert done.code == 0 and done.summary["cached"] > 0, done.stderr
    assert tree(there / "out") == tree(here / "out")
    assert not list((there / ".pybuild").rglob("*.program"))


def test_a_page_that_fails_fails_as_on_one_machine(machines: Machines, site: MakeSite) -> None:
    handler = 'dynamic = "force-static"\nmax_duration = {}\n\n\ndef GET():\n    {}\n'
    root = site(
        {
            "app/exits/route.py": handler.format(30, "import os; print('bye'); os._exit(3)"),
            "app/hangs/route.py": handler.format(1, "while True: pass"),
            "app/fails/route.py": handler.format(30, "1 // 0"),
            "app/page.md": "# Home\n",
        }
    )
    here = run_command(root, "export", str(root), "--format", "json").summary
    there = run_command(root, "export", str(root), "--format", "json", *on(machines)).summary
    assert len(errors(here)) == 3 and there["diagnostics"] == here["diagnostics"]
    assert not (root / "out").exists()


def test_secrets_reach_site_code_and_no_disk(machines: Machines, site: MakeSite) -> None:
    code = (
        "import os, pathlib\nfrom pybuild import PlainTextResponse\n"
        'dynamic = "force-static"\n\n\ndef GET():\n'
        '    kept = [p.read_bytes() for p in pathlib.Path(".pybuild/cluster").iterdir()]\n'
        '    found = any(os.environ["API_TOKEN"].encode() in body for body in kept)\n'
        "    return PlainTextResponse(f\"{len(kept)} {found} {len(os.environ['API_TOKEN'])}\")\n"
    )
    root = site({"app/x/route.py": code})
    env = {"API_TOKEN": "a-secret-nobody-may-see"}
    done = run_command(root, "export", str(root), "--format", "json", *on(machines), env=env)
    assert done.code == 0, done.stdout
    assert (root / "out/x").read_text() == "1 False 23"
    logs = b"".join(p.read_bytes() for p in machines.folder.glob("*.log"))
    assert env["API_TOKEN"].encode() not in logs


@pytest.mark.parametrize("victim", ["worker", "hosts", "stopped worker"])
def test_a_lost_worker_costs_nothing(
    victim: str, fresh_machines: Any, site: MakeSite, begin: Any, finish: Any, under_way: Any
) -> None:
    machines, root = fresh_machines(2), site(SITE)
    process = begin(root, *on(machines))
    under_way(root)
    if victim == "hosts":
        for pid in machines.hosts():
            os.kill(pid, signal.SIGKILL)
    else:
        os.kill(machines.workers[0].pid, signal.SIGKILL if victim == "worker" else signal.SIGSTOP)
    summary = finish(process)
    assert (summary["ok"], errors(summary)) == (True, [])
    made = tree(root / "out")
    assert [made[f"slow/{n}"] for n in range(120)] == [f"page {n}".encode() for n in range(120)]
    if victim == "stopped worker":
        os.kill(machines.workers[0].pid, signal.SIGCONT)
        machines.workers[0].wait(timeout=60) if machines.workers[0].poll() is None else None
        assert tree(root / "out") == made


def test_a_lost_scheduler_is_one_finding_and_nothing_is_published(
    fresh_machines: Any, site: MakeSite, begin: Any, finish: Any, under_way: Any
) -> None:
    machines, root = fresh_machines(1), site(SITE)
    (root / "out").mkdir()
    process = begin(root, *on(machines))
    under_way(root)
    os.kill(machines.scheduler.pid, signal.SIGKILL)
    message = "the scheduler of the cluster was lost; nothing was published"
    assert errors(finish(process)) == [("engine-error", "", None, message)]
    assert tree(root / "out") == {}


def test_a_lost_driver_leaves_the_old_output_and_the_next_export_succeeds(
    machines: Machines, site: MakeSite, begin: Any, under_way: Any
) -> None:
    root = site(SITE)
    process = begin(root, *on(machines))
    under_way(root)
    process.kill()
    process.wait()
    assert not (root / "out").exists()
    done = run_command(root, "export", str(root), "--format", "json", *on(machines), env=SAMPLE_TIME)
    assert done.code == 0 and len([p for p in done.files if p.startswith("slow/")]) == 120
    assert not list((root / ".pybuild").rglob("*.program"))


def test_a_worker_with_another_pybuild_is_refused_before_the_first_page(
    fresh_machines: Any, site: MakeSite, tmp_path: Path
) -> None:
    import pybuild

    copy = tmp_path / "other"
    shutil.copytree(Path(pybuild.__file__).parent, copy / "pybuild")
    with (copy / "pybuild/urls.py").open("a") as changed:
        changed.write("\n# another version\n")
    machines, root = fresh_machines(1), site(SITE)
    machines.start_worker(env={"PYTHONPATH": str(copy)})
    options = (*on(machines), "--format", "json")
    (root / "pybuild.toml").open("a").write("[cluster]\nworkers = 2\n")
    done = run_command(root, "export", str(root), *options)
    ((code, _, _, message),) = errors(done.summary)
    assert code == "engine-error" and message.startswith(
        "1 of 2 workers would make other pages: tcp://127.0.0.1:"
    )
    assert "has another pybuild" in message
    assert not (root / "out").exists()


def test_an_encrypted_cluster_takes_only_who_has_a_certificate(
    fresh_machines: Any, site: MakeSite, tmp_path: Path
) -> None:
    pytest.importorskip("cryptography")
    from distributed import Security

    made = Security.temporary()
    for name, content in (
        ("ca", made.tls_ca_file),
        ("cert", made.tls_client_cert),
        ("key", made.tls_client_key),
    ):
        (tmp_path / f"{name}.pem").write_text(content)
    files = [
        word
        for name in ("ca-file", "cert", "key")
        for word in (f"--tls-{name}", str(tmp_path / f"{name.removesuffix('-file')}.pem"))
    ]
    machines, root = fresh_machines(1, *files, "--protocol", "tls"), site({"app/page.md": "# Home\n"})
    assert machines.address.startswith("tls://")
    refused = run_command(root, "export", str(root), "--format", "json", *on(machines))
    assert [error[0] for error in errors(refused.summary)] == ["engine-error"]
    settings = "".join(f'{name} = "{tmp_path / name}.pem"\n' for name in ("ca", "cert", "key"))
    (root / "pybuild.toml").open("a").write(f"[cluster]\n{settings}")
    done = run_command(root, "export", str(root), "--format", "json", *on(machines))
    assert (done.code, errors(done.summary)) == (0, [])


@pytest.mark.parametrize(
    "address", ["tcp://192.0.2.1:8786", "192.0.2.1:8786", "ucx://192.0.2.1:1", "tcp://example.com:1"]
)
def test_a_cluster_beyond_this_machine_must_be_encrypted(address: str, site: MakeSite) -> None:
    root = site({"app/page.md": "# Home\n"})
    done = run_command(
        root,
        "export",
        str(root),
        "--format",
        "json",
        "--engine",
        "dask",
        env={"DASK_SCHEDULER_ADDRESS": address},
    )
    said = f"the cluster {address} is beyond this machine and not encrypted: who reaches it runs code"
    assert errors(done.summary) == [("engine-error", "", None, said)]
