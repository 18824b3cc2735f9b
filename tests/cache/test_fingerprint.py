"""What is looked at to see whether a site changed."""

from __future__ import annotations

from pathlib import Path

from pybuild.cache.fingerprint import paths_of
from pybuild.config.loader import load_config


def test_links_are_followed_to_code_and_never_around_the_site_or_into_the_system(tmp_path: Path) -> None:
    root, shared = tmp_path / "site", tmp_path / "shared"
    for folder in (root / "lib", shared):
        folder.mkdir(parents=True)
        (folder / "a.py").touch()
    (root / "pybuild.toml").touch()
    links = {"shared": "../shared", "again": "lib", "up": "..", "all": "/", "self": ".", "processes": "/proc"}
    for name, target in links.items():
        (root / name).symlink_to(target)
    config, _ = load_config(root)
    assert sorted(paths_of(config)) == ["again/a.py", "lib/a.py", "pybuild.toml", "shared/a.py"]
