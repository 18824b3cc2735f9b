// Vercel routing middleware: it names the file, and the platform sends it or its 404 page.
export default async function middleware(request) {
  const visit = pbVisit(PB, pbAsk(request)), env = (name) => process.env[name];
  let answer = pbRoute(PB, visit);
  if (answer.file) answer = pbProxied(PB, visit) ? answer.els : answer.then || answer;
  if (answer.call) return pbForward(PB, visit, answer.call, request, { env });
  if (answer.status && (answer.status !== 404 || answer.text)) {
    const body = request.method === 'HEAD' ? null : answer.text || null;
    return new Response(body, { status: answer.status, headers: pbDress(PB, visit, answer.headers) });
  }
  const url = new URL(request.url), path = answer.file ? pbEncode(answer.file) : '/_pybuild/nothing';
  const there = path === url.pathname;
  url.pathname = path;
  const headers = new Headers(there ? { 'x-middleware-next': '1' } : { 'x-middleware-rewrite': url.toString() });
  pbDress(PB, visit, answer.own || []).forEach((pair) => headers.set(pair[0], pair[1]));
  return new Response(null, { headers });
}
