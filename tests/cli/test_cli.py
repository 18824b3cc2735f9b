"""The command line as people, scripts and CI meet it: help, exit codes, streams, formats, signals.

Sources: clig.dev; no-color.org; docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import contextlib
import json
import os
import pstats
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import Files, Run, environment, run_command

from pybuild import __version__

COMMANDS = ("export", "check", "routes", "clean")
PAGE = {"app/page.md": "# Home\n"}
BROKEN = {"app/page.md": "# Home\n\n[x](/nowhere)\n"}
BAD = {"app/api/route.py": 'dynamic = "force-static"\n\ndef POST():\n    pass\n'}
PRINTING = """print("hello \\x1b[31mred")
    from pybuild import JSONResponse
    return JSONResponse(1)"""

MakeSite = Callable[[Files], Path]


def told(root: Path, *arguments: str, **options: object) -> Run:
    return run_command(root, *arguments, **options)  # type: ignore[arg-type]


def test_version(tmp_path: Path) -> None:
    run = told(tmp_path, "--version")
    assert (run.code, run.stdout, run.stderr) == (0, f"pybuild {__version__}\n", "")


def test_console_script_is_the_same_program() -> None:
    script = Path(sys.executable).with_name("pybuild")
    done = subprocess.run([script, "--version"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, f"pybuild {__version__}\n")


@pytest.mark.parametrize("words", [(), ("--help",), ("-h",)])
def test_help_lists_the_commands(words: tuple[str, ...], tmp_path: Path) -> None:
    run = told(tmp_path, *words)
    said = run.stdout or run.stderr
    assert run.code == (0 if words else 2)
    assert [name for name in COMMANDS if not re.search(rf"(?m)^  {name} +\S", said)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_help(command: str, tmp_path: Path) -> None:
    run = told(tmp_path, command, "--help", env={"COLUMNS": "200"})
    options = re.findall(r"(?m)^  (-\S.*)$", run.stdout)
    assert run.code == 0 and len(options) > 3
    assert [line for line in options if not re.search(r"  +[A-Z].*", line)] == []


def test_options_of_export(tmp_path: Path) -> None:
    said = told(tmp_path, "export", "--help").stdout
    promised = (
        "--out DIR", "--target NAME", "--base-url URL", "--jobs N", "--engine NAME", "--no-cache", "--allow-shrink",
        "--drafts", "--future", "--strict", "--format [text|json|github]", "--quiet", "--verbose",
    )  # fmt: skip
    flat = " ".join(said.replace("INTEGER RANGE", "N").split())
    assert [option for option in promised if option not in flat] == []


def test_help_loads_no_heavy_library(tmp_path: Path) -> None:
    assert told(tmp_path, "--help").code == 0
    heavy = "'lxml', 'pygments', 'rich', 'jinja2', 'markdown_it'"
    script = f"import sys, pybuild.cli; print([m for m in ({heavy}) if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout == "[]\n"


@pytest.mark.parametrize(
    "words, said",
    [
        (["exprot"], "No such command 'exprot'"),
        (["export", "--outt", "x"], "No such option '--outt'"),
        (["export", "nowhere"], "'nowhere' does not exist"),
        (["export", "--jobs", "0"], "0 is not in the range x>=1"),
        (["export", "--format", "xml"], "'xml' is not one of 'text', 'json', 'github'"),
        (["export", "--engine", "procesess"], 'there is no engine "procesess"; did you mean "processes"?'),
        (["export", "--target", "ngnix"], 'there is no target "ngnix"; did you mean "nginx"?'),
        (["export", "--out"], "Option '--out' requires an argument"),
    ],
)  # fmt: skip
def test_usage_errors(words: list[str], said: str, site: MakeSite) -> None:
    root = site(PAGE)
    run = told(root, *words, cwd=root)
    assert (run.code, run.stdout) == (2, "")
    assert said in " ".join(run.stderr.split())
    assert "Traceback" not in run.stderr and not (root / "out").exists()


@pytest.mark.parametrize("command", COMMANDS)
def test_no_settings_file(command: str, tmp_path: Path) -> None:
    run = told(tmp_path, command, str(tmp_path))
    assert (run.code, run.stdout) == (2, "")
    assert f"{tmp_path} has no pybuild.toml" in " ".join(run.stderr.split())


@pytest.mark.parametrize(
    "files, options, code",
    [(PAGE, (), 0), (BROKEN, (), 0), (BROKEN, ("--strict",), 1), (BAD, (), 1)],
    ids=["clean", "warning", "strict", "error"],
)  # fmt: skip
def test_exit_codes(files: Files, options: tuple[str, ...], code: int, site: MakeSite) -> None:
    root = site(files)
    assert told(root, "export", str(root), *options).code == code
    assert (root / "out").exists() == (code == 0)


@pytest.mark.parametrize("files, code", [(PAGE, 0), (BAD, 1)], ids=["clean", "error"])
def test_check_exits_likewise_and_writes_nothing(files: Files, code: int, site: MakeSite) -> None:
    root = site(files)
    before = sorted(root.rglob("*"))
    assert told(root, "check", str(root)).code == code
    assert sorted(root.rglob("*")) == before


def test_own_faults_exit_3_with_a_traceback(site: MakeSite, tmp_path: Path) -> None:
    fault = "import pybuild.source.git_dates as g\ng.read_history = None\nimport pybuild.source.site as s\ns.read_history = None\n"
    (tmp_path / "sitecustomize.py").write_text(fault, "utf-8")
    root = site(PAGE)
    run = told(root, "export", str(root), env={"PYTHONPATH": str(tmp_path)})
    assert run.code == 3
    assert "Traceback" in run.stderr and run.stderr.endswith(
        "This is a fault of pybuild. Please report it with the lines above.\n"
    )


def test_results_on_standard_output_findings_on_standard_error(site: MakeSite) -> None:
    root = site(BROKEN)
    run = told(root, "export", str(root), cwd=root)
    assert re.fullmatch(r"Exported 1 page, \d+ files to out in \d+\.\d s\n", run.stdout)
    assert "app/page.md:3: warning[broken-link]: " in run.stderr and "  fix: " in run.stderr


@pytest.mark.parametrize("form", ["text", "json", "github"])
def test_a_result_that_cannot_be_written_is_no_fault_of_ours(form: str, site: MakeSite) -> None:
    root = site(BROKEN)
    words = [sys.executable, "-m", "pybuild", "export", str(root), "--format", form]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(words, stdout=full, stderr=subprocess.PIPE, text=True, env=environment())
    assert (done.returncode, (root / "out/index.html").exists()) == (1, True)
    assert done.stderr.endswith("error: standard output cannot be written: No space left on device\n")
    assert "Traceback" not in done.stderr


def test_who_stops_listening_is_told_no_more(site: MakeSite) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    words = [sys.executable, "-m", "pybuild", "routes", str(site(PAGE))]
    done = subprocess.run(words, stdout=theirs, stderr=subprocess.PIPE, text=True, env=environment())
    os.close(theirs)
    assert (done.returncode, done.stderr) == (1, "")


def test_quiet_says_errors_only(site: MakeSite) -> None:
    root = site(BROKEN)
    run = told(root, "export", str(root), "--quiet")
    assert (run.code, run.stdout, run.stderr) == (0, "", "")
    (root / "app/page.md").write_text("---\na: [\n---\n", "utf-8")
    run = told(root, "export", str(root), "--quiet")
    assert (run.code, run.stdout) == (1, "") and "app/page.md:2" in run.stderr


def test_verbose_tells_who_printed_what(site: MakeSite) -> None:
    handler = BAD["app/api/route.py"].replace("POST", "GET").replace("pass", PRINTING)
    root = site({"app/a.json/route.py": handler})
    run = told(root, "export", str(root), "--verbose")
    assert run.code == 0 and "[/a.json] hello \\x1b[31mred\n" in run.stderr and "pages 2/2\n" in run.stderr
    assert "hello" not in told(root, "export", str(root)).stderr


def test_json_is_one_object_on_standard_output(site: MakeSite) -> None:
    root = site(
        {
            **BROKEN,
            "app/a/page.py": 'print("noise")\n\ndef load(ctx):\n    print("noise")\n    return {}\n',
            "app/a/page.html": "a",
        }
    )
    run = told(root, "export", str(root), "--format", "json")
    assert run.stderr == ""
    found = json.loads(run.stdout)
    keys = ["version", "ok", "out", "pages", "files", "cached", "seconds", "diagnostics"]
    assert list(found)[: len(keys)] == keys
    assert (found["version"], found["ok"], found["out"], found["pages"]) == (1, True, str(root / "out"), 2)
    assert found["files"] == len([p for p in (root / "out").rglob("*") if p.is_file()])
    broken = next(d for d in found["diagnostics"] if d["code"] == "broken-link")
    assert broken == {
        "code": "broken-link",
        "severity": "warning",
        "message": 'the link "/nowhere" leads nowhere',
        "file": "app/page.md",
        "line": 3,
        "column": None,
        "hint": "correct the link, or make the page",
        "notes": [],
    }


@pytest.mark.parametrize("words", [["export"], ["check"], ["routes"], ["clean"]])
def test_json_of_every_command_also_when_it_fails(words: list[str], site: MakeSite) -> None:
    for files in (PAGE, {"pybuild.toml": "[site]\nurl = 3\n"}):
        root = site(files)
        run = told(root, *words, str(root), "--format", "json")
        found = json.loads(run.stdout)
        assert (found["version"], found["ok"]) == (1, run.code == 0)


def test_github_lines_are_escaped(site: MakeSite) -> None:
    root = site({"app/a,b/page.md": "# 100 %\n\n[100%: a,b](/x%25,y:z)\n"})
    run = told(root, "export", str(root), "--format", "github", env={"GITHUB_WORKSPACE": str(root.parent)})
    lines = [line for line in run.stdout.splitlines() if line.startswith("::") and "rules-lost" not in line]
    assert lines == [
        "::warning file=site/app/a%2Cb/page.md,line=3,title=broken-link::"
        'the link "/x%2525,y:z" leads nowhere%0Afix: correct the link, or make the page'
    ]


@pytest.mark.parametrize(
    "env, coloured",
    [({}, False), ({"FORCE_COLOR": "1"}, True), ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False), ({"CI": "true"}, False)],
)  # fmt: skip
def test_colours(env: dict[str, str], coloured: bool, site: MakeSite) -> None:
    root = site(BROKEN)
    clean = {"NO_COLOR": None, "FORCE_COLOR": None, **env}
    run = told(root, "export", str(root), env=clean)
    assert ("\x1b[" in run.stderr) == coloured
    assert "\x1b" not in run.stdout


def test_a_terminal_gets_progress_and_colours_and_ci_neither(site: MakeSite) -> None:
    assert "\x1b[" in _on_terminal(site(BROKEN), {"TERM": "xterm", "NO_COLOR": None})
    assert "\x1b" not in _on_terminal(site(BROKEN), {"TERM": "xterm", "NO_COLOR": None, "CI": "true"})
    assert "\x1b" not in _on_terminal(site(BROKEN), {"TERM": "dumb", "NO_COLOR": None})


def _on_terminal(root: Path, env: dict[str, str | None]) -> str:
    """What `export` writes to a pseudo-terminal."""
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "pybuild", "export", str(root)]
    process = subprocess.Popen(words, stdout=theirs, stderr=theirs, stdin=theirs, env=environment(env))
    os.close(theirs)
    said = b""
    with contextlib.suppress(OSError):
        while read := os.read(ours, 65536):
            said += read
    os.close(ours)
    assert process.wait(60) == 0
    return said.decode()


def test_routes_lists_them(site: MakeSite) -> None:
    root = site(
        {
            **PAGE,
            "app/api/[id]/route.py": BAD["app/api/route.py"].replace("POST", "GET"),
            "app/(g)/b/page.html": "b",
        }
    )
    settings = (root / "pybuild.toml").read_text(
        "utf-8"
    ) + '[collections.docs]\nsource = "content/docs"\nroute = "/docs/[...slug]"\n'
    (root / "pybuild.toml").write_text(settings, "utf-8")
    (root / "content/docs").mkdir(parents=True)
    (root / "content/docs/a.md").write_text("# A\n", "utf-8")
    (root / "app/api/[id]/route.py").write_text(
        'dynamic = "force-static"\n\ndef generate_static_params():\n    1 / 0\n\ndef GET():\n    1 / 0\n',
        "utf-8",
    )
    run = told(root, "routes", str(root))
    assert (run.code, run.stderr) == (0, "")
    assert [line.split() for line in run.stdout.splitlines()] == [
        ["page", "/", "app/page.md"],
        ["handler", "/api/[id]", "app/api/[id]/route.py"],
        ["page", "/b", "app/(g)/b/page.html"],
        ["page", "/docs", "(made:", "folders)"],
        ["page", "/docs/[...slug]", "content/docs/"],
    ]


def test_routes_of_a_site_without_any(site: MakeSite) -> None:
    run = told(root := site({}), "routes", str(root))
    assert (run.code, run.stdout) == (1, "") and "the site has no page" in run.stderr


def test_clean_removes_what_was_published_and_nothing_else(site: MakeSite) -> None:
    root = site(PAGE)
    assert told(root, "export", str(root)).code == 0
    (root / "out/CNAME").write_text("example.com", "utf-8")
    run = told(root, "clean", str(root))
    assert run.code == 0 and re.fullmatch(r"Removed \d+ files; left 1 file of others\n", run.stdout)
    assert [p.name for p in (root / "out").iterdir()] == ["CNAME"]
    assert told(root, "clean", str(root)).stdout == "Removed 0 files; left 1 file of others\n"


STUCK = """import os, pathlib, time
dynamic = "force-static"

