// Answers a fetch-style request with the rules in `D`, for hosts whose functions stand before the files.
// `host`: {file(path, method) gives the response of a file, env(name) a secret}. ES2018.
async function pbServeRequest(D, request, host) {
  const url = new URL(request.url), header = (name) => request.headers.get(name) || '';
  const ask = { path: url.pathname, query: url.search.slice(1), method: request.method, host: header('host') || url.host, header };
  const visit = pbVisit(D, ask);
  let answer = pbRoute(D, visit), body = null, headers = [];
  if (answer.file) {
    const plain = /^(?:GET|HEAD)$/.test(ask.method) && !answer.then;
    const found = await host.file(answer.file.split('/').map(encodeURIComponent).join('/'), plain ? ask.method : 'HEAD', plain);
    if (pbIsThere(found) && plain) return pbFileAnswer(D, visit, answer, found);
    if (found.body) await found.body.cancel();
    answer = pbIsThere(found) ? answer.then || answer.els : answer.els;
  }
  if (answer.call) return pbForward(D, visit, answer.call, request, host);
  headers = answer.headers;
  if (answer.status === 404 && !answer.text) {
    const page = await host.file('/404.html', 'GET', false);
    body = page.status === 200 ? page.body : '404\n';
    if (page.status === 200) headers = [['Content-Type', pbType(D, '/404.html')]];
  } else body = answer.text;
  return new Response(ask.method === 'HEAD' ? null : body, { status: answer.status, headers: pbDress(D, visit, headers) });
}
function pbIsThere(response) { return response.status === 200 || response.status === 206 || response.status === 304; }
function pbFileAnswer(D, visit, answer, found) {
  const own = [], headers = new Headers(found.headers);
  if (headers.has('vary')) own.push(['Vary', headers.get('vary')]);
  if (found.status !== 304) own.push(['Content-Type', pbType(D, answer.file)]);
  if (answer.vary) own.push(['Vary', 'Accept']);
  if (answer.link) own.push(['Link', answer.link]);
  pbDress(D, visit, own).forEach((pair) => headers.set(pair[0], pair[1]));
  return new Response(found.body, { status: found.status, headers });
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
