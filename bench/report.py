"""What the figures say: the tables, the bars, bench/RESULTS.md. Figures of several runs are kept in results.json.

    python bench/report.py
    python bench/report.py --bars

makes bench/RESULTS.md and bench/chart.svg of bench/results.json again, or prints the bars alone. Measures nothing.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import chart

HERE = Path(__file__).resolve().parent
KEPT = HERE / "results.json"
DEV = HERE / "DEV.md"
NATIVE = ("pybuild, pyromark",)
OWN = ("pybuild", *NATIVE)
Corpus = dict[
    str, Any
]  # "about": name → version, "figures": case → builder → builds, "memory": case → builder → build
Rows = Sequence[Sequence[str]]
HEAD = """# Benchmark results

Made by `python bench/run.py`; the commands are at the end. The builders take turns on the same pages, whole processes, medians of the
timed rounds. pybuild has every feature on (Markdown variants, link check, sitemap, feed, llms.txt, atomic publish with sync). Each
other builder has what its own documentation recommends for the same job: one layout, an index of the newest hundred pages, a feed, a
sitemap (MkDocs without feed and index); highlighting is what it does by default. The generated pages are those of `bench/corpus.py`,
the real ones documentation of five open source projects.

Before a cold build the old output is set aside, not removed: ext4 without a journal is slow to give out places that were freed in
the last minutes, the more of them the slower. Before every build the disk is synced.
Memory is seen every 50 ms in a build of its own: "all" is the highest sum of the proportional sizes of all processes (memory that several
share counts once), "first process" the highest resident size of the one that was started, "largest other" the highest proportional size of
any other, with the most files (descriptors) that one of them had open; pybuild may have 64 there. "pages" are the
HTML files that came out. A ratio is pybuild's wall time divided by the other's: below 1 pybuild is faster. Where a cold build failed,
its other cases are not tried.

![Seconds of a cold build and after one edit](chart.svg)
"""
TAIL = """## The commands

```sh
python bench/run.py --pages 1000 10000 --write
python bench/run.py --pages 50000 100000 --peers pybuild Hugo --write
python bench/run.py --corpus FOLDER_OF_MARKDOWN --write
python bench/report.py --bars
python bench/parts.py --pages 1000
```

