"""`extensions.py`: what it changes, what it may not do, and when pages are made again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from developing import asked, body_of, session_of
from harness import Run

Site = Callable[..., Path]
Export = Callable[..., Run]
OUTPUTS = "inputs = []\ndef outputs(site, pages):\n    yield {}, {}\n"
AT = "extensions.py:2: error"


@pytest.mark.parametrize(
    ("code", "finding", "message"),
    [
        (
            OUTPUTS.format("'../x'", "'a'"),
            f"{AT}[unsafe-path]",
            'outputs of extensions.py yields the path "../x": it leaves its segment',
        ),
        (
            OUTPUTS.format("'index.html'", "'a'"),
            f"{AT}[output-conflict]",
            'outputs of extensions.py makes "index.html", which is there already',
        ),
        (
            OUTPUTS.format("'Sitemap.xml'", "'a'"),
            f"{AT}[output-conflict]",
            'outputs of extensions.py makes "Sitemap.xml", which is there already',
        ),
        (
            OUTPUTS.format("'a.txt'", "3"),
            f"{AT}[bad-response]",
            'outputs of extensions.py gives "a.txt" an int, not text or bytes',
        ),
        (
            "def outputs(site, pages):\n    return 3\n",
            "extensions.py:1: error[bad-response]",
            "outputs of extensions.py returned an int, not pairs of a path and its content",
        ),
        (
            "def outputs(site, pages):\n    yield 'a.txt', 'x'\n    raise ValueError('no')\n",
            "extensions.py:3: error[handler-error]",
            "outputs of extensions.py failed: ValueError: no",
        ),
        (
            "def outputs(site, pages):\n    import os\n    yield 'a.txt', os.environ['API_TOKEN']\n",
            "extensions.py: error[secret-in-output]",
            "a.txt would publish the value of the environment variable API_TOKEN",
        ),
        (
            "def markdown(md):\n    md.use(3)\n",
            "extensions.py:2: error[handler-error]",
            "markdown of extensions.py failed: TypeError: 'int' object is not callable",
        ),
        (
            "templates = 3\n",
            "extensions.py:1: error[invalid-setting]",
            "templates of extensions.py is an int, not a function",
        ),
        ("import nothing_here\n", "extensions.py:1: error[import-error]", None),
        ("inputs = ['../x']\n", "extensions.py:1: error[invalid-setting]", None),
        (
            "def template(env): ...\n",
            "extensions.py:1: warning[unknown-export]",
            "template has no meaning in extensions.py",
        ),
    ],
)
def test_what_is_wrong(code: str, finding: str, message: str | None, site: Site, export: Export) -> None:
    if code.startswith("import"):
        code += "def templates(env): ...\n"
    run = export(site({"extensions.py": code, "app/page.md": "# x\n"}), env={"API_TOKEN": "s3cret-s3cret"})
    assert finding in run.findings
    assert message is None or message in run.messages
    assert (run.code == 1) == ("error" in finding)


def test_a_rule_file_is_not_replaced(site: Site, export: Export) -> None:
    root = site({"extensions.py": OUTPUTS.format("'_headers'", "'a'"), "app/page.md": "# x\n"})
    run = export(root, "--target", "cloudflare-pages")
    assert run.findings == ["extensions.py: error[output-conflict]"]


def test_pyromark_gives_way_once(site: Site, export: Export) -> None:
    settings = '[site]\nurl = "https://example.com"\ntitle = "T"\n[markdown]\nengine = "pyromark"\n'
    code = "def markdown(md):\n    md.disable('emphasis')\n"
    files = {
        "pybuild.toml": settings,
        "extensions.py": code,
        "app/page.md": "# x\n\n*a*\n",
        "app/b/page.md": "b\n",
    }
    run = export(site(files))
    assert "<p>*a*</p>" in run.text("index.html")
    assert run.messages == ["pyromark takes no plugins, so markdown-it-py renders all Markdown of this site"]


def test_pages_are_made_again_when_it_changes(site: Site, export: Export) -> None:
    code = "inputs = ['words.txt']\nfrom lib import word\ndef templates(env):\n    env.globals['word'] = word()\n"
    word = "from pathlib import Path\ndef word(): return Path('words.txt').read_text()\n"
    files = {
        "extensions.py": code,
        "lib.py": word,
        "words.txt": "one",
        "app/page.html": "<h1>{{ word }}</h1>",
    }
    root = site(files)
    assert "<h1>one</h1>" in export(root).text("index.html")
    assert export(root).summary["cached"] == 1
    (root / "words.txt").write_text("two", "utf-8")
    assert "<h1>two</h1>" in export(root).text("index.html")
    (root / "lib.py").write_text(word.replace("read_text()", "read_text() + '!'"), "utf-8")
    assert "<h1>two!</h1>" in export(root).text("index.html")
    (root / "extensions.py").write_text(code.replace("inputs = ['words.txt']\n", ""), "utf-8")
    assert [export(root).summary["cached"] for _ in range(2)] == [0, 0]  # nobody knows what it reads


def test_dev_serves_what_it_makes(site: Site, tmp_path: Path) -> None:
    root = site({"extensions.py": OUTPUTS.format("'own/data.bin'", "b'12'"), "app/page.md": "# x\n"})
    with session_of(root, tmp_path / "dev") as session:
        assert body_of(asked(session, "/own/data.bin")) == b"12"


@pytest.mark.parametrize(
    ("work", "finding", "message"),
    [
        ("while True: pass", "handler-timeout", "outputs of extensions.py was stopped after 1 s"),
        ("os._exit(3)", "handler-error", "outputs of extensions.py ended its process with exit status 3"),
    ],
)
def test_it_may_not_stop_the_export(
    work: str, finding: str, message: str, site: Site, export: Export
) -> None:
    settings = '[site]\nurl = "https://example.com"\ntitle = "T"\n[build]\ntimeout = 1\n'
    code = f"import os\ninputs = []\ndef outputs(site, pages):\n    {work}\n"
    run = export(site({"pybuild.toml": settings, "extensions.py": code, "app/page.md": "# x\n"}))
    assert run.code == 1 and [f"error[{finding}]" in one for one in run.findings] == [True]
    assert message in run.messages[0]
