"""Trees of documents: order, what is before and after, and what a page of a large tree shows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pybuild.config.schema import NavItem
from pybuild.source.document import Entry
from pybuild.source.navigation import AROUND, FOLDED, PRUNED, Navigation, Node, natural


def _tree(slugs: Iterable[str], items: Sequence[NavItem] = ()) -> Navigation:
    """A tree of documents, with a page for each folder."""
    entries = [
        Entry(s, file=f"content/{s or 'index'}.md", collection="docs", slug=s, url=f"/docs/{s}".rstrip("/"))
        for s in slugs
    ]
    folders = {entry.url.rpartition("/")[0] for entry in entries}
    return Navigation(entries, "/docs", {*folders, *(entry.url for entry in entries)}, items)


def _titles(nodes: Iterable[Node]) -> list[str]:
    return [node.title for node in nodes]


def test_names_are_in_the_order_of_people() -> None:
    assert sorted(["10-x", "2-x", "B", "a", "1"], key=natural) == ["1", "2-x", "10-x", "a", "B"]


def test_a_document_named_like_a_folder_is_its_index() -> None:
    tree = _tree(["guides", "guides/a", "z"])
    assert [(node.title, _titles(node.children)) for node in tree.roots] == [
        ("guides", ["guides/a"]),
        ("z", []),
    ]
    assert _titles(tree.parents("/docs/guides/a")) == ["guides"]
    assert [node and node.title for node in tree.neighbours("/docs/guides/a")] == ["guides", "z"]


def test_a_large_tree_shows_its_top_and_the_branch_of_the_page() -> None:
    tree = _tree(f"f{folder}/d{number}" for folder in range(5) for number in range(PRUNED // 4))
    view = tree.view("/docs/f2/d7")
    assert [len(node.children) for node in view.nodes] == [0, 0, PRUNED // 4, 0, 0]
    assert [node.more for node in view.nodes] == [PRUNED // 4, PRUNED // 4, 0, PRUNED // 4, PRUNED // 4]
    with_index = _tree(
        ["", *(f"f{folder}/d{number}" for folder in range(5) for number in range(PRUNED // 4))]
    )
    assert sum(node.size for node in with_index.view("/docs").nodes) == with_index.size


def test_the_page_of_a_folder_that_lists_the_tree_does_not_list_it_twice() -> None:
    tree = _tree(f"f{folder}/d{number}" for folder in range(5) for number in range(PRUNED // 4))
    assert [len(node.children) for node in tree.view("/docs").nodes] == [0] * 5


def test_a_tree_of_some_size_folds_what_has_a_page_and_nothing_else() -> None:
    slugs = [f"f{folder}/d{number}" for folder in range(5) for number in range(FOLDED // 4)]
    shown = _tree(slugs).view("/docs/f2/d7").nodes
    assert [len(node.children) for node in shown] == [0, 0, FOLDED // 4, 0, 0]
    groups = [
        NavItem(label=name, items=(NavItem(slug=f"{name}/"),)) for name in ("f0", "f1", "f2", "f3", "f4")
    ]
    grouped = _tree(slugs, groups).view("/docs/f2/d7").nodes
    assert [len(node.children) for node in grouped] == [1] * 5
    assert [len(node.children[0].children) for node in grouped] == [0, 0, FOLDED // 4, 0, 0]
    assert sum(node.size for node in _tree(slugs[: FOLDED // 2]).view("/docs/f0/d1").nodes) == FOLDED // 2 + 2


def test_a_long_folder_shows_what_is_around_the_page() -> None:
    tree = _tree(f"d{number}" for number in range(1000))
    shown = tree.view("/docs/d500").nodes
    assert (len(shown), shown[AROUND].title, shown[-1].more) == (
        2 * AROUND + 2,
        "d500",
        1000 - 2 * AROUND - 1,
    )


def test_what_a_page_shows_depends_on_titles_not_on_far_branches() -> None:
    slugs = [f"f{folder}/d{number}" for folder in range(5) for number in range(PRUNED // 4)]
    assert _tree(slugs).digest("/docs/f0/d1") == _tree([*slugs[:-1], "f4/dx"]).digest("/docs/f0/d1")
    assert _tree(slugs).digest("/docs/f4/d1") != _tree([*slugs[:-1], "f4/dx"]).digest("/docs/f4/d1")
