// Answers a fetch-style request with the rules in `D`, for hosts whose functions stand before the files.
// `host`: {file(path, method) gives the response of a file, env(name) a secret}. ES2018.
async function pbServeRequest(D, request, host) {
  const ask = pbAsk(request), visit = pbVisit(D, ask);
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
  } else body = answer.text || null;
  return new Response(ask.method === 'HEAD' ? null : body, { status: answer.status, headers: pbDress(D, visit, headers) });
}
// The Content-Type of a file, by the rules and by its suffix.
function pbType(D, path) {
  for (var i = 0; i < D.types.length; i++) if (pbFits('', D.types[i][0], path)) return D.types[i][1];
  var suffix = /[^\/.][^\/]*\.([^\/.]*)$/.exec(path);
  return suffix && pbHas(D.suffixes, suffix[1].toLowerCase()) ? D.suffixes[suffix[1].toLowerCase()] : 'application/octet-stream';
}
function pbIsThere(response) { return response.status === 200 || response.status === 206 || response.status === 304; }
function pbFileAnswer(D, visit, answer, found) {
  const own = [], headers = new Headers(found.headers);
  if (headers.has('vary')) own.push(['Vary', headers.get('vary')]);
  if (found.status !== 304) own.push(['Content-Type', pbType(D, answer.file)]);
  pbDress(D, visit, own.concat(answer.own)).forEach((pair) => headers.set(pair[0], pair[1]));
  return new Response(found.body, { status: found.status, headers });
}
