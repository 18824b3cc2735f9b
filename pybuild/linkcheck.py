"""Internal links held against the finished site.

Owns `broken-link` and `broken-anchor`. Pure: knows what the export will publish and nothing of how.
Source: RFC 3986 §3.5 for fragments; HTML, "Scrolling to a fragment", for `#top`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from pybuild.artifact import Link
from pybuild.diagnostics import Diagnostic, Location, did_you_mean, warning
from pybuild.rules.model import Rule, SetHeaders

_NEAR = 5000  # URLs beyond which no nearest one is sought: it would take longer than the export


def check_links(
    links: Iterable[Link],
    anchors: Mapping[str, Collection[str]],
    paths: Collection[str],
    rules: Sequence[Rule],
) -> tuple[Diagnostic, ...]:
    """Find links that lead nowhere. `anchors` maps each page's URL to its ids; `paths` are all output files."""
    answering = [rule for rule in rules if not isinstance(rule, SetHeaders)]
    findings = []
    for link in dict.fromkeys(links):
        target = link.target.rstrip("/") or "/"
        if target in anchors or link.target in anchors:
            if finding := _anchor_finding(link, anchors[target if target in anchors else link.target]):
                findings.append(finding)
        elif not _answers(link.target, paths, answering):
            findings.append(_link_finding(link, anchors))
    return tuple(findings)


def _answers(url: str, paths: Collection[str], rules: Iterable[Rule]) -> bool:
    """Whether a file or a rule answers a URL that is no page."""
    path = url[1:].rstrip("/")
    named = (path, path + ".html", f"{path}/index.html".lstrip("/"), f"{path}/index.json".lstrip("/"))
    if any(name in paths for name in named):
        return True
    return any(rule.source.match(url) is not None for rule in rules)


def _anchor_finding(link: Link, ids: Collection[str]) -> Diagnostic | None:
    if not link.fragment or link.fragment in ids or link.fragment.lower() == "top":
        return None
    if link.fragment.startswith(":~:"):  # a text fragment, which is no id
        return None
    hint = did_you_mean(link.fragment, ids) or f"{link.target} has no such heading; correct the part after #"
    at = Location(link.file, link.line)
    return warning(
        "broken-anchor",
        f'the link "{link.text}" names the anchor "{link.fragment}", which {link.target} lacks',
        at,
        hint,
    )


def _link_finding(link: Link, anchors: Mapping[str, Collection[str]]) -> Diagnostic:
    near = did_you_mean(link.target, anchors) if len(anchors) <= _NEAR else ""
    hint = near or "correct the link, or make the page"
    return warning(
        "broken-link", f'the link "{link.text}" leads nowhere', Location(link.file, link.line), hint
    )
