"""What the figures say: the tables, the bars, bench/RESULTS.md. Figures of several runs are kept in results.json.

    python bench/report.py

makes bench/RESULTS.md and bench/chart.svg of bench/results.json again. Measures nothing.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import chart

HERE = Path(__file__).resolve().parent
KEPT = HERE / "results.json"
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
python bench/run.py --pages 100000 --write
python bench/run.py --corpus FOLDER_OF_MARKDOWN --write
python bench/report.py
```

`--peers`, `--cases` and `--rounds` make a run shorter; figures of builders that are not in it stay as they were, so
what is to be compared belongs into one run.
"""


def keep(key: str, new: Corpus) -> None:
    """Put `new` over what results.json has of the same corpus, and make the page and the chart."""
    kept: dict[str, Corpus] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    old = kept.setdefault(key, {"about": {}, "figures": {}, "memory": {}})
    old["about"].update(new["about"])
    for part in ("figures", "memory"):
        for case, builders in new[part].items():
            old[part].setdefault(case, {}).update(builders)
    KEPT.write_text(json.dumps(kept, indent=1) + "\n", "utf-8")
    make(kept)


def make(kept: dict[str, Corpus]) -> None:
    ordered = sorted(kept, key=lambda key: (key.split()[0] == "real", int(key.split()[1])))
    parts = [HEAD, bars(kept), *(section(key, kept[key]) for key in ordered), TAIL]
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
    rows = [
        [text, variant, limit, *verdict(ratio, float(limit))]
        for text, variant, limit, ratio in promises(kept)
    ]
    return (
        "## The bars\n\n" + table(["at 10,000 pages", "variant", "at most", "is", "bar"], rows, left=2) + "\n"
    )


def verdict(ratio: float | None, limit: float) -> list[str]:
    return (
        ["", "not measured"]
        if ratio is None
        else [f"{ratio:.2f}", "met" if ratio <= limit else "**not met**"]
    )


def promises(kept: dict[str, Corpus]) -> Iterator[tuple[str, str, str, float | None]]:
    """Every bar: what, which variant, the limit, the ratio or the MB."""
    ten, hundred = kept.get("generated 10000"), kept.get("generated 100000")
    against = comparison(ten)
    for variant in NATIVE:
        yield "cold ÷ Hugo", variant, "0.4", against("cold", variant, "Hugo", "wall")
    yield "cold ÷ Eleventy", "pybuild", "1.0", against("cold", "pybuild", "Eleventy", "wall")
    yield "cold ÷ Next.js", "pybuild", "0.3", against("cold", "pybuild", "Next.js", "wall")
    for variant in OWN:
        yield "one page edited ÷ Hugo", variant, "0.1", against("one page edited", variant, "Hugo", "wall")
        yield "nothing changed ÷ Hugo", variant, "0.05", against("nothing changed", variant, "Hugo", "wall")
        yield "memory of all processes, cold ÷ Hugo", variant, "0.2", against("cold", variant, "Hugo", "all")
        for name, what in (("wall", "time"), ("all", "memory")):
            growth = quotient(value(hundred, "cold", variant, name), value(ten, "cold", variant, name))
            yield f"{what}, cold, at 100,000 pages ÷ at 10,000", variant, "10", growth
        parent, child = (value(hundred, "cold", variant, name) for name in ("parent", "child"))
        yield "first process at 100,000 pages, MB", variant, "400", parent
        yield "largest worker at 100,000 pages, MB", variant, "150", child
        yield (
            "first process at 100,000 pages ÷ at 10,000",
            variant,
            "2",
            quotient(parent, value(ten, "cold", variant, "parent")),
        )


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
    make(json.loads(KEPT.read_text("utf-8")))