def generate_static_params():
    return [{"n": str(n)} for n in range(8)]

def GET(request, ctx):
    here = pathlib.Path(__file__).parents[2]
    (here / f"{os.getpid()}.pid").touch()
    while True:
        try:
            time.sleep(60)
        except BaseException:
            pass
"""


@pytest.fixture
def stuck(site: MakeSite) -> Iterator[tuple[subprocess.Popen[bytes], Path, dict[Path, bytes]]]:
    """An export whose two workers hang and refuse to be stopped, over an earlier output."""
    root = site(PAGE)
    assert told(root, "export", str(root)).code == 0
    before = {p: p.read_bytes() for p in (root / "out").rglob("*") if p.is_file()}
    (root / "app/[n]").mkdir()
    (root / "app/[n]/route.py").write_text(STUCK, "utf-8")
    words = [sys.executable, "-m", "pybuild", "export", str(root), "--jobs", "2"]
    process = subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _wait_for(lambda: len(list(root.glob("*.pid"))) == 2, 30)
    yield process, root, before
    process.kill()
    process.wait()


def _wait_for(condition: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def _workers(root: Path) -> list[int]:
    """Those of the workers that still run."""
    pids = [int(file.stem) for file in root.glob("*.pid")]
    return [
        pid
        for pid in pids
        if Path(f"/proc/{pid}/stat").exists() and b") Z " not in Path(f"/proc/{pid}/stat").read_bytes()
    ]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted(
    number: signal.Signals, stuck: tuple[subprocess.Popen[bytes], Path, dict[Path, bytes]]
) -> None:
    """130, no worker left, the old output as it was, and nothing in the way of the next export."""
    process, root, before = stuck
    process.send_signal(number)
    assert process.wait(30) == 130
    assert _workers(root) == []
    assert {p: p.read_bytes() for p in (root / "out").rglob("*") if p.is_file()} == before
    (root / "app/[n]/route.py").unlink()
    assert told(root, "export", str(root)).code == 0


IN_A_FINALIZER = """import os, signal, sys

