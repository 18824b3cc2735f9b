"""What the clouds that run code are given, beside the code: settings, headers, uploads, limits."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path

import pytest
from clouds import node, tool
from small_rules import compiled, file, said, texts

from pybuild.hosts.edge.cloudflare import worker_name

ASSETS = '[[headers]]\nsource = "/assets/:path*"\nheaders = { Cache-Control = "max-age=9", X-A = "a: \\"b\\" $1" }\n'
PROXY = (
    '[[proxies]]\nsource = "/live/:path*"\ndestination = "https://b.example/:path*"\n'
    'headers = { Authorization = { env = "LIVE_TOKEN" } }\n'
)


def test_cloudflare(tmp_path: Path) -> None:
    made = compiled(tmp_path, "cloudflare", ASSETS + PROXY, "assets/a.js", "api/x.json")
    assert made.findings == ()
    assert json.loads(texts(made)["wrangler.jsonc"]) == {
        "name": "a-example",
        "main": "worker.js",
        "compatibility_date": "2025-09-01",
        "assets": {
            "directory": "../../out",
            "binding": "ASSETS",
            "html_handling": "none",
            "not_found_handling": "none",
            "run_worker_first": ["/*", "!/api/*", "!/assets/*"],
        },
    }
    assert texts(made)["_headers"] == '/assets/*\n  Cache-Control: max-age=9\n  X-A: a: "b" $1\n'
    assert texts(made)["README.md"] == (
        "# Deploying to cloudflare\n\nRun in this folder:\n\n    npx wrangler deploy\n\n"
        "Once, so that the proxies have their secrets:\n\n    npx wrangler secret put LIVE_TOKEN\n\n"
        "Written by pybuild; the next export writes it anew.\n"
    )
    assert [artifact.path for artifact in made.site] == ["_headers"]


def test_cloudflare_pages(tmp_path: Path) -> None:
    made = compiled(tmp_path, "cloudflare-pages", ASSETS + PROXY, "assets/a.js", "live/x.json")
    assert [artifact.path for artifact in made.site] == ["_worker.js", "_routes.json", "_headers"]
    assert json.loads(texts(made)["_routes.json"]) == {
        "version": 1,
        "include": ["/*"],
        "exclude": ["/assets/*"],
    }


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/x", "a-example"),
        ("https://ÄÖ.example:8080", "xn-4ca0b-example"),
        ("https://-/", "site"),
    ],
)
def test_names_of_workers(url: str, name: str) -> None:
    assert worker_name(url) == name


@pytest.mark.parametrize("target", ["cloudflare", "cloudflare-pages"])
def test_cloudflare_counts_files(tmp_path: Path, target: str) -> None:
    title = {"cloudflare": "Cloudflare Workers", "cloudflare-pages": "Cloudflare Pages"}[target]
    some = [file(f"d/{n}.txt") for n in range(20_000)]
    assert said(compiled(tmp_path, target, "", *some)) == [
        f"rule-limit the free plan of {title} takes 20,000 files; there are 20,005"
    ]
    many = [file(f"d/{n}.txt") for n in range(100_000)]
    large = file("big.bin", 26 * 1024**2)
    assert said(compiled(tmp_path, target, "", *many, large)) == [
        f'public/big.bin rule-limit {title} takes at most 26,214,400 bytes in a file; "big.bin" has 27,262,976',
        f"rule-limit {title} takes at most 100,000 files; there are 100,006",
    ]


def test_netlifys_parser_reads_the_headers(tmp_path: Path) -> None:
    made = compiled(tmp_path, "netlify", ASSETS + PROXY, "assets/a.js")
    assert texts(made)["edge-functions/pybuild.js"].endswith(
        'export const config = {"path":"/*","excludedPath":["/assets/*"]};\n'
    )
    (tmp_path / "_headers").write_text(texts(made)["_headers"])
    program = f"""
      import {{ parseAllHeaders }} from {json.dumps(str(tool("@netlify/headers-parser/lib/index.js")))};
      const read = await parseAllHeaders({{ headersFiles: [{json.dumps(str(tmp_path / "_headers"))}], minimal: true }});
      console.log(JSON.stringify([read.errors.length, read.headers]));
    """
    ran = subprocess.run(
        [node(), "--input-type=module", "-e", program], capture_output=True, text=True, check=True
    )
    values = {"Cache-Control": "max-age=9", "X-A": 'a: "b" $1'}
    assert json.loads(ran.stdout) == [0, [{"for": "/assets/*", "values": values}]]


VERCEL_SCHEMA = """
const { routesSchema, normalizeRoutes } = require(process.argv[1]);
const Ajv = require(process.argv[2]);
const { routes } = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const { error } = normalizeRoutes(routes);
const known = JSON.parse(JSON.stringify(routesSchema), (key, value) => key === 'middlewarePath' ? undefined : value);
console.log(JSON.stringify([error, new Ajv().validate(known, routes.filter((one) => !one.middlewarePath))]));
"""


def test_vercel(tmp_path: Path) -> None:
    made = compiled(tmp_path, "vercel", PROXY + ASSETS.replace(" $1", ""), "assets/a.js", "api")
    config = json.loads(texts(made)["config.json"])
    assert config == {
        "version": 3,
        "routes": [
            {"src": "^/(?!(?:assets)/).*$", "middlewarePath": "_middleware", "continue": True},
            {
                "src": "^/assets/.*$",
                "headers": {"Cache-Control": "max-age=9", "X-A": 'a: "b"'},
                "continue": True,
            },
            {"handle": "filesystem"},
            {"handle": "error"},
            {"src": "^/.*$", "status": 404, "dest": "/404.html"},
        ],
        "overrides": {},
    }
    assert json.loads(texts(made)["functions/_middleware.func/.vc-config.json"]) == {
        "runtime": "edge",
        "entrypoint": "index.js",
        "envVarsInUse": ["LIVE_TOKEN"],
    }
    words = [node(), "-e", VERCEL_SCHEMA, tool("@vercel/routing-utils/dist/index.js"), tool("ajv/lib/ajv.js")]
    ran = subprocess.run(words, input=texts(made)["config.json"], capture_output=True, text=True)
    assert json.loads(ran.stdout) == [None, True], ran.stderr


def test_vercel_names_types(tmp_path: Path) -> None:
    made = compiled(tmp_path, "vercel", "", file("api/posts", media_type="application/json"))
    assert json.loads(texts(made)["config.json"])["overrides"] == {
        "api/posts": {"contentType": "application/json"}
    }


def test_vercel_refuses_proxies_over_files(tmp_path: Path) -> None:
    rule = PROXY.replace('/live/:path*"\nd', '/docs/:path*"\nd')
    assert said(compiled(tmp_path, "vercel", rule)) == [
        'pybuild.toml:4 unsupported-rule Vercel cannot express the proxy for "/docs/:path*": '
        "files answer there too, such as /docs/a, and its middleware cannot look for them"
    ]


def test_cloudfront(tmp_path: Path) -> None:
    made = compiled(tmp_path, "cloudfront", ASSETS, file("api/1", media_type="application/json"))
    program, template = texts(made)["function.js"], json.loads(texts(made)["template.json"])
    assert made.findings == () and len(program) < 10_240
    resources = template["Resources"]
    assert resources["Rules"]["Properties"]["FunctionCode"] == program
    behavior = resources["Distribution"]["Properties"]["DistributionConfig"]["DefaultCacheBehavior"]
    assert [one["EventType"] for one in behavior["FunctionAssociations"]] == [
        "viewer-request",
        "viewer-response",
    ]
    assert sorted(resources) == ["Access", "Bucket", "Distribution", "Reading", "Rules"]


def test_uploads_name_types(tmp_path: Path) -> None:
    odd = ("it's $(x).geo", "api/1", "api/2", "data/mixed", "data/other")
    kinds = ("application/geo+json", *["application/json"] * 3, "text/csv")
    files = [file(path, media_type=kind) for path, kind in zip(odd, kinds, strict=True)]
    script = texts(compiled(tmp_path, "cloudfront", "", *files))["upload.sh"]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    lines = [shlex.split(line) for line in script.splitlines() if line.startswith("aws s3 cp")]
    assert [(words[3], words[4], words[-1], "--recursive" in words) for words in lines] == [
        ("../../out/api/", "s3://$1/api/", "application/json", True),
        ("../../out/data/mixed", "s3://$1/data/mixed", "application/json", False),
        ("../../out/data/other", "s3://$1/data/other", "text/csv", False),
        ("../../out/it's $(x).geo", "s3://$1/it's $(x).geo", "application/geo+json", False),
    ]


def test_cloudfront_refuses_proxies(tmp_path: Path) -> None:
    assert said(compiled(tmp_path, "cloudfront", PROXY)) == [
        'pybuild.toml:4 unsupported-rule CloudFront cannot express the proxy for "/live/:path*": a CloudFront '
        "Function calls no backend, and a cache behavior cannot keep a secret out of the template"
    ]


def test_cloudfront_counts_bytes(tmp_path: Path) -> None:
    rule = '[[redirects]]\nsource = "/o{0}"\ndestination = "/docs/n{1}"\nstatus = 301\n'
    made = compiled(tmp_path, "cloudfront", "".join(rule.format(n * n, n) for n in range(600)))
    assert [one.code for one in made.findings] == ["rule-limit"]
    assert made.findings[0].message.startswith("CloudFront takes at most 10,240 bytes of code; there are 1")


@pytest.mark.parametrize("target", ["cloudflare", "cloudflare-pages", "netlify", "vercel", "cloudfront"])
def test_hostile_text_stays_text(tmp_path: Path, target: str) -> None:
    """Signs that mean something in JavaScript, shells and headers; node reads the program back."""
    rules = """
[[redirects]]
source = '/a"b$c`$x</script>'
destination = '/docs/a?q=</script>`$1'
status = 301
[[headers]]
source = '/x`'
headers = { X = "', `${process.exit(1)}` */ // \\\\" }
"""
    made = compiled(
        tmp_path, target, rules, "assets/`$(x)'.js", "__proto__.__proto__", "constructor.constructor"
    )
    for path, text in texts(made).items():
        if path.endswith(".js"):
            file_ = tmp_path / ("m.cjs" if target == "cloudfront" else "m.mjs")
            file_.write_text(text)
            assert subprocess.run([node(), "--check", file_], capture_output=True).returncode == 0
