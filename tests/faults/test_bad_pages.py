"""One bad page cannot hang, kill or hide: each is named with its line, the others are still looked at."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from faultlab import LONG, SEED, draw, gone, marked, tree
from harness import SETTINGS, Run, environment, run_command

MARK = f"PYBUILD_FAULT_{os.getpid()}"
LIMIT = "[build]\ntimeout = 2\nmemory = 512\n"
HARM = {  # what a page does at line 3 or below it, and the finding
    "sleep": ("import time\n    time.sleep(600)", "handler-timeout"),
    "loop": ("while True:\n        pass", "handler-timeout"),
    "c_loop": ("import re\n    re.match(r'(a+)+$', 'a' * 64 + 'b')", "handler-timeout"),
    "swallow": ("while True:\n        try:\n            import time; time.sleep(600)\n        except BaseException:\n            pass", "handler-timeout"),
    "os_exit": ("import os\n    os._exit(0)", "handler-error"),
    "sys_exit": ("import sys\n    sys.exit(0)", "handler-error"),
    "segfault": ("import ctypes\n    ctypes.string_at(0)", "handler-error"),
    "kill_9": ("import os\n    os.kill(os.getpid(), 9)", "handler-error"),
    "recursion": ("return bad()", "handler-error"),
    "memory": ("hog = []\n    while True:\n        hog.append(bytes(1 << 24))", "handler-error"),
    "interrupt": ("raise KeyboardInterrupt", "handler-error"),
    "raises": ("raise BaseException('no')", "handler-error"),
}  # fmt: skip
SPINNING = {"loop", "c_loop"}  # each takes a processor until its time is up
SPUN = {"handler", "import"}  # where they are tried in a short run
TIMEOUTS = {name for name, (_, kind) in HARM.items() if kind == "handler-timeout"}
INNOCENT = {
    "app/page.md": "# Home\n\n[broken](nowhere.md)\n",
    "app/good/[n]/route.py": "from pybuild import PlainTextResponse\ndynamic = 'force-static'\ndef generate_static_params():\n"
    "    return [{'n': str(n)} for n in range(30)]\ndef GET(request, ctx):\n    request.headers\n    return PlainTextResponse('ok')\n",
}
HANDLER = "from pybuild import PlainTextResponse\ndynamic = 'force-static'\ndef bad():\n    {}\ndef GET():\n    bad()\n    return PlainTextResponse('')\n"
PLACES = {  # where the harm is done: the files of the page
    "handler": {"app/{}/route.py": HANDLER},
    "load": {"app/{}/page.py": "\n\ndef bad():\n    {}\ndef load(ctx):\n    bad()\n    return {{}}\n", "app/{}/page.html": "x"},
    "generate_metadata": {"app/{}/page.py": "\n\ndef bad():\n    {}\ndef generate_metadata(ctx):\n    bad()\n    return {{}}\n", "app/{}/page.html": "x"},
    "generate_static_params": {"app/{}/[n]/page.py": "\n\ndef bad():\n    {}\ndef generate_static_params():\n    bad()\n    return []\n", "app/{}/[n]/page.html": "x"},
    "import": {"app/{}/page.py": "\n\ndef bad():\n    {}\nbad()\ndef load(ctx):\n    return {{}}\n", "app/{}/page.html": "x"},
    "template": {"app/{}/page.py": "\n\ndef bad():\n    {}\ndef load(ctx):\n    return {{'bad': bad}}\n", "app/{}/page.html": "{{{{ bad() }}}}"},
}  # fmt: skip


def write(root: Path, files: Mapping[str, str]) -> Path:
    for path, text in {"pybuild.toml": SETTINGS + LIMIT, **files}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, "utf-8")
    return root


def published(root: Path) -> dict[str, bytes]:
    run = export(write(root, {"app/page.md": "# Old\n"}))
    assert run.code == 0, run.stderr
    return tree(root / "out")


def export(root: Path, *options: str) -> Run:
    return run_command(root, "export", str(root), "--format", "json", *options, env={MARK: "1"})


@pytest.mark.parametrize("place", PLACES)
def test_each_bad_page_is_named_and_nobody_else_suffers(scratch: Path, place: str) -> None:
    old = published(scratch / "site")
    harms = {name: HARM[name] for name in HARM if LONG or place in SPUN or name not in SPINNING}
    bad = {
        path.format(name): text.format(harm)
        for name, (harm, _) in harms.items()
        for path, text in PLACES[place].items()
    }
    done = export(write(scratch / "site", {**INNOCENT, **bad}), "--jobs", "2")
    errors = [f for f in done.findings if ": error[" in f]
    named = {re.sub(r":\d+", "", f) for f in errors if re.search(r"\.(py|html):\d+: ", f)}
    suffix = next(iter(PLACES[place])).removeprefix("app/{}/")
    code = "import-error" if place == "import" else "handler-error"
    outside = {
        *TIMEOUTS,
        "os_exit",
        "kill_9",
        "segfault",
        "interrupt",
    }  # told by the engine, not by an exception
    expected = {
        f"app/{name}/{suffix}: error[{kind if name in outside else code}]"
        for name, (_, kind) in harms.items()
    }
    assert named == expected, errors
    assert len(errors) == len(expected), errors
    if place != "generate_static_params":  # its errors close the gate before any page is rendered
        assert "app/good/[n]/route.py:6: warning[request-data-at-build]" in done.findings
    assert (done.code, tree(scratch / "site/out"), marked(MARK)) == (1, old, [])


def test_a_template_without_end_is_named(scratch: Path) -> None:
    old = published(scratch / "site")
    endless = "\n{% for a in range(99999) %}{% for b in range(99999) %}{% for c in range(99999) %}{% endfor %}{% endfor %}{% endfor %}"
    deep = "{% macro m() %}\n{{ m() }}{% endmacro %}{{ m() }}"
    large = "\n{{ 'x' * 3000000000 }}"
    pages = {"app/endless/page.html": endless, "app/deep/page.html": deep, "app/large/page.html": large}
    done = export(write(scratch / "site", {**INNOCENT, **pages}))
    assert [f for f in done.findings if ": error[" in f] == [
        "app/deep/page.html:2: error[template-error]",
        "app/endless/page.html:2: error[handler-timeout]",
        "app/large/page.html:2: error[template-error]",
    ]
    assert (done.code, tree(scratch / "site/out"), marked(MARK)) == (1, old, [])


LEFT = {
    "thread": "import threading, time\n    threading.Thread(target=time.sleep, args=(600,)).start()",
    "daemon": "import threading\n    threading.Thread(target=lambda: [0 for _ in iter(int, 1)], daemon=True).start()",
    "child": "import subprocess\n    subprocess.Popen(['sleep', '600'])",
    "grandchild": "import subprocess\n    subprocess.Popen(['sh', '-c', 'sleep 600 & sleep 600'])",
    "fork": "import os, time\n    if os.fork() == 0:\n        time.sleep(600)",
    "flood": "import sys\n    for n in range(20_000):\n        print('x' * 200)\n        sys.stderr.write('y' * 200)",
}


@pytest.mark.parametrize("engine", ["processes", "serial"])
def test_what_a_page_leaves_running_ends_with_the_export(scratch: Path, engine: str) -> None:
    skipped = {"fork"} | ({"thread", "daemon", "child", "grandchild"} if engine == "serial" else set())
    pages = {
        f"app/{name}/route.py": HANDLER.format(left) for name, left in LEFT.items() if name not in skipped
    }
    root = write(scratch / "site", {"app/page.md": "# Home\n", **pages, "pybuild.toml": SETTINGS})
    done = export(root, "--engine", engine)
    assert (done.code, done.findings) == (0, [])
    assert marked(MARK) == []
    assert set(done.files) >= {path.split("/")[1] for path in pages}


def test_a_forked_child_that_comes_back_into_the_export_cannot_answer_twice(scratch: Path) -> None:
    root = write(
        scratch / "site", {"app/fork/route.py": HANDLER.format("import os\n    os.fork()"), **INNOCENT}
    )
    done = export(root)
    assert done.code in {0, 1}
    assert marked(MARK) == []
    if done.code:
        assert "app/fork/route.py" in str(done.findings)
    else:
        assert (done.out / "fork").read_bytes() == b""


@pytest.mark.parametrize("group", [False, True], ids=["the command", "its group, as a terminal does"])
def test_ctrl_c_ends_everything(scratch: Path, group: bool) -> None:
    old = published(scratch / "site")
    pages = {f"app/{n}/route.py": HANDLER.format(HARM["swallow" if n % 2 else "c_loop"][0]) for n in range(4)}
    root = write(scratch / "site", {**INNOCENT, **pages, "pybuild.toml": SETTINGS})
    numbers = draw(f"ctrl-c {group}")
    codes = []
    for number in range(20 if LONG else 5):
        delay = numbers.uniform(0.05, 1.5)
        words = [sys.executable, "-m", "pybuild", "export", str(root), "--jobs", "3"]
        command = subprocess.Popen(
            words, env={**environment(), MARK: "1"}, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            time.sleep(delay)
            while (
                number == 0 and len(marked(MARK)) < 3
            ):  # once while workers run, however slowly Python starts
                assert command.poll() is None
                time.sleep(0.02)
            number = signal.SIGTERM if number % 5 == 4 else signal.SIGINT
            (os.killpg if group else os.kill)(command.pid, number)
            code = command.wait(timeout=120)
        finally:
            command.kill()
        assert (tree(root / "out"), gone(MARK)) == (old, True), (SEED, delay)
        # All but the first while Python itself starts or ends, where Ctrl-C is a signal like SIGTERM.
        assert code in {130, -number, -signal.SIGINT, 1}, (SEED, delay)
        codes.append(code)
    assert 130 in codes
