// What stands around a CloudFront Function: events before and behind a cache, and a bucket. Keeps all events.
import { createHash } from 'node:crypto';
import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import vm from 'node:vm';

const [home, root, typesFile, port] = process.argv.slice(2);
const types = JSON.parse(readFileSync(typesFile));
const sandbox = vm.createContext({});
vm.runInContext(readFileSync(`${home}/function.js`, 'utf8'), sandbox);

function run(event) {
  const asked = JSON.stringify(event);
  const answer = vm.runInContext(`JSON.stringify(handler(${asked}))`, sandbox);
  appendFileSync(`${home}/events.jsonl`, `${JSON.stringify([JSON.parse(asked), JSON.parse(answer)])}\n`);
  return JSON.parse(answer);
}
function fields(pairs) {
  const found = {};
  for (const [name, value] of pairs) {
    const all = [...(found[name]?.multiValue || found[name] ? found[name].multiValue || [found[name]] : []), { value }];
    found[name] = all.length > 1 ? { value, multiValue: all } : { value };
  }
  return found;
}
const split = (text, separator) => text.split(separator).filter(Boolean).map((one) => {
  const at = one.indexOf('=');
  return at < 0 ? [one.trim(), ''] : [one.slice(0, at).trim(), one.slice(at + 1).trim()];
});
function bucket(request) {
  const path = decodeURIComponent(request.uri);
  if (!statSync(root + path, { throwIfNoEntry: false })?.isFile()) return null;
  const body = readFileSync(root + path), etag = `"${createHash('md5').update(body).digest('hex')}"`;
  const known = request.headers['if-none-match']?.value === etag;
  const headers = { etag: { value: etag }, 'content-type': { value: types[path.slice(1)] } };
  return { status: known ? 304 : 200, body: known ? '' : body, headers };
}
createServer((incoming, outgoing) => {
  const [uri, query = ''] = incoming.url.split(/\?(.*)/s), lines = [];
  for (let i = 0; i < incoming.rawHeaders.length; i += 2) lines.push([incoming.rawHeaders[i].toLowerCase(), incoming.rawHeaders[i + 1]]);
  const cookies = fields(lines.filter(([name]) => name === 'cookie').flatMap(([, value]) => split(value, ';')));
  const headers = fields(lines.filter(([name]) => name !== 'cookie'));
  const request = { method: incoming.method, uri, querystring: fields(split(query, '&')), headers, cookies };
  const passed = run({ version: '1.0', context: { eventType: 'viewer-request' }, request });
  const send = (status, all, body) => {
    for (const name of Object.keys(all)) if (name !== 'content-type' || status !== 304) outgoing.setHeader(name, all[name].value);
    outgoing.writeHead(status);
    outgoing.end(incoming.method === 'HEAD' ? '' : body);
  };
  if (passed.statusCode) return send(passed.statusCode, passed.headers, passed.body);
  const found = bucket(passed);
  if (!found) return send(404, { 'content-type': { value: 'text/html; charset=utf-8' } }, readFileSync(`${root}/404.html`));
  const response = { statusCode: found.status, headers: found.headers };
  const dressed = run({ version: '1.0', context: { eventType: 'viewer-response' }, request: passed, response });
  return send(dressed.statusCode, dressed.headers, found.body);
}).listen(Number(port), '127.0.0.1');
