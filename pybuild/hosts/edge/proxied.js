// The proxy of an address: what it allows alone and beside a file, and the request to pass on, where it takes the method. ES5.
function pbProxied(D, visit) {
  for (var i = 0; i < D.proxies.length; i++) {
    var rule = D.proxies[i], taken = pbApplies(rule, visit.sent, visit.ask), call = null;
    if (!taken) continue;
    if (rule[4].indexOf(visit.ask.method) >= 0) call = { url: rule[5] + (pbFill(rule[6], taken) || '/') + pbQuery(rule[7], taken, visit.ask.query), headers: rule[8] };
    return { allow: rule[9], call: call };
  }
  return null;
}
// What an address allows: `read` is 1 where a file or a redirect answers.
function pbAllow(status, proxy, read) {
  return pbSay(status, [['Allow', proxy ? proxy.allow[read] : 'GET, HEAD, OPTIONS']]);
}
function pbOwn(visit, path, status, proxy) {
  var els = proxy ? pbAllow(status, proxy, 0) : pbSay(404, []);
  return pbHidden(visit, path) ? els : { file: path, then: pbAllow(status, proxy, 1), els: els };
}
