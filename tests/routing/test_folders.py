"""Which folders are routed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from pathlib import Path

from pybuild.diagnostics import Diagnostic, Location
from pybuild.routing.conventions import Folder, read_folders
from pybuild.routing.segments import Segment

Site = Callable[[Mapping[str, str]], Path]


def test_folders_with_their_segments_and_files(site: Site) -> None:
    root = site({"app/page.md": "", "app/(g)/b/[id]/x.txt": "", "app/(g)/b/[id]/page.md": "", "lib/a.py": ""})
    group, b, name = Segment("group", "g"), Segment("static", "b"), Segment("dynamic", "id")
    inner = root / "app/(g)/b/[id]"
    assert read_folders(root) == (
        (
            Folder("app", (), {"page.md": root / "app/page.md"}),
            Folder("app/(g)", (group,)),
            Folder("app/(g)/b", (group, b)),
            Folder(
                "app/(g)/b/[id]", (group, b, name), {"page.md": inner / "page.md", "x.txt": inner / "x.txt"}
            ),
        ),
        (),
    )


def test_a_site_without_app(tmp_path: Path) -> None:
    assert read_folders(tmp_path) == ((), ())


def test_private_folders_and_locks_of_editors_are_not_looked_at(site: Site) -> None:
    root = site({"app/_lib/[bad/page.md": "", "app/__pycache__/page.md": "", "app/page.md": ""})
    (root / "app/.#page.md").symlink_to("user@host.1234")
    folders, findings = read_folders(root)
    assert ([folder.path for folder in folders], findings) == (["app"], ())


def test_a_refused_folder_is_one_finding_and_hides_what_is_below(site: Site) -> None:
    root = site(
        {"app/[a/page.md": "", "app/[a/b/[c/page.md": "", "app/@slot/page.md": "", "app/b/page.md": ""}
    )
    folders, findings = read_folders(root)
    assert [folder.path for folder in folders] == ["app", "app/b"]
    assert sorted((f.code, f.location) for f in findings) == [
        ("invalid-segment", Location("app/[a")),
        ("unsupported-feature", Location("app/@slot")),
    ]


def test_links_inside_the_site_are_followed(site: Site) -> None:
    root = site({"app/a/page.md": ""})
    (root / "app/b").symlink_to("a")
    assert [folder.path for folder in read_folders(root)[0]] == ["app", "app/a", "app/b"]


def test_links_that_leave_loop_or_dangle(site: Site) -> None:
    root = site({"app/page.md": ""})
    (root / "app/etc").symlink_to("/etc")
    (root / "app/up").symlink_to("../app")
    (root / "app/gone").symlink_to("nowhere")
    folders, findings = read_folders(root)
    assert [folder.path for folder in folders] == ["app"]
    assert [(f.code, f.location.file) for f in findings] == [
        ("unsafe-path", "app/etc"),
        ("unsafe-path", "app/gone"),
        ("unsafe-path", "app/up"),
    ]


def test_app_itself_may_not_leave_the_site(tmp_path: Path) -> None:
    (tmp_path / "app").symlink_to("/usr")
    hint = "move the folder here"
    finding = Diagnostic("unsafe-path", "app is a link that leaves the site", Location("app"), hint)
    assert read_folders(tmp_path) == ((), (finding,))


def test_names_are_nfc_whatever_the_disk_says(site: Site) -> None:
    root = site({f"app/{unicodedata.normalize('NFD', 'é')}/page.md": ""})
    assert read_folders(root)[0][1].segments == (Segment("static", "é"),)
