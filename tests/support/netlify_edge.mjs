// What stands around an Edge Function: a server, the files behind `context.next`, and the environment.
const [program, root, typesFile, port] = Deno.args;
const types = JSON.parse(await Deno.readTextFile(typesFile));
globalThis.Netlify = { env: { get: (name) => Deno.env.get(name) } };
const { default: edge, config } = await import(`file://${program}`);
const excluded = config.excludedPath.map((path) => path.replace('*', ''));

async function file(path) {
  const name = decodeURIComponent(path).replace(/\/$/, '');
  for (const end of ['', '.html', '/index.html']) {
    try {
      if ((await Deno.stat(root + name + end)).isFile) return await Deno.readFile(root + name + end);
    } catch { continue; }
  }
  return null;
}
async function next(request) {
  const { pathname } = new URL(request.url), body = await file(pathname);
  if (body === null) return new Response(await file('/404.html') || '404', { status: 404 });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', body)).slice(0, 12);
  const headers = { etag: `"${digest.toHex ? digest.toHex() : Array.from(digest).join('')}"` };
  const type = types[pathname.split('.').pop()];
  if (type) headers['content-type'] = type;
  if (request.headers.get('if-none-match') === headers.etag) return new Response(null, { status: 304, headers });
  return new Response(request.method === 'HEAD' ? null : body, { headers });
}
Deno.serve({ hostname: '127.0.0.1', port: Number(port), onListen() {} }, (request) => {
  const { pathname } = new URL(request.url);
  return excluded.some((folder) => pathname.startsWith(folder)) ? next(request) : edge(request, { next: (one) => next(one || request) });
});
