"""What `dev` answers is what an export publishes, but for one script: at every address, and after every edit."""

import random
import shutil
from pathlib import Path

import pytest
from developing import OPTIONS, addresses, differences, request, session_of
from harness import LONG, run_command
from incremental import CODE, EDITS, PLAIN, clean_copy, write_site
from previewing import published

from pybuild.build.export import export
from pybuild.build.runs import Observer
from pybuild.config.loader import load_config
from pybuild.dev.messages import Change, State
from pybuild.diagnostics import has_errors

SAMPLE = Path(__file__).parents[2] / "sample_site"
CASES = Path(__file__).parents[1] / "cases"
COUNT = 200 if LONG else 25

OF_THE_CACHE = {"damage", "cut", "forget", "touch output", "lose output"}


def exported(root: Path) -> bool:
    config, findings = load_config(root, OPTIONS)
    if has_errors(findings):
        return False
    return export(config, Observer()).ok


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    left_out = shutil.ignore_patterns("out*", ".pybuild", "__pycache__")
    return Path(shutil.copytree(SAMPLE, tmp_path / "site", ignore=left_out))


def test_every_address_of_the_sample_site(sample: Path, tmp_path: Path) -> None:
    assert exported(sample)
    publication = published(sample)
    wanted = addresses(publication)
    random.Random(5).shuffle(wanted)
    with session_of(sample, tmp_path / "dev") as session:
        assert differences(session, publication, wanted) == []


def test_after_any_edits(tmp_path: Path) -> None:
    """Where the sources export, every address is as in the export; where they do not, some address says so."""
    rng = random.Random(11)
    root = tmp_path / "site"
    write_site(root, PLAIN, CODE)
    names = [name for name in sorted(EDITS) if name not in OF_THE_CACHE]
    with session_of(root, tmp_path / "dev") as session:
        session.take(Change())
        for number in range(COUNT):
            before, name = stamps(root), rng.choice(names)
            EDITS[name](root)
            session.take(Change(changed(before, stamps(root))))
            copy = clean_copy(root, tmp_path / f"copy{number}")
            if exported(copy):
                publication = published(copy)
                wanted = addresses(publication)
                found = differences(session, publication, rng.sample(wanted, min(len(wanted), 12)))
                assert found == [], (number, name)
            shutil.rmtree(copy)


def edit_anywhere(root: Path, rng: random.Random) -> None:
    """Lengthen, break, remove or double one of the author's texts."""
    files = (file for suffix in ("md", "html", "css", "py") for file in root.rglob(f"*.{suffix}"))
    outputs = {"out", "out-deploy", ".pybuild"}
    file = rng.choice(sorted(file for file in files if file.relative_to(root).parts[0] not in outputs))
    edit = rng.choice(["longer", "longer", "broken", "removed", "doubled"])
    if edit == "removed":
        file.unlink()
    elif edit == "doubled":
        shutil.copy(file, file.with_name(f"second-{file.name}"))
    else:
        more = {
            ".md": "\n\n## More\n\nText.\n",
            ".html": "<!-- more -->\n",
            ".css": "\np { margin: 0 }\n",
            ".py": "\n# more\n",
        }
        text = file.read_text("utf-8")
        file.write_text(text + more[file.suffix] if edit == "longer" else "---\n{{ % }}" + text, "utf-8")


@pytest.mark.parametrize("name", ["sample", "docs", "blog", "api"])
def test_after_edits_of_a_site(sample: Path, tmp_path: Path, name: str) -> None:
    rng = random.Random(name)
    root = sample if name == "sample" else tmp_path / name
    if name != "sample":
        assert run_command(tmp_path, "new", str(root), "--template", name).code == 0
    with session_of(root, tmp_path / "dev") as session:
        session.take(Change())
        for number in range(COUNT // 8):
            before, kept = stamps(root), clean_copy(root, tmp_path / "kept")
            edit_anywhere(root, rng)
            session.take(Change(changed(before, stamps(root))))
            copy = clean_copy(root, tmp_path / "copy")
            if exported(copy):
                publication = published(copy)
                wanted = addresses(publication)
                found = differences(session, publication, rng.sample(wanted, min(len(wanted), 12)))
                assert found == [], (number, found)
            else:  # the next edit begins with what was before
                shutil.rmtree(root)
                shutil.copytree(kept, root)
                session.take(Change())
            shutil.rmtree(copy)
            shutil.rmtree(kept)


def stamps(root: Path) -> dict[str, tuple[int, int, int]]:
    files = (file for file in root.rglob("*") if file.is_file())
    seen = ((file.relative_to(root).as_posix(), file.stat()) for file in files)
    return {name: (s.st_mtime_ns, s.st_size, s.st_ctime_ns) for name, s in seen}


def changed(
    before: dict[str, tuple[int, int, int]], after: dict[str, tuple[int, int, int]]
) -> frozenset[str]:
    """What a watcher would have seen."""
    names = before.keys() | after.keys()
    return frozenset(name for name in names if before.get(name) != after.get(name)) or frozenset({"nothing"})


def test_the_policy_of_each_page(tmp_path: Path) -> None:
    root = tmp_path / "site"
    inline = {
        "pybuild.toml": PLAIN["pybuild.toml"] + '[security]\nheaders = "strict"\n',
        "app/inline/page.html": "<h1>Inline</h1><script>1</script>",
        "app/not-found.html": "<h1>Lost</h1><style>h1 {}</style>",
        "public/own.html": "<script>2</script>",
    }
    write_site(root, PLAIN, inline)
    assert exported(root)
    publication = published(root)
    with session_of(root, tmp_path / "dev") as session:
        assert differences(session, publication, addresses(publication)) == []


@pytest.mark.parametrize("template", ["docs", "blog", "api"])
def test_every_address_of_a_starter(tmp_path: Path, template: str) -> None:
    done = run_command(tmp_path, "new", str(tmp_path / "site"), "--template", template)
    assert done.code == 0, done.stderr
    root = tmp_path / "site"
    assert exported(root)
    publication = published(root)
    wanted = addresses(publication)
    random.Random(5).shuffle(wanted)
    with session_of(root, tmp_path / "dev") as session:
        assert differences(session, publication, wanted) == []


def test_pages_that_are_not_translated_are_no_finding(tmp_path: Path) -> None:
    root = Path(shutil.copytree(CASES / "languages" / "site", tmp_path / "site"))
    with session_of(root, tmp_path / "dev") as session:
        state = session.take(Change())
        assert isinstance(state, State)
        assert [finding.message for finding in state.findings] == []


def test_pages_that_lead_on(tmp_path: Path) -> None:
    root = tmp_path / "site"
    moved = 'from pybuild import redirect\ndynamic = "force-static"\ndef GET(): return redirect("/")\n'
    files = {
        "pybuild.toml": '[site]\nurl = "https://example.com"\ntitle = "Example"\n',
        "app/page.md": "---\naliases: [/old/index, /was]\n---\n# Home\n",
        "app/moved/route.py": moved,
    }
    write_site(root, files)
    assert exported(root)
    publication = published(root)
    with session_of(root, tmp_path / "dev") as session:
        wanted = [request(url) for url in ("/old/index.html", "/was.html", "/moved.html", "/none.html")]
        assert differences(session, publication, wanted) == []
