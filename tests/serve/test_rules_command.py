"""`pybuild rules`: what a host reads, printed."""

import json
from pathlib import Path

import pytest
from harness import run_command
from previewing import SETTINGS, make_site

from pybuild.config.loader import load_config
from pybuild.config.schema import Options
from pybuild.hosts import TARGETS, compile_rules
from pybuild.publish.publication import Publication


@pytest.mark.parametrize("target", ["nginx", "caddy", "apache"])
def test_what_is_printed_is_what_is_written(site: Path, publication: Publication, target: str) -> None:
    config, _ = load_config(site, Options(target=target))
    compiled = compile_rules(TARGETS[target], publication.rules, publication.files, config)
    artifacts = [("site", a) for a in compiled.site] + [("deploy", a) for a in compiled.deploy]
    done = run_command(site, "rules", str(site), "--target", target, "--format", "json")
    assert done.code == 0
    assert done.summary["target"] == target
    assert done.summary["rules"] == [
        {"place": place, "path": a.path, "text": a.body.decode()} for place, a in artifacts
    ]


def test_as_text(site: Path) -> None:
    done = run_command(site, "rules", str(site), "--target", "nginx")
    rows = json.loads(run_command(site, "rules", str(site), "--target", "nginx", "--format", "json").stdout)[
        "rules"
    ]
    assert (
        done.stdout
        == "\n".join(f"==> {r['place']}: {r['path']} <==\n{r['text']}" for r in rows).rstrip("\n") + "\n"
    )


def test_nothing_is_written(tmp_path: Path) -> None:
    make_site(tmp_path)
    before = sorted(path for path in tmp_path.rglob("*"))
    assert run_command(tmp_path, "rules", str(tmp_path), "--target", "nginx").code == 0
    assert sorted(path for path in tmp_path.rglob("*")) == before


def test_a_rule_that_the_host_cannot_express(tmp_path: Path) -> None:
    borrowed = (
        '[[redirects]]\nsource = "/b"\ndestination = "/docs/:x"\npermanent = true\n'
        'has = [{ type = "query", key = "to", value = "(?<x>.*)" }]\n'
    )
    make_site(tmp_path, **{"pybuild.toml": SETTINGS.replace("PORT", "9") + borrowed})
    line = SETTINGS.count("\n") + 1
    done = run_command(tmp_path, "rules", str(tmp_path), "--target", "nginx", "--format", "json")
    assert done.code == 1
    (finding,) = done.summary["diagnostics"]
    assert (finding["code"], finding["file"], finding["line"]) == ("unsupported-rule", "pybuild.toml", line)


def test_an_unknown_target(site: Path) -> None:
    done = run_command(site, "rules", str(site), "--target", "ngnix")
    assert (done.code, done.stdout) == (2, "")
    assert 'did you mean "nginx"?' in done.stderr


def test_nothing_exported(tmp_path: Path) -> None:
    (tmp_path / "pybuild.toml").write_text(SETTINGS)
    done = run_command(tmp_path, "rules", str(tmp_path), "--target", "nginx")
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith("error[not-exported]: ")