class Last:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)

def hook(event, words):
    if event == "import" and words[0] == "pybuild.cli.step_summary":
        Last()

sys.addaudithook(hook)
"""


def test_an_interrupt_in_a_finalizer_is_not_lost(site: MakeSite, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(IN_A_FINALIZER, "utf-8")
    root = site(PAGE)
    run = told(root, "export", str(root), env={"PYTHONPATH": str(tmp_path)})
    assert run.code in {130, -signal.SIGINT}  # the latter where Python itself was about to end
    assert (run.stdout, run.stderr, (root / "out").exists()) == ("", "\n", False)


def test_killed(stuck: tuple[subprocess.Popen[bytes], Path, dict[Path, bytes]]) -> None:
    process, root, before = stuck
    process.kill()
    process.wait()
    _wait_for(lambda: not _workers(root), 5)
    assert {p: p.read_bytes() for p in (root / "out").rglob("*") if p.is_file()} == before
    (root / "app/[n]/route.py").unlink()
    run = told(root, "export", str(root))
    assert run.code == 0 and not list((root / ".pybuild/outputs").rglob("stage"))


def test_timings_name_every_phase(site: MakeSite) -> None:
    root = site({"app/page.md": "# A\n"})
    run = run_command(root, "export", str(root), "--timings")
    phases = re.findall(r"(?m)^ *[0-9.]+ s  (\w+)$", run.stderr)
    assert phases == [
        "up_to_date_result", "start", "discover", "expand", "plan", "cache", "render", "outputs", "links", "rules", "publish",
    ]  # fmt: skip
    again = run_command(root, "export", str(root), "--timings", "--format", "json")
    assert list(json.loads(again.stdout)["timings"]) in (["up_to_date_result"], phases)


def test_a_profile_sees_the_pages(site: MakeSite, tmp_path: Path) -> None:
    root = site({"app/page.md": "# A\n"})
    run = run_command(root, "export", str(root), "--profile", str(tmp_path / "a.prof"))
    assert run.code == 0 and f"profile: {tmp_path / 'a.prof'}" in run.stderr
    assert any("render_page" in name for _, _, name in pstats.Stats(str(tmp_path / "a.prof")).stats)  # type: ignore[attr-defined]


def test_a_failed_export_leaves_no_half_cache(site: MakeSite) -> None:
    root = site(BROKEN)
    assert run_command(root, "export", str(root), "--strict").code == 1
    assert [file.name for file in (root / ".pybuild/cache").iterdir() if file.name.endswith(".next")] == []
