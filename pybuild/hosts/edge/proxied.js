// The rule that passes a request on to a backend, with the methods it allows. ES5.
function pbProxied(D, visit) {
  for (var i = 0; i < D.proxies.length; i++) {
    var rule = D.proxies[i], taken = pbApplies(rule, visit.sent, visit.ask);
    if (!taken) continue;
    if (rule[4].indexOf(visit.ask.method) < 0) return { status: 405, headers: [['Allow', rule[4].join(', ')]], text: '405\n' };
    return { call: { url: rule[5] + (pbFill(rule[6], taken) || '/') + pbQuery(rule[7], taken, visit.ask.query), headers: rule[8] } };
  }
  return null;
}
