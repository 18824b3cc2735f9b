// CloudFront: before the cache it names the object, so that the cache holds both representations of a page;
// behind it the headers of the visitor's own address are added. Runs in cloudfront-js-2.0.
function pbProxied() { return null; }
function pbAllow(status) { return pbSay(status, [['Allow', 'GET, HEAD, OPTIONS']]); }
function pbOwn(visit, path, status) { return pbHidden(visit, path) ? pbSay(404, []) : pbAllow(status); }
function pbLine(field) {
  return !field ? '' : field.multiValue ? field.multiValue.map(one => one.value).join(', ') : field.value;
}
function pbPairs(fields, by) {
  var pairs = [];
  Object.keys(fields || {}).forEach(function (key) {
    (fields[key].multiValue || [fields[key]]).forEach(one => pairs.push(one.value === '' ? key : key + '=' + one.value));
  });
  return pairs.join(by);
}
function pbFields(pairs) {
  var fields = {};
  pairs.forEach(pair => fields[pair[0].toLowerCase()] = { value: pair[1] });
  return fields;
}
function handler(event) {
  var request = event.request, response = event.response, named = request.headers['x-pybuild-uri'];
  var visit = pbVisit(PB, {
    path: response && named ? named.value : request.uri, query: pbPairs(request.querystring, '&'), method: request.method,
    host: pbLine(request.headers.host), header: name => name === 'cookie' ? pbPairs(request.cookies, '; ') : pbLine(request.headers[name])
  }), answer = pbRoute(PB, visit), own = [];
  if (response) {
    if (response.headers.vary) own.push(['Vary', pbLine(response.headers.vary)]);
    own = pbFields(pbDress(PB, visit, own.concat(answer.own || [])));
    Object.keys(own).forEach(name => response.headers[name] = own[name]);
    return response;
  }
  answer = answer.then || answer;
  if (answer.status && (answer.status !== 404 || answer.text)) {
    return { statusCode: answer.status, headers: pbFields(pbDress(PB, visit, answer.headers)), body: answer.text };
  }
  request.headers['x-pybuild-uri'] = { value: request.uri };
  request.uri = answer.file ? pbEncode(answer.file) : '/_pybuild/nothing';
  return request;
}
