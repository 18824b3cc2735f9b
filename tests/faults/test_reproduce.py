"""`export --verify-reproducible`: what differs is named with what made it, and nothing is published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from faultlab import leftovers, tree
from harness import SAMPLE_TIME, Files, Run, copy_sample, run_command

HANDLER = "from pybuild import PlainTextResponse\ndynamic = 'force-static'\n{}\ndef GET():\n    return PlainTextResponse({})\n"
VARYING = {
    "clock": ("import time", "str(time.time_ns())"),
    "random": ("import random", "str(random.random())"),
    "hash": ("", "str([hash(str(n)) for n in range(9)])"),
    "set": ("", "str({str(n) for n in range(50)})"),
    "process": ("import os", "str(os.getpid())"),
    "address": ("", "str(object())"),
}
Site = Callable[[Files], Path]
Export = Callable[..., Run]


@pytest.mark.parametrize("engine", ["processes", "serial"])
def test_what_varies_is_named(site: Site, export: Export, engine: str) -> None:
    files = {f"app/{name}/route.py": HANDLER.format(*code) for name, code in VARYING.items()}
    root = site({"app/page.md": "# Home\n", "app/same/route.py": HANDLER.format("", "'same'"), **files})
    done = export(root, "--verify-reproducible", "--engine", engine)
    assert done.findings == [f"app/{name}/route.py: error[not-reproducible]" for name in sorted(VARYING)]
    assert done.messages[0] == "app/address/route.py made other bytes the second time: address"
    assert (done.code, (root / "out").exists(), leftovers(root)) == (1, False, [])


def test_what_depends_on_other_pages_or_on_the_worker_is_named(site: Site, export: Export) -> None:
    """A counter that pages share counts differently with another number of workers."""
    counter = "COUNT = []\ndef load(ctx):\n    COUNT.append(1)\n    return {'n': len(COUNT)}\n"
    params = "def generate_static_params():\n    return [{'id': str(n)} for n in range(200)]\n"
    files = {
        "app/page.md": "# Home\n",
        "app/c/[id]/page.py": counter + params,
        "app/c/[id]/page.html": "{{ n }}",
    }
    done = export(site(files), "--verify-reproducible", "--jobs", "2")
    assert "app/c/[id]/page.py: error[not-reproducible]" in done.findings
    assert done.code == 1


def test_a_header_that_varies_is_named(site: Site, export: Export) -> None:
    headers = "from pybuild import Response\nimport random\ndynamic = 'force-static'\ndef GET():\n"
    files = {
        "app/page.md": "# Home\n",
        "app/h/route.py": headers + "    return Response('x', headers={'X-N': str(random.random())})\n",
    }
    done = export(site(files), "--verify-reproducible", "--target", "nginx")
    assert "app/h/route.py: error[not-reproducible]" in done.findings
    assert done.code == 1


def test_the_old_output_stays(site: Site, export: Export) -> None:
    root = site({"app/page.md": "# Old\n"})
    assert export(root).code == 0
    before = tree(root / "out")
    (root / "app/page.md").write_text("# New\n")
    (root / "app/t").mkdir()
    (root / "app/t/route.py").write_text(HANDLER.format(*VARYING["clock"]))
    assert export(root, "--verify-reproducible").code == 1
    assert (tree(root / "out"), leftovers(root)) == (before, [])


def test_a_site_without_chance_is_published(tmp_path: Path) -> None:
    root = copy_sample(tmp_path / "site")
    done = run_command(
        root, "export", str(root), "--verify-reproducible", "--target", "nginx", env=SAMPLE_TIME
    )
    assert done.code == 0, done.stderr
    assert leftovers(root) == []
    again = copy_sample(tmp_path / "again")
    assert run_command(again, "export", str(again), "--target", "nginx", env=SAMPLE_TIME).code == 0
    assert tree(root / "out") == tree(again / "out")


def test_a_second_build_that_fails_says_why(site: Site, export: Export) -> None:
    once = "from pathlib import Path\nif Path('ran').exists():\n    raise RuntimeError('twice')\nPath('ran').touch()"
    root = site({"app/page.md": "# Home\n", "app/once/route.py": HANDLER.format(once, "'x'")})
    done = export(root, "--verify-reproducible")
    assert (done.code, done.findings) == (1, ["app/once/route.py:5: error[import-error]"])
