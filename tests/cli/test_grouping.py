"""Reports that fit a screen: findings of one kind together, and the rest counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from pybuild.cli.grouping import Group, chosen, counted, grouped
from pybuild.cli.report import FORMATS, Format, Report, Summary
from pybuild.diagnostics import Diagnostic, Location, Note, warning


def _link(file: str, line: int, target: str = "/gone", written: str = "") -> Diagnostic:
    message = f'the link "{written or target}" leads nowhere'
    return Diagnostic("broken-link", message, Location(file, line), "fix", (), "warning", target)


def test_links_to_one_place_are_one_group() -> None:
    findings = [
        _link("a.md", 1),
        _link("a.md", 7, written="../gone"),
        _link("b.md", 2),
        _link("b.md", 3, "/x"),
    ]
    first, second = grouped(findings)
    assert (first.first.message, first.count) == ('"/gone" leads nowhere: 3 links in 2 files', 3)
    assert first.first.notes == (Note("and at a.md:7, b.md:2"),)
    assert first.first.location == Location("a.md", 1)
    assert second == Group(findings[3], 1)


def test_anchors_of_one_page_are_one_group() -> None:
    anchor = Diagnostic("broken-anchor", "x", Location("a.md", 1), "", (), "warning", "/about#team")
    (group,) = grouped([anchor, anchor])
    assert group.first.message == '"/about" lacks the anchor "team": 2 links in 1 file'


def test_equal_findings_are_one_group() -> None:
    findings = [warning("unknown-export", "not read", Location(f"{n}.md"), "move it") for n in range(420)]
    (group,) = grouped(findings)
    assert group.first.notes == (Note("and at 1.md, 2.md, 3.md and 416 more places"),)
    assert grouped(findings[:3]) == [Group(finding, 1) for finding in findings[:3]]
    assert len(grouped([findings[0], warning("unknown-export", "other", Location("0.md"), "move it")])) == 2


def test_twenty_warnings_are_all_shown_and_of_more_the_most_frequent_of_each_code() -> None:
    some = [_link("a.md", n, f"/{n}") for n in range(20)]
    assert chosen(grouped(some)).left_out == []
    lone = warning("unknown-export", "x", Location("z.md"))
    many = [*some, _link("b.md", 1, "/19"), _link("c.md", 1, "/20"), lone]
    shown = chosen(grouped(many))
    assert [group.first.subject for group in shown.groups] == [
        "/0",
        "/1",
        "/2",
        "/3",
        "/4",
        "/5",
        "/19",
        "",
    ]
    assert counted(shown.left_out) == "14 broken-link"


def test_errors_are_shown_before_warnings_take_their_place() -> None:
    errors = [Diagnostic("handler-error", str(n), Location("a.py", n)) for n in range(40)]
    shown = chosen(grouped([*errors, *(_link("a.md", n, f"/{n}") for n in range(5))]))
    assert (len(shown.groups), counted(shown.left_out)) == (35, "10 handler-error")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("verbosity", [0, 1])
def test_only_text_for_people_leaves_out(
    form: Format, verbosity: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    findings = tuple(_link("a.md", n, f"/{n}") for n in range(100))
    Report(form, tmp_path, verbosity=verbosity).finish(Summary(True, diagnostics=findings))
    told = capsys.readouterr()
    count = (told.out + told.err).count("leads nowhere")
    assert count == (8 if form == "text" and not verbosity else 100)
    if form == "text":
        assert ("and 92 broken-link more; --verbose shows all" in told.err) == (not verbosity)
        assert told.err.endswith("100 warnings\n")
