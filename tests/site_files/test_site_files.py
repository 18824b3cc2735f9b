from __future__ import annotations

import subprocess
import sys

from pybuild.config.schema import Feed, Llms, Robots
from pybuild.diagnostics import Diagnostic
from pybuild.records import Artifact
from pybuild.site_files import assemble
from pybuild.site_files.variants import Variants

ALL = ["sitemap.xml", "rss.xml", "robots.txt", "llms.txt", "llms-full.txt"]


def paths(made) -> list[str]:
    return [item.path for item in made if isinstance(item, Artifact)]


def test_every_output_in_order(page, config) -> None:
    assert paths(assemble([page("/")], config(), Variants(lambda p: "# Home\n"))) == ALL


def test_what_the_site_writes_itself_is_not_made(page, config) -> None:
    settings = config(llms=Llms(split=1), feed=Feed(formats=("atom",)))
    taken = {"llms.txt", "rss.xml", "sitemap.xml"}
    made = paths(assemble([page("/")], settings, Variants(lambda p: ""), taken=taken))
    assert made == ["atom.xml", "robots.txt", "llms-full.txt"]


def test_findings_come_with_the_files(page, config) -> None:
    settings = config(url="https://a.example/b", robots=Robots(disallow=("/private",)))
    made = list(assemble([page("/")], settings, Variants(lambda p: "")))
    assert [item.code for item in made if isinstance(item, Diagnostic)] == ["config-error"]


def test_the_order_of_pages_does_not_matter(page, config, docs) -> None:
    day = "2024-01-01T00:00:00+00:00"
    pages = [page(f"/docs/{n}", date=day, collection="docs") for n in range(5)]
    settings = config(collections=docs)
    forth, back = (
        list(assemble(order, settings, Variants(lambda p: p.title))) for order in (pages, pages[::-1])
    )
    assert forth == back


def test_feed_libraries_are_not_loaded_before_a_feed_is_made() -> None:
    modules = "pybuild.site_files, pybuild.site_files.user_shapes, pybuild.metadata.head"
    code = f"import sys, {modules}; print('lxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"
