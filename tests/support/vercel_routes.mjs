// Serves a Build Output of Vercel: its routes, matched by next-on-pages' RoutesMatcher, and its static files.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { pathToFileURL } from 'node:url';

const [esbuild, source, home, root, port] = process.argv.slice(2);
const { default: builder } = await import(pathToFileURL(esbuild));
builder.buildSync({ entryPoints: [source], bundle: true, format: 'esm', platform: 'node', outfile: `${home}/routes.mjs`, logLevel: 'error' });
writeFileSync(`${home}/middleware.mjs`, readFileSync(`${home}/functions/_middleware.func/index.js`));
const { handleRequest } = await import(pathToFileURL(`${home}/routes.mjs`));
const config = JSON.parse(readFileSync(`${home}/config.json`));

const routes = { none: [], filesystem: [], miss: [], rewrite: [], resource: [], hit: [], error: [] };
let phase = 'none';
for (const route of config.routes) if (route.handle) phase = route.handle; else routes[phase].push(route);
const output = { _middleware: { type: 'middleware', entrypoint: pathToFileURL(`${home}/middleware.mjs`).href } };
const encoded = (path) => new URL('http://x/' + encodeURI(path).replace(/[?#]/g, encodeURIComponent)).pathname;
for (const path of readdirSync(root, { recursive: true })) {
  if (statSync(`${root}/${path}`).isFile()) {
    const type = config.overrides[path]?.contentType;
    output[encoded(path)] = type ? { type: 'override', path: encoded(path), headers: { 'content-type': type } } : { type: 'static' };
  }
}
const types = JSON.parse(readFileSync(`${home}/types.json`));
const assetsFetcher = {
  async fetch(request) {
    const asked = decodeURIComponent(new URL(request.url).pathname);
    const path = ['', '.html', 'index.html'].map((end) => asked + end).find((one) => statSync(root + one, { throwIfNoEntry: false })?.isFile());
    const body = readFileSync(root + path);
    const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
    const headers = { etag, 'content-type': types[path.split('.').pop()] || 'application/octet-stream' };
    const known = request.headers.get('if-none-match') === etag;
    return new Response(known ? null : body, { status: known ? 304 : 200, headers });
  },
};
createServer(async (incoming, outgoing) => {
  const chunks = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) headers.append(incoming.rawHeaders[i], incoming.rawHeaders[i + 1]);
  const body = /^(?:GET|HEAD)$/.test(incoming.method) ? undefined : Buffer.concat(chunks);
  const request = new Request(`http://${incoming.headers.host}${incoming.url}`, { method: incoming.method, headers, body });
  const answer = await handleRequest({ request, ctx: {}, assetsFetcher }, { routes }, output, { collectedLocales: [] });
  outgoing.writeHead(answer.status, Object.fromEntries(answer.headers));
  outgoing.end(Buffer.from(await answer.arrayBuffer()));
}).listen(Number(port), '127.0.0.1');