`--peers`, `--cases` and `--rounds` make a run shorter. What is compared is of one run: the figures of a corpus replace
all that were kept of it.
"""


def keep(key: str, new: Corpus) -> None:
    """Put `new` in place of what results.json has of the same corpus, and make the page and the chart."""
    kept: dict[str, Corpus] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    kept[key] = new
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    make(kept)


def make(kept: dict[str, Corpus]) -> None:
    ordered = sorted(kept, key=lambda key: (key.split()[0] == "real", int(key.split()[1])))
    servers = DEV.read_text("utf-8").replace("\n## ", "\n### ").replace("# Dev", "## Dev", 1)
    parts = [HEAD, bars(kept), *(section(key, kept[key]) for key in ordered), servers, TAIL]
    (HERE / "RESULTS.md").write_text("\n".join(parts), "utf-8")
    (HERE / "chart.svg").write_text(draw(kept), "utf-8")


def section(key: str, corpus: Corpus) -> str:
    kind, count = key.split()
    versions = "; ".join(f"{name} {version}" for name, version in sorted(corpus["about"].items()))
    title = f"## {int(count):,} {kind} pages\n\n{versions}.\n"
    return "\n".join([title, times(corpus), "", memory(corpus), ""])


def times(corpus: Corpus) -> str:
    own = [name for name in OWN if name in corpus["figures"].get("cold", {})]
    names = ["case", "builder", "rounds", "wall s", "CPU s", *(f"{name} ÷ it" for name in own)]
    rows = [
        [case, builder, str(len(builds)), *measured(corpus, case, builder, own)]
        for case, builders in corpus["figures"].items()
        for builder, builds in builders.items()
    ]
    return table(names, rows, left=2)


def measured(corpus: Corpus, case: str, builder: str, own: Sequence[str]) -> list[str]:
    failed = failure(corpus["figures"][case][builder])
    if failed:
        return [f"failed: exit {failed}", "", *("" for _ in own)]
    wall, cpu = value(corpus, case, builder, "wall"), value(corpus, case, builder, "cpu")
    ratios = (quotient(value(corpus, case, name, "wall"), wall) for name in own)
    return [f"{wall:.2f}", f"{cpu:.2f}", *("" if one is None else f"{one:.2f}" for one in ratios)]


def memory(corpus: Corpus) -> str:
    shown = {
        "all MB": "all",
        "first process MB": "parent",
        "largest other MB": "child",
        "its files": "parent_files",
        "files of another": "child_files",
        "pages": "html",
    }
    rows = [
        [case, tried(builder, build), *(f"{build[name]:.0f}" for name in shown.values())]
        for case, builders in corpus["memory"].items()
        for builder, build in builders.items()
    ]
    return table(["case", "builder", *shown], rows, left=2)


def tried(builder: str, build: dict[str, Any]) -> str:
    return f"{builder} (failed: exit {build['exit']})" if build["exit"] else builder


def table(names: Sequence[str], rows: Rows, *, left: int) -> str:
    """A Markdown table; columns after the first `left` are aligned right."""
    rule = ["---"] * left + ["--:"] * (len(names) - left)
    return "\n".join("| " + " | ".join(row) + " |" for row in (names, rule, *rows))


def failure(builds: Sequence[dict[str, float]]) -> int:
    """The exit code of the first build that failed, else 0."""
    return next((int(build["exit"]) for build in builds if build["exit"]), 0)


def value(corpus: Corpus | None, case: str, builder: str, name: str) -> float | None:
    """The median of a figure, or MB of `all` processes, the `parent`, the largest `child`; none where it was not measured or failed."""
    if corpus is None:
        return None
    if name in ("all", "parent", "child"):
        build = corpus["memory"].get(case, {}).get(builder)
        return build[name] if build and not build["exit"] else None
    builds = corpus["figures"].get(case, {}).get(builder)
    return statistics.median(build[name] for build in builds) if builds and not failure(builds) else None


def quotient(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def bars(kept: dict[str, Corpus]) -> str:
    rows = [[bar.text, bar.of, f"{bar.limit:g}", *verdict(bar.figure, bar.limit)] for bar in promises(kept)]
    return "## The bars\n\n" + table(["what", "pages", "at most", "is", "bar"], rows, left=1) + "\n"


def verdict(ratio: float | None, limit: float) -> list[str]:
    return (
        ["", "not measured"]
        if ratio is None
        else [f"{ratio:.2f}", "met" if ratio <= limit else "**not met**"]
    )


class Bar(NamedTuple):
    """What is promised of a figure."""

    text: str
    of: str  # how many pages
    limit: float
    figure: float | None  # none where it was not measured


def promises(kept: dict[str, Corpus]) -> Iterator[Bar]:
    """Every bar."""
    one, ten, hundred = (kept.get(f"generated {count}") for count in (1000, 10_000, 100_000))
    against = {"1,000": comparison(one), "10,000": comparison(ten), "100,000": comparison(hundred)}
    for case, of, peer, limit in (
        ("cold", "10,000", "Hugo", 0.6),
        ("cold", "10,000", "Eleventy", 0.4),
        ("cold", "10,000", "Next.js", 0.3),
        ("cold", "1,000", "Hugo", 0.9),
        ("one page edited", "10,000", "Hugo", 0.08),
        ("one page edited", "100,000", "Hugo", 0.04),
        ("layout edited", "10,000", "Hugo", 0.3),
        ("nothing changed", "10,000", "Hugo", 0.05),
    ):
        yield Bar(f"{case} ÷ {peer}", of, limit, against[of](case, OWN[0], peer, "wall"))
    yield Bar(
        "memory of all processes, cold ÷ Hugo",
        "10,000",
        0.2,
        against["10,000"]("cold", OWN[0], "Hugo", "all"),
    )
    for case, limit in (("one page edited", 4), ("cold", 10.3)):
        large, small = (value(corpus, case, OWN[0], "wall") for corpus in (hundred, ten))
        yield Bar(f"{case}, 100,000 ÷ 10,000", "", limit, quotient(large, small))
    for case in ("cold", "one page edited"):
        yield Bar(f"first process, {case}, MB", "100,000", 250, value(hundred, case, OWN[0], "parent"))
        yield Bar(f"largest worker, {case}, MB", "100,000", 120, value(hundred, case, OWN[0], "child"))
    wall, cpu = (value(ten, "cold", OWN[0], name) for name in ("wall", "cpu"))
    serial = None if wall is None or cpu is None else wall - cpu / 2
    yield Bar("serial share of a cold build on two processors, s: wall − CPU ÷ 2", "10,000", 0.6, serial)


def comparison(corpus: Corpus | None) -> Callable[[str, str, str, str], float | None]:
    def ratio(case: str, variant: str, peer: str, name: str) -> float | None:
        return quotient(value(corpus, case, variant, name), value(corpus, case, peer, name))

    return ratio


def draw(kept: dict[str, Corpus]) -> str:
    """The generated corpus with the most builders, of these the largest."""
    sizes = [key for key in kept if key.startswith("generated")] or list(kept)
    key = max(sizes, key=lambda one: (len(kept[one]["figures"].get("cold", {})), int(one.split()[1])))
    panels = {}
    for case in ("cold", "one page edited"):
        builders = kept[key]["figures"].get(case, {})
        panels[case] = {name: value(kept[key], case, name, "wall") for name in builders}
    return chart.svg(f"Seconds to build {int(key.split()[1]):,} pages", panels)


if __name__ == "__main__":
    figures = json.loads(KEPT.read_text("utf-8"))
    if "--bars" in sys.argv:
        print(bars(figures))
    else:
        make(figures)
