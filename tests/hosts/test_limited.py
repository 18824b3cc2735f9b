"""Hosts without code: what they write in full, and what they refuse."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
from clouds import node, tool
from small_rules import compiled, file, said, texts

from pybuild.hosts.azure import route_of
from pybuild.rules.patterns import parse_pattern

RULES = """
[[redirects]]
source = "/old/:slug"
destination = "/docs/:slug"
status = 301
[[redirects]]
source = "/moved/:path*"
destination = "https://b.example/x/:path*"
status = 302
[[redirects]]
source = "/kept"
destination = "/docs/a"
permanent = true
[[redirects]]
source = "/who"
destination = "/docs/a"
status = 302
has = [{ type = "cookie", key = "in" }]
[[rewrites]]
source = "/guide"
destination = "/docs/a"
[[headers]]
source = "/:path*"
headers = { X-All = "1", X-Last = "1" }
[[headers]]
source = "/docs/:path*"
headers = { X-Last = "2" }
[[proxies]]
source = "/api/:path*"
destination = "https://c.example/:path*"
"""
LOST = "rules-lost {} does without: Markdown by the Accept header, 1 media type"  # of geo.json


def test_github_is_plain_files(tmp_path: Path) -> None:
    made = compiled(tmp_path, "github-pages", RULES, file("geo.json", media_type="application/geo+json"))
    assert [artifact.path for artifact in made.site] == [".nojekyll"]
    assert [(one.code, one.severity) for one in made.findings] == [("rules-lost", "warning")]
    assert made.findings[0].message.startswith("GitHub Pages do without: Markdown by the Accept header, ")


def test_gitlab(tmp_path: Path) -> None:
    made = compiled(tmp_path, "gitlab-pages", RULES)
    assert texts(made)["_redirects"] == (
        "/old/:slug /docs/:slug 301\n"
        "/moved https://b.example/x 302\n"
        "/moved/* https://b.example/x/:splat 302\n"
    )
    reasons = [(one.location.line, one.message.partition('": ')[2]) for one in made.findings[:3]]
    assert reasons == [
        (13, "it redirects with 301 and 302, not 308"),
        (17, "it looks at the path alone"),
        (22, "it has redirects alone"),
    ]


@pytest.mark.parametrize(
    ("rule", "reason"),
    [
        ('source = "/docs/:x"\ndestination = "/"', 'the file at "/docs/a" answers first there'),
        ('source = "/été"\ndestination = "/"', "its source holds characters that are sent encoded"),
        (
            'source = "/n/:id(\\\\d+)"\ndestination = "/"',
            "its patterns are whole segments and a final :path*",
        ),
        ('source = "/n/:id+"\ndestination = "/"', "its patterns are whole segments and a final :path*"),
        ('source = "/n"\ndestination = "/?a=1"', "its destinations are paths"),
        ('source = "/n"\ndestination = "/a*b"', 'it reads ":" and "*" in a destination as values'),
    ],
)
def test_gitlab_refuses(tmp_path: Path, rule: str, reason: str) -> None:
    made = compiled(tmp_path, "gitlab-pages", f"[[redirects]]\nstatus = 301\n{rule}\n")
    assert [one.message.partition('": ')[2] for one in made.findings if one.code == "unsupported-rule"] == [
        reason
    ]


def test_gitlab_takes_a_thousand_redirects(tmp_path: Path) -> None:
    rule = '[[redirects]]\nsource = "/o{0}"\ndestination = "/docs/a"\nstatus = 301\n'
    made = compiled(tmp_path, "gitlab-pages", "".join(rule.format(n) for n in range(1001)))
    assert "rule-limit GitLab Pages takes at most 1,000 redirects; there are 1,001" in said(made)


def test_netlifys_parser_reads_gitlabs_redirects(tmp_path: Path) -> None:
    made = compiled(tmp_path, "gitlab-pages", RULES)
    (tmp_path / "_redirects").write_text(texts(made)["_redirects"])
    program = f"""
      import {{ parseAllRedirects }} from {json.dumps(str(tool("@netlify/redirect-parser/lib/index.js")))};
      const read = await parseAllRedirects({{ redirectsFiles: [{json.dumps(str(tmp_path / "_redirects"))}], minimal: true }});
      console.log(JSON.stringify([read.errors.length, read.redirects.map((one) => [one.from, one.to, one.status])]));
    """
    ran = subprocess.run([node(), "--input-type=module", "-e", program], capture_output=True, text=True)
    assert json.loads(ran.stdout) == [
        0,
        [
            ["/old/:slug", "/docs/:slug", 301],
            ["/moved", "https://b.example/x", 302],
            ["/moved/*", "https://b.example/x/:splat", 302],
        ],
    ], ran.stderr


def test_firebase(tmp_path: Path) -> None:
    made = compiled(tmp_path, "firebase", RULES, file("geo.json", media_type="application/geo+json"))
    below = "(?:/(?P<path>[^/]+?(?:/[^/]+?)*))?/?$"
    assert json.loads(texts(made)["firebase.json"]) == {
        "hosting": {
            "public": "../../out",
            "cleanUrls": True,
            "trailingSlash": False,
            "redirects": [
                {"regex": "^/old/(?P<slug>[^/]+?)/?$", "destination": "/docs/:slug", "type": 301},
                {"regex": f"^/moved{below}", "destination": "https://b.example/x/:path", "type": 302},
            ],
            "rewrites": [{"regex": "^/guide/?$", "destination": "/docs/a"}],
            "headers": [
                {
                    "regex": "^/geo\\.json/?$",
                    "headers": [{"key": "Content-Type", "value": "application/geo+json"}],
                },
                {
                    "regex": f"^{below}",
                    "headers": [{"key": "X-All", "value": "1"}, {"key": "X-Last", "value": "1"}],
                },
                {"regex": f"^/docs{below}", "headers": [{"key": "X-Last", "value": "2"}]},
            ],
        }
    }
    assert [one.location.line for one in made.findings] == [13, 17, 31, None]


def test_azure(tmp_path: Path) -> None:
    made = compiled(tmp_path, "azure", RULES)
    assert json.loads(texts(made)["staticwebapp.config.json"]) == {
        "trailingSlash": "never",
        "routes": [
            {"route": "/kept", "redirect": "/docs/a", "statusCode": 308},
            {"route": "/guide", "rewrite": "/docs/a", "headers": {"X-All": "1", "X-Last": "1"}},
            {"route": "/docs", "headers": {"X-All": "1", "X-Last": "2"}},
            {"route": "/docs/*", "headers": {"X-All": "1", "X-Last": "2"}},
        ],
        "globalHeaders": {"X-All": "1", "X-Last": "1"},
        "responseOverrides": {"404": {"rewrite": "/404.html"}},
    }
    assert [one.location.line for one in made.findings] == [5, 9, 17, 31, None]


@pytest.mark.parametrize(
    ("source", "route"),
    [("/a", "/a"), ("/a/:p*", "/a/*"), ("/:p*", "/*"), ("/(.*)", "/*"), ("/a/:p", None), ("/a/:b/:p*", None)],
)
def test_routes_of_azure(source: str, route: str | None) -> None:
    assert route_of(parse_pattern(source)) == route


@pytest.mark.parametrize(
    ("target", "path", "schema"),
    [
        ("firebase", "firebase.json", "firebase-config.json"),
        ("azure", "staticwebapp.config.json", "staticwebapp.config.json"),
    ],
)
def test_the_file_is_as_the_host_says(tmp_path: Path, target: str, path: str, schema: str) -> None:
    """Held against the schema that the host's own tool publishes."""
    rules = json.loads(tool(f"../schemas/{schema}").read_text("utf-8"))
    made = compiled(tmp_path, target, RULES, file("geo.json", media_type="application/geo+json"))
    found = jsonschema.validators.validator_for(rules)(rules).iter_errors(json.loads(texts(made)[path]))
    assert [f"{error.json_path}: {error.message}" for error in found] == []


@pytest.mark.parametrize("target", ["firebase", "azure"])
def test_a_base_path_is_refused(tmp_path: Path, target: str) -> None:
    made = compiled(tmp_path, target, base="/docs")
    assert [one.code for one in made.findings] == ["rules-lost", "unsupported-rule"]


def test_azure_warns_of_api(tmp_path: Path) -> None:
    made = compiled(tmp_path, "azure", "", "api/x.json")
    assert "rules-lost Azure keeps /api for functions; 1 files below it may not be answered" in said(made)
