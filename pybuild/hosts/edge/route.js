// What to answer a request with, from the rules in `D`. ES5, without access to anything but its arguments.
// `ask`: {path, query, method, host, header}; path and query as sent, header(name) the joined lines or "".
// An answer is {status, headers, text}, {call} to pass the request on, or {file, own, then, els}: the file
// to send at a decoded path with headers of its own. Where it exists and `then` is set, `then` is the answer; where it does not, `els`.
function pbHas(object, key) { return Object.prototype.hasOwnProperty.call(object, key); }
var pbKept = {};
function pbMatch(regex, text) {
  if (!pbHas(pbKept, regex)) pbKept[regex] = new RegExp('^(?:' + regex + ')$');
  return pbKept[regex].exec(text);
}
// Matches a path: its start as text, and the whole as a regex; 0 where the start is all but a last slash.
function pbFits(start, regex, path) {
  if (path.indexOf(start) !== 0) return null;
  return regex ? pbMatch(regex + '/?', path) : path === start || path === start + '/' ? [path] : null;
}
function pbDecode(text) {
  try { return decodeURIComponent(text); } catch (fault) {
    return text.replace(/%[0-7][0-9a-f]/gi, function (one) { return decodeURIComponent(one); }).replace(/%[0-9a-f]{2}/gi, '\ufffd');
  }
}
function pbFirst(text, by, key) {
  var parts = text.split(by);
  for (var i = 0; i < parts.length; i++) {
    var pair = by === ';' ? parts[i].replace(/^\s+|\s+$/g, '') : parts[i], at = pair.indexOf('=');
    if ((at < 0 ? pair : pair.slice(0, at)) === key) return at < 0 ? '' : pair.slice(at + 1);
  }
  return '';
}
function pbValue(kind, key, ask) {
  if (kind === 'header') return ask.header(key);
  if (kind === 'host') return ask.host.replace(/:\d*$/, '').toLowerCase();
  if (kind === 'query') return pbFirst(ask.query, '&', key);
  if (kind === 'cookie') return pbFirst(ask.header('cookie'), ';', key);
  return pbNegotiate(ask.header('accept')) === key ? 'yes' : '';
}
// Whether a condition holds: [kind, key, regex, [[name, group], …]]; captures go into `taken`.
function pbHolds(one, ask, taken) {
  var value = pbValue(one[0], one[1], ask), found = value ? pbMatch(one[2], value) : null;
  for (var i = 0; found && i < one[3].length; i++) taken[one[3][i][0]] = found[one[3][i][1]] || '';
  return found !== null;
}
// A path as it is sent: what is no part of a path percent-encoded.
function pbEncode(path) { return encodeURI(path).replace(/[?#]/g, encodeURIComponent); }
// A rule is [[start, regex], names, has, missing, …]; gives its captures, or null where it does not apply.
function pbApplies(rule, path, ask) {
  var found = pbFits(rule[0][0], rule[0][1], path), taken = {}, i;
  if (!found) return null;
  for (i = 0; i < rule[1].length; i++) taken[rule[1][i]] = found[i + 1] || '';
  for (i = 0; i < rule[2].length; i++) if (!pbHolds(rule[2][i], ask, taken)) return null;
  for (i = 0; i < rule[3].length; i++) if (pbHolds(rule[3][i], ask, {})) return null;
  return taken;
}
// A part is text, or [name, slash before it, how to encode its value: 0 as it is, 1 whole, 2 what separates parts of a query].
function pbFill(parts, taken) {
  return parts.map(function (part) {
    if (typeof part === 'string') return part;
    var value = pbHas(taken, part[0]) ? taken[part[0]] : '';
    return value && part[1] + (part[2] === 2 ? value.replace(/[&=+;#]/g, encodeURIComponent) : part[2] ? encodeURIComponent(value) : value);
  }).join('');
}
function pbQuery(parts, taken, query) {
  var own = pbFill(parts, taken);
  return own && query ? '?' + own + '&' + query : own || query ? '?' + own + query : '';
}
// The file that a decoded URL without slash at its end stands for, and what is known of it:
// "f" the path itself, "p" and "q" a variant of x.html or x/index.html, "h" x.html, "i" x/index.html, capital with variant.
function pbShape(D, url) {
  for (var i = 0; i < D.shapes.length; i++) if (pbMatch(D.shapes[i][0], url)) return D.shapes[i][1];
  var suffix = /[^\/.][^\/]*\.([^\/.]*)$/.exec(url), known = suffix && pbHas(D.suffixes, suffix[1].toLowerCase());
  if (!known) return (D.slash && !/\/index$/.test(url)) || url === '' ? D.page.charAt(1) : D.page.charAt(0);
  if (suffix[1] !== 'md' || !D.variants) return 'f';
  return D.slash && !/\/index\.md$/.test(url) ? 'q' : 'p';
}
function pbPath(shape, url) {
  return /[hH]/.test(shape) ? url + '.html' : /[iI]/.test(shape) ? url + '/index.html' : url;
}
function pbVisit(D, ask) {
  var path = ask.path, visit = { ask: ask, sent: null, url: '' };
  if (/\\|%00|(?:\/|%2f|%5c)(?:\.|%2e){1,2}(?:\/|%2f|%5c|$)/i.test(path) || !/^\/(?:[^%]|%[0-9a-f]{2})*$/i.test(path)) return null;
  var whole = pbDecode(path).replace(/\/+/g, '/');
  if (D.sent && path !== D.sent && path.indexOf(D.sent + '/') !== 0) return visit;
  if (D.base && whole !== D.base && whole.indexOf(D.base + '/') !== 0) return visit;
  visit.sent = path.slice(D.sent.length) || '/';
  visit.url = whole.slice(D.base.length) || '/';
  return visit;
}
function pbRoute(D, visit) {
  if (visit === null) return pbSay(400, []);
  if (visit.sent === null) return pbSay(404, []);
  var proxy = pbProxied(D, visit), asks = visit.ask.method === 'OPTIONS' && !(proxy && proxy.call);
  for (var i = 0; i < D.redirects.length; i++) {
    var rule = D.redirects[i], taken = pbApplies(rule, visit.sent, visit.ask);
    if (taken) return asks ? pbAllow(204, proxy, 1) : pbTo(rule[4], rule[5] + (pbFill(rule[6], taken) || '/') + pbQuery(rule[7], taken, visit.ask.query) + rule[8]);
  }
  var url = visit.url;
  for (i = 0; i < D.rewrites.length; i++) {
    taken = pbApplies(D.rewrites[i], visit.url, visit.ask);
    if (taken) { url = pbFill(D.rewrites[i][4], taken) || '/'; break; }
  }
  var bare = visit.sent.replace(/\/+$/, '') || '/', stem = url.replace(/\/+$/, ''), shape = pbShape(D, stem), path = pbPath(shape, stem);
  if (asks) return pbOwn(visit, path, 204, proxy);
  var served = pbServe(D, visit, url, shape, path, proxy);
  if (visit.sent.indexOf('//') === 0 || proxy) return served;
  if (D.slash && pbSlash(visit.sent)) return served;
  if (!D.slash) return visit.sent === bare ? served : pbTo(308, D.sent + bare + pbQuery([], {}, visit.ask.query));
  var to = visit.sent !== bare ? (path === stem ? bare : '') : path === stem + '/index.html' && stem ? bare + '/' : '';
  if (!to) return served;
  return { file: path, then: pbTo(308, D.sent + to + pbQuery([], {}, visit.ask.query)), els: pbElse(visit, proxy) };
}
function pbSlash(sent) { return /%(?:2f|5c)/i.test(sent); }
function pbSay(status, headers) { return { status: status, headers: headers, text: status === 204 ? '' : status + '\n' }; }
function pbTo(status, location) { return pbSay(status, [['Location', location]]); }
function pbServe(D, visit, url, shape, path, proxy) {
  var answer = { file: path, own: [], then: null, els: pbElse(visit, proxy) };
  if (!pbReads(visit)) return proxy && !proxy.call ? pbOwn(visit, path, 405, proxy) : answer.els;
  if (pbHidden(visit, path)) return answer.els;
  if (/[HI]/.test(shape) && D.negotiation !== 'off' && url !== path) {
    var chosen = pbNegotiate(visit.ask.header('accept'));
    answer.own.push(['Vary', 'Accept']);
    if (chosen === 'none' && D.negotiation === 'strict') answer.then = { status: 406, headers: [['Content-Type', 'text/plain; charset=utf-8'], ['Vary', 'Accept']], text: D.none };
    else if (chosen === 'md') {
      answer.file = path.replace(/html$/, 'md');
      answer.own.push(['Content-Location', D.sent + pbEncode(answer.file)]);
    }
  } else if (/[pq]/.test(shape) && visit.url === path) {
    var stem = path.slice(0, -3);
    answer.own.push(['Link', '<' + D.site + pbEncode(shape === 'q' ? stem + '/' : stem.replace(/\/index$/, '/')) + '>; rel="canonical"']);
  }
  return answer;
}
function pbReads(visit) { return /^(?:GET|HEAD)$/.test(visit.ask.method); }
function pbHidden(visit, path) { return pbSlash(visit.sent) || path === '/404.html'; }
function pbElse(visit, proxy) {
  if (proxy && proxy.call) return proxy;
  return proxy || !pbReads(visit) ? pbAllow(405, proxy, 0) : { status: 404, headers: [], text: '' };
}
// All headers of an answer: `own` and what the rules add, the later of a name winning, lists of Vary and Link growing.
function pbDress(D, visit, own) {
  var names = [], merged = {}, i, j;
  function add(name, value) {
    var key = name.toLowerCase(), list = /^(?:vary|link)$/.test(key) && pbHas(merged, key) ? merged[key][1].split(/\s*,\s*/) : [];
    if (!pbHas(merged, key)) names.push(key);
    if (list.length) value.split(/\s*,\s*/).forEach(function (one) {
      if (list.join('\n').toLowerCase().split('\n').indexOf(one.toLowerCase()) < 0) list.push(one);
    });
    merged[key] = [name, list.length ? list.join(', ') : value];
  }
  for (i = 0; i < own.length; i++) add(own[i][0], own[i][1]);
  for (i = 0; visit && visit.sent !== null && i < D.headers.length; i++) {
    if (pbApplies(D.headers[i], visit.sent, visit.ask)) for (j = 0; j < D.headers[i][4].length; j++) add(D.headers[i][4][j][0], D.headers[i][4][j][1]);
  }
  var cross = 'access-control-allow-', allow = merged.allow;
  if (allow && visit.ask.method === 'OPTIONS' && pbHas(merged, cross + 'origin') && !pbHas(merged, cross + 'methods')) add(cross + 'methods', allow[1].replace(', OPTIONS', ''));
  return names.map(function (key) { return merged[key]; });
}
