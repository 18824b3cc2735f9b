// What all hosts with fetch-style functions share: a request as `route.js` reads it, and passing it on. ES2018.
function pbAsk(request) {
  const url = new URL(request.url), header = (name) => request.headers.get(name) || '';
  return { path: url.pathname, query: url.search.slice(1), method: request.method, host: header('host') || url.host, header };
}
// The client's credentials stay here, and so do the backend's cookies; secrets are read from the host now.
async function pbForward(D, visit, call, request, host) {
  const sent = new Headers(request.headers);
  ['authorization', 'cookie', 'host', 'connection'].forEach((name) => sent.delete(name));
  sent.set('accept-encoding', 'identity');
  for (const header of call.headers) {
    const value = header[2] ? host.env(header[2]) : header[1];
    if (value === undefined) return new Response('500\n', { status: 500 });
    sent.set(header[0], value);
  }
  const bodied = !/^(?:GET|HEAD)$/.test(request.method);
  const options = { method: request.method, headers: sent, redirect: 'manual' };
  if (bodied) options.body = await request.arrayBuffer();
  let got;
  try { got = await fetch(call.url, options); } catch (fault) { return new Response('502\n', { status: 502 }); }
  const headers = new Headers(got.headers), own = [];
  ['set-cookie', 'connection', 'transfer-encoding', 'keep-alive'].forEach((name) => headers.delete(name));
  ['Vary', 'Link'].forEach((name) => { if (headers.has(name)) own.push([name, headers.get(name)]); });
  pbDress(D, visit, own).forEach((pair) => headers.set(pair[0], pair[1]));
  return new Response(got.body, { status: got.status, headers });
}
