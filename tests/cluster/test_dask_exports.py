"""Exports on a cluster: the bytes of one machine, or nothing published."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from clusters import Machines, errors, on, stored, tree
from harness import LONG, SAMPLE_TIME, SETTINGS, Files, copy_sample, environment, run_command

SITE: Files = {"app/page.md": "# Home\n"}
MakeSite = Callable[..., Path]


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


DOCUMENTS = 2000 if LONG else 120
COLLECTION = '[collections.docs]\nsource = "content"\nroute = "/docs/[...slug]"\n'


def test_many_documents_have_the_bytes_of_one_machine(fresh_machines: Any, site: MakeSite) -> None:
    """Cold, cached and after edits; first with one worker, then with two."""
    page = "---\ntitle: Page {0}\n---\n\nText of {0}, [the next](page-{1}.md).\n"
    documents = {
        f"content/page-{n}.md": page.format(n, (n + 1) % DOCUMENTS) + f"\n```python\nx = {n}\n```\n"
        for n in range(DOCUMENTS)
    }
    layout = "<html><body>{{ children }}</body></html>"
    files = {"pybuild.toml": SETTINGS + COLLECTION, "app/layout.html": layout, **documents}
    roots = {name: site(files, name) for name in ("serial", "processes", "dask")}
    machines = fresh_machines(1)

    def exported(name: str, *options: str) -> Any:
        root = roots[name]
        engine = on(machines) if name == "dask" else ("--engine", name)
        done = run_command(root, "export", str(root), "--format", "json", *engine, *options, env=SAMPLE_TIME)
        assert (done.code, errors(done.summary)) == (0, [])
        return done

    for name in roots:
        summary = exported(name, "--timings").summary
        assert summary["pages"] > DOCUMENTS
    figures = summary["cluster"]  # of the last one, with which `--timings` says what bounds the run
    assert {"program bytes", "bytes up", "batches", "seconds to connect"} < set(figures)
    assert 0 < figures["busy share of the workers"] <= 1 and "retried" not in figures
    assert set(summary["timings"]) > {"discover", "cache", "render", "outputs", "links", "publish"}
    whole = tree(roots["serial"] / "out")
    assert tree(roots["processes"] / "out") == whole and tree(roots["dask"] / "out") == whole
    assert exported("dask").summary["cached"] > DOCUMENTS
    assert tree(roots["dask"] / "out") == whole
    machines.start_worker()
    (roots["dask"] / "pybuild.toml").open("a").write("[cluster]\nworkers = 2\n")
    for name, root in roots.items():
        for number in range(0, DOCUMENTS, 7):
            (root / f"content/page-{number}.md").write_text(page.format(f"{number}, edited", number))
        (root / f"content/page-{DOCUMENTS - 1}.md").unlink()
        (root / f"content/page-{DOCUMENTS - 2}.md").write_text("# Without a link\n")
        exported(name, *(["--no-cache"] if name == "serial" else []))
    edited = tree(roots["serial"] / "out")
    assert edited != whole
    assert tree(roots["processes"] / "out") == edited and tree(roots["dask"] / "out") == edited
    exported("dask", "--no-cache")
    assert tree(roots["dask"] / "out") == edited


DRIVER = """
import cloudpickle, re, sys
from types import SimpleNamespace
from pybuild.engines import Cluster, open_engine


class Nothing:
    def __reduce__(self):
        return cloudpickle.loads, (cloudpickle.dumps(SimpleNamespace(start=lambda: lambda task: None)),)


with open_engine("dask", Nothing(), jobs=1, timeout=60, cluster=Cluster(address=sys.argv[1])) as engine:
    seen = sorted(outcome.index for outcome in engine.run(range(20_001)))
