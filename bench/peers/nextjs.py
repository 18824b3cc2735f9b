"""Next.js with `output: 'export'`, from npm: gray-matter and remark as in its own blog starter, metadata routes."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from peers.base import Peer, node_modules, npm, write

VERSION = "16.4.6"
PACKAGES = {
    "next": VERSION,
    "react": "19.3.1",
    "react-dom": "19.3.1",
    "gray-matter": "4.0.3",
    "remark": "15.0.1",
    "remark-gfm": "4.0.1",
    "remark-html": "16.0.1",
}
FILES = {
    "next.config.mjs": 'export default { output: "export" };\n',
    "package.json": '{"private": true, "type": "module", "scripts": {"build": "next build"}}',
    "lib/docs.js": """import fs from "node:fs";
import path from "node:path";
import { cache } from "react";
import matter from "gray-matter";
import { remark } from "remark";
import gfm from "remark-gfm";
import html from "remark-html";

const root = path.join(process.cwd(), "content/docs");
const markdown = remark().use(gfm).use(html, { sanitize: false }).freeze();

export const slugs = cache(() => fs.readdirSync(root, { recursive: true }).map(String)
  .filter((file) => file.endsWith(".md")).sort().map((file) => file.slice(0, -3)));
export const read = cache((slug) => {
  const { data, content } = matter(fs.readFileSync(path.join(root, slug + ".md"), "utf8"));
  return { ...data, slug, url: "/docs/" + slug, content };
});
export const newest = cache((count) => slugs().map(read)
  .sort((a, b) => new Date(b.date) - new Date(a.date)).slice(0, count));
export const render = async (content) => String(await markdown.process(content));
""",
    "app/layout.js": """export const metadata = { metadataBase: new URL("https://bench.example"), title: "Bench" };
export default function Layout({ children }) {
  return <html lang="en"><body><header><a href="/">Bench</a></header><main>{children}</main></body></html>;
}
""",
    "app/page.js": "export default function Page() {\n  return <h1>Bench</h1>;\n}\n",
    "app/docs/page.js": """import { newest } from "../../lib/docs";
export default function Page() {
  return <><h1>Pages</h1><ul>{newest(100).map((one) => <li key={one.slug}><a href={one.url}>{one.title}</a></li>)}</ul></>;
}
""",
    "app/docs/[...slug]/page.js": """import { read, render, slugs } from "../../../lib/docs";
export const dynamicParams = false;
export const generateStaticParams = () => slugs().map((slug) => ({ slug: slug.split("/") }));
const find = async (params) => read((await params).slug.map(decodeURIComponent).join("/"));
export async function generateMetadata({ params }) {
  const { title, description, url } = await find(params);
  return { title, description, alternates: { canonical: url } };
}
export default async function Page({ params }) {
  const { title, content } = await find(params);
  return <><h1>{title}</h1><div dangerouslySetInnerHTML={{ __html: await render(content) }} /></>;
}
""",
    "app/sitemap.js": """import { slugs } from "../lib/docs";
export const dynamic = "force-static";
export default function sitemap() {
  return slugs().map((slug) => ({ url: "https://bench.example/docs/" + slug }));
}
""",
    "app/rss.xml/route.js": """import { newest } from "../../lib/docs";
export const dynamic = "force-static";
const text = (value) => String(value ?? "").replace(/&/g, "&amp;").replace(/</g, "&lt;");
export function GET() {
  const items = newest(20).map((one) => `<item><title>${text(one.title)}</title><link>https://bench.example${one.url}</link>`
    + `<description>${text(one.description)}</description><pubDate>${new Date(one.date).toUTCString()}</pubDate></item>`);
  return new Response(`<?xml version="1.0"?><rss version="2.0"><channel><title>Bench</title><link>https://bench.example</link>`
    + `<description>Bench</description>${items.join("")}</channel></rss>`, { headers: { "Content-Type": "application/rss+xml" } });
}
""",
}


def install(tools: Path) -> str:
    npm(tools / "next", PACKAGES)
    return VERSION


def prepare(tools: Path, site: Path, corpus: Path) -> None:
    shutil.copytree(corpus, site / "content/docs")
    node_modules(tools / "next", site)
    for name, text in FILES.items():
        write(site / name, text)


def command(tools: Path) -> Sequence[str]:
    return ["node", "node_modules/next/dist/bin/next", "build"]


PEER = Peer(
    "Next.js",
    install,
    prepare,
    command,
    content="content/docs",
    layout="app/layout.js",
    index="app/docs/page.js",
    out="out",
    state=(".next",),
)
