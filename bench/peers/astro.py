"""Astro, from npm with the Node.js it asks for: a content collection, its RSS and sitemap packages, Shiki."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, node_modules, npm, write

VERSION = "7.3.5"
NODE = "24.21.0"
PACKAGES = {"astro": VERSION, "@astrojs/rss": "4.0.19", "@astrojs/sitemap": "3.7.4", "node": NODE}
FILES = {
    "package.json": '{"private": true, "type": "module"}',
    "astro.config.mjs": """import { defineConfig } from "astro/config";
import sitemap from "@astrojs/sitemap";
export default defineConfig({ site: "https://bench.example", integrations: [sitemap()], cacheDir: ".cache" });
""",
    "src/content.config.ts": """import { defineCollection } from "astro:content";
import { glob } from "astro/loaders";
import { z } from "astro/zod";
export const collections = { docs: defineCollection({
  loader: glob({ pattern: "**/*.md", base: "./src/data/docs" }),
  schema: z.object({ title: z.string(), description: z.string().optional(), date: z.coerce.date() }),
}) };
""",
    "src/newest.ts": """import { getCollection } from "astro:content";
export const newest = async (count: number) =>
  (await getCollection("docs")).sort((a, b) => b.data.date.valueOf() - a.data.date.valueOf()).slice(0, count);
""",
    "src/layouts/Base.astro": """---
const { title, description } = Astro.props;
---
<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{title}</title><meta name="description" content={description}>
<link rel="canonical" href={new URL(Astro.url.pathname, Astro.site)}></head>
<body><header><a href="/">Bench</a></header><main><h1>{title}</h1><slot /></main></body>
</html>
""",
    "src/pages/index.astro": """---
import Base from "../layouts/Base.astro";
---
<Base title="Bench" />
""",
    "src/pages/docs/index.astro": """---
import Base from "../../layouts/Base.astro";
import { newest } from "../../newest";
---
<Base title="Pages"><ul>{(await newest(100)).map((one) => <li><a href={`/docs/${one.id}/`}>{one.data.title}</a></li>)}</ul></Base>
""",
    "src/pages/docs/[...slug].astro": """---
import { getCollection, render } from "astro:content";
import Base from "../../layouts/Base.astro";
export async function getStaticPaths() {
  return (await getCollection("docs")).map((one) => ({ params: { slug: one.id }, props: { one } }));
}
const { one } = Astro.props;
const { Content } = await render(one);
---
<Base title={one.data.title} description={one.data.description}><Content /></Base>
""",
    "src/pages/rss.xml.js": """import rss from "@astrojs/rss";
import { newest } from "../newest";
export async function GET(context) {
  const items = (await newest(20)).map((one) => ({ link: `/docs/${one.id}/`, title: one.data.title,
    description: one.data.description, pubDate: one.data.date }));
  return rss({ title: "Bench", description: "Bench", site: context.site, items });
}
""",
}


def install(tools: Path) -> str:
    npm(tools / "astro", PACKAGES)
    return f"{VERSION} (Node.js {NODE})"


def prepare(tools: Path, site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "src/data/docs")
    node_modules(tools / "astro", site)
    for name, text in FILES.items():
        write(site / name, text)


def command(tools: Path) -> Sequence[str]:
    return ["node_modules/.bin/node", "node_modules/astro/bin/astro.mjs", "build"]


PEER = Peer(
    "Astro",
    install,
    prepare,
    command,
    content="src/data/docs",
    layout="src/layouts/Base.astro",
    index="src/pages/docs/index.astro",
    out="dist",
    state=(".cache", ".astro"),
)