assert seen == list(range(20_001))
status = open("/proc/self/status").read()  # a maximum of getrusage may be that of the process which forked this one
print(int(re.search(r"VmHWM:\\s+(\\d+)", status)[1]) // 1024)
"""


def test_twenty_thousand_tasks_are_each_accounted_for_in_little_memory(machines: Machines) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, machines.address],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 150  # MB


def test_a_page_that_fails_fails_as_on_one_machine(machines: Machines, site: MakeSite) -> None:
    handler = 'dynamic = "force-static"\nmax_duration = {}\n\n\ndef GET():\n    {}\n'
    root = site(
        {
            "pybuild.toml": f"{SETTINGS}[build]\nmemory = 600\n",
            "app/exits/route.py": handler.format(30, "import os; print('bye'); os._exit(3)"),
            "app/hangs/route.py": handler.format(1, "while True: pass"),
            "app/fails/route.py": handler.format(30, "1 // 0"),
            "app/eats/route.py": handler.format(30, "[bytearray(1 << 24) for _ in range(64)]"),
            "app/page.md": "# Home\n",
        }
    )
    here = run_command(root, "export", str(root), "--format", "json").summary
    there = run_command(root, "export", str(root), "--format", "json", *on(machines)).summary
    assert len(errors(here)) == 4 and there["diagnostics"] == here["diagnostics"]
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


def test_secrets_reach_site_code_and_no_store(machines: Machines, site: MakeSite, tmp_path: Path) -> None:
    """Neither while pages are made nor afterwards."""
    store = tmp_path / "store"
    code = (
        "import os, pathlib\nfrom pybuild import PlainTextResponse\n"
        'dynamic = "force-static"\n\n\ndef GET():\n'
        f'    kept = [p.read_bytes() for p in pathlib.Path("{store}").rglob("*") if p.is_file()]\n'
        '    found = any(os.environ["API_TOKEN"].encode() in body for body in kept)\n'
        "    return PlainTextResponse(f\"{len(kept) > 1} {found} {len(os.environ['API_TOKEN'])}\")\n"
    )
    root = site({"app/x/route.py": code, "lib/notes.py": "TOKEN = 'a-secret-nobody-may-see'\n"})
    stored(root, f"file://{store}")
    env = {"API_TOKEN": "a-secret-nobody-may-see"}
    done = run_command(root, "export", str(root), "--format", "json", *on(machines), env=env)
    assert done.code == 0, done.stdout
    assert (root / "out/x").read_text() == "True False 23"
    kept = tree(store)
    assert kept and not any(b"a-secret-nobody" in _opened(body) for body in kept.values())


def _opened(body: bytes) -> bytes:
    return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body


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
    from distributed import Security

    for prefix in ("", "other-"):
        made = Security.temporary()
        parts = {"ca": made.tls_ca_file, "cert": made.tls_client_cert, "key": made.tls_client_key}
        for name, content in parts.items():
            (tmp_path / f"{prefix}{name}.pem").write_text(content)
    files = [
        word
        for name in ("ca-file", "cert", "key")
        for word in (f"--tls-{name}", str(tmp_path / f"{name.removesuffix('-file')}.pem"))
    ]
    machines, root = fresh_machines(1, *files, "--protocol", "tls"), site({"app/page.md": "# Home\n"})
    assert machines.address.startswith("tls://")
    refused = run_command(root, "export", str(root), "--format", "json", *on(machines))
    ((code, _, _, message),) = errors(refused.summary)
    assert (code, message) == ("engine-error", f"there is no certificate for {machines.address}")
    plain = (root / "pybuild.toml").read_text()

    def exported_with(ca: str, cert: str) -> Any:
        """With an authority and a certificate; those of `other-` the cluster does not know."""
        files = {"ca": f"{ca}ca", "cert": f"{cert}cert", "key": f"{cert}key"}
        settings = "".join(f'{name} = "{tmp_path / file}.pem"\n' for name, file in files.items())
        (root / "pybuild.toml").write_text(f"{plain}[cluster]\n{settings}")
        return run_command(root, "export", str(root), "--format", "json", *on(machines))

    for unknown in (("", "other-"), ("other-", "")):  # we are nobody to the scheduler; it is nobody to us
        ((code, _, _, message),) = errors(exported_with(*unknown).summary)
        assert code == "engine-error" and message.startswith(f"the scheduler at {machines.address} does not")
    done = exported_with("", "")
    assert (done.code, errors(done.summary)) == (0, [])


def test_an_open_cluster_beyond_this_machine_can_be_allowed(site: MakeSite) -> None:
    """Then it is asked, and does not answer: nobody has this address."""
    root = site({"app/page.md": "# Home\n"})
    options = ("--engine", "dask", "--cluster", "tcp://beyond.invalid:8786", "--insecure-cluster")
    done = run_command(root, "export", str(root), "--format", "json", *options)
    ((code, _, _, message),) = errors(done.summary)
    assert code == "engine-error"
    assert message.startswith("the scheduler at tcp://beyond.invalid:8786 does not answer: ")


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
